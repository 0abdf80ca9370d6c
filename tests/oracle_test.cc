// SPDX-License-Identifier: Apache-2.0
// The oracle against plain MPFR, against itself, and against what the records say.
#include "core/exact/oracle.h"
#include "api/certificate.h"

#include <gtest/gtest.h>
#include <mpfr.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace actfun {
namespace {

using exact::Interval;
using exact::Oracle;
using exact::Pointwise;
using exact::Precision;
using exact::Series;

constexpr Order kOrders[] = {Order::value, Order::slope, Order::curvature};
constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

std::string hexadecimal(float x) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%a", static_cast<double>(x));
  return buffer;
}

testing::AssertionResult agree(float got, float want, float x) {
  if (same(got, want)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "x = " << hexadecimal(x) << ": " << hexadecimal(got) << ", not "
                                     << hexadecimal(want) << ' ';
}
#define EXPECT_SAME(got, want, x) EXPECT_TRUE(agree(got, want, x))

// Plain MPFR with so many digits that its roundings do not matter: no intervals, no series.
class Real {
 public:
  static constexpr mpfr_prec_t kBits = 4000;
  Real(double value) {  // NOLINT
    mpfr_init2(v_, kBits);
    mpfr_set_d(v_, value, MPFR_RNDN);
  }
  Real(const Real& other) : Real(0.0) { mpfr_set(v_, other.v_, MPFR_RNDN); }
  Real& operator=(const Real& other) {
    mpfr_set(v_, other.v_, MPFR_RNDN);
    return *this;
  }
  ~Real() { mpfr_clear(v_); }
  mpfr_srcptr get() const { return v_; }
  float rounded() const { return mpfr_zero_p(v_) ? 0.0f : mpfr_get_flt(v_, MPFR_RNDN); }
  double nearest() const { return mpfr_get_d(v_, MPFR_RNDN); }

  template <class F>
  static Real apply(const Real& a, F f) {
    Real r(0.0);
    f(r.v_, a.v_, MPFR_RNDN);
    return r;
  }
  template <class F>
  static Real apply(const Real& a, const Real& b, F f) {
    Real r(0.0);
    f(r.v_, a.v_, b.v_, MPFR_RNDN);
    return r;
  }
  static Real pi() {
    Real r(0.0);
    mpfr_const_pi(r.v_, MPFR_RNDN);
    return r;
  }

 private:
  mpfr_t v_;
};
Real operator+(const Real& a, const Real& b) { return Real::apply(a, b, mpfr_add); }
Real operator-(const Real& a, const Real& b) { return Real::apply(a, b, mpfr_sub); }
Real operator*(const Real& a, const Real& b) { return Real::apply(a, b, mpfr_mul); }
Real operator/(const Real& a, const Real& b) { return Real::apply(a, b, mpfr_div); }
Real operator-(const Real& a) { return Real::apply(a, mpfr_neg); }
Real exp(const Real& a) { return Real::apply(a, mpfr_exp); }
Real log(const Real& a) { return Real::apply(a, mpfr_log); }
Real tanh(const Real& a) { return Real::apply(a, mpfr_tanh); }
Real erf(const Real& a) { return Real::apply(a, mpfr_erf); }
Real sqrt(const Real& a) { return Real::apply(a, mpfr_sqrt); }
Real sin(const Real& a) { return Real::apply(a, mpfr_sin); }
Real cos(const Real& a) { return Real::apply(a, mpfr_cos); }
Real atan(const Real& a) { return Real::apply(a, mpfr_atan); }
Real sigmoid(const Real& a) { return 1 / (1 + exp(-a)); }

// The formulas of the contract as they stand there, cancellation and all: at 4000 bits it does no harm.
using Formula = std::function<Real(const Real& x)>;
struct Literal {
  std::string call;
  Formula order[3];
};
Real softplus_of(const Real& z) { return log(1 + exp(z)); }
Real density(const Real& x) { return exp(-(x * x) / 2) / sqrt(2 * Real::pi()); }
Real cumulative(const Real& x) { return (1 + erf(x / sqrt(Real(2)))) / 2; }

Literal swish_with(const std::string& call, double beta) {
  return {call,
          {[=](const Real& x) { return x * sigmoid(beta * x); },
           [=](const Real& x) {
             const Real z = beta * x, s = sigmoid(z), c = sigmoid(-z);
             return s * (1 + z * c);
           },
           [=](const Real& x) {
             const Real z = beta * x, s = sigmoid(z), c = sigmoid(-z);
             return beta * s * c * (2 + z * (1 - 2 * s));
           }}};
}
Literal softplus_with(const std::string& call, double beta) {
  return {
      call,
      {[=](const Real& x) { return softplus_of(beta * x) / beta; }, [=](const Real& x) { return sigmoid(beta * x); },
       [=](const Real& x) { return beta * sigmoid(beta * x) * sigmoid(-(beta * x)); }}};
}
Literal elu_with(const std::string& call, double alpha) {
  return {call,
          {[=](const Real& x) { return x.nearest() > 0 ? x : alpha * (exp(x) - 1); },
           [=](const Real& x) { return x.nearest() > 0 ? Real(1) : alpha * exp(x); },
           [=](const Real& x) { return x.nearest() > 0 ? Real(0) : alpha * exp(x); }}};
}
Literal leaky_with(const std::string& call, double slope) {
  return {
      call,
      {[=](const Real& x) { return x.nearest() > 0 ? x : slope * x; },
       [=](const Real& x) { return x.nearest() > 0 ? Real(1) : Real(slope); }, [](const Real&) { return Real(0); }}};
}

std::vector<Literal> literals() {
  const auto absolute = [](const Real& x) { return x.nearest() < 0 ? -x : x; };
  const auto sign = [](const Real& x) { return x.nearest() < 0 ? -1.0 : 1.0; };
  const auto u = [](const Real& x) { return sqrt(2 / Real::pi()) * (x + Real(8943) / 200000 * x * x * x); };
  const auto u1 = [](const Real& x) { return sqrt(2 / Real::pi()) * (1 + 3 * (Real(8943) / 200000) * x * x); };
  const auto u2 = [](const Real& x) { return sqrt(2 / Real::pi()) * 6 * (Real(8943) / 200000) * x; };
  return {
      {"identity",
       {[](const Real& x) { return x; }, [](const Real&) { return Real(1); }, [](const Real&) { return Real(0); }}},
      {"relu",
       {[](const Real& x) { return x.nearest() > 0 ? x : Real(0); },
        [](const Real& x) { return Real(x.nearest() > 0 ? 1 : 0); }, [](const Real&) { return Real(0); }}},
      {"abs",
       {[=](const Real& x) { return absolute(x); }, [=](const Real& x) { return Real(sign(x)); },
        [](const Real&) { return Real(0); }}},
      leaky_with("leaky_relu", 0.01),
      leaky_with("prelu", 0.25),
      leaky_with("prelu:weight=-1.5", -1.5),
      elu_with("elu", 1),
      elu_with("elu:alpha=0.3", 0.3),
      {"sigmoid",
       {[](const Real& x) { return sigmoid(x); }, [](const Real& x) { return sigmoid(x) * sigmoid(-x); },
        [](const Real& x) { return sigmoid(x) * sigmoid(-x) * (1 - 2 * sigmoid(x)); }}},
      {"tanh",
       {[](const Real& x) { return tanh(x); }, [](const Real& x) { return 1 - tanh(x) * tanh(x); },
        [](const Real& x) { return -2 * tanh(x) * (1 - tanh(x) * tanh(x)); }}},
      softplus_with("softplus", 1),
      softplus_with("softplus:beta=0.1", 0.1),
      {"softsign",
       {[=](const Real& x) { return x / (1 + absolute(x)); },
        [=](const Real& x) { return 1 / ((1 + absolute(x)) * (1 + absolute(x))); },
        [=](const Real& x) {
          const Real d = 1 + absolute(x);
          return -2 * sign(x) / (d * d * d);
        }}},
      swish_with("silu", 1),
      swish_with("swish", 1),
      swish_with("swish:beta=-2.5", -2.5),
      {"gelu",
       {[](const Real& x) { return x * cumulative(x); }, [](const Real& x) { return cumulative(x) + x * density(x); },
        [](const Real& x) { return density(x) * (2 - x * x); }}},
      {"gelu_tanh",
       {[=](const Real& x) { return x / 2 * (1 + tanh(u(x))); },
        [=](const Real& x) {
          const Real t = tanh(u(x));
          return (1 + t) / 2 + x / 2 * (1 - t * t) * u1(x);
        },
        [=](const Real& x) {
          const Real t = tanh(u(x));
          return (1 - t * t) * (u1(x) + x * u2(x) / 2 - x * t * u1(x) * u1(x));
        }}},
  };
}

// Of the others only the value is written down; central differences over 2^-1000 are the derivatives, with 2000 bits
// left. The branch is chosen by the nearest double, so all three points take the same one.
Literal by_differences(const std::string& call, const Formula& f) {
  static const Real h(std::ldexp(1.0, -1000));
  return {call,
          {f, [=](const Real& x) { return (f(x + h) - f(x - h)) / (2 * h); },
           [=](const Real& x) { return (f(x + h) - 2 * f(x) + f(x - h)) / (h * h); }}};
}
std::vector<Literal> differences() {
  const auto d = [](const Real& x) { return x.nearest(); };
  const auto expm1_of = [](const Real& x) { return exp(x) - 1; };
  const auto part = [](const Real& y, double low, double high) {
    return y.nearest() <= low ? Real(low) : y.nearest() >= high ? Real(high) : y;
  };
  return {
      by_differences("affine:alpha=1.5,beta=-0.3", [](const Real& x) { return 1.5 * x + -0.3; }),
      by_differences("arctan", [](const Real& x) { return atan(x); }),
      by_differences("bent_identity", [](const Real& x) { return (sqrt(x * x + 1) - 1) / 2 + x; }),
      by_differences("celu:alpha=0.7", [=](const Real& x) { return d(x) > 0 ? x : 0.7 * expm1_of(x / 0.7); }),
      by_differences("elish", [=](const Real& x) { return (d(x) > 0 ? x : expm1_of(x)) * sigmoid(x); }),
      by_differences("exp", [](const Real& x) { return exp(x); }),
      by_differences("expm1", expm1_of),
      by_differences("gaussian", [](const Real& x) { return exp(-(x * x)); }),
      by_differences("hard_mish", [=](const Real& x) { return d(x) > 0 ? x : x * part(x + 2, 0, 4) / 2; }),
      by_differences("hard_sigmoid", [=](const Real& x) { return part(x / 6 + 0.5, 0, 1); }),
      by_differences("hard_swish", [=](const Real& x) { return x * part(x + 3, 0, 6) / 6; }),
      by_differences("hardshrink", [=](const Real& x) { return std::abs(d(x)) > 0.5 ? x : Real(0); }),
      by_differences("hardtanh", [=](const Real& x) { return part(x, -1, 1); }),
      by_differences("isrlu", [=](const Real& x) { return d(x) >= 0 ? x : x / sqrt(1 + x * x); }),
      by_differences("isru:alpha=0.7", [](const Real& x) { return x / sqrt(1 + 0.7 * x * x); }),
      by_differences("laplace:mu=0.5,sigma=3", [](const Real& x) { return cumulative((x - 0.5) / 3); }),
      by_differences("lisht", [](const Real& x) { return x * tanh(x); }),
      by_differences("log_sigmoid", [](const Real& x) { return -softplus_of(-x); }),
      by_differences("logish", [](const Real& x) { return x * log(1 + sigmoid(x)); }),
      by_differences("mish", [](const Real& x) { return x * tanh(softplus_of(x)); }),
      by_differences("quick_gelu", [](const Real& x) { return x * sigmoid(1.702 * x); }),
      by_differences("relu_squared", [=](const Real& x) { return d(x) > 0 ? x * x : Real(0); }),
      by_differences("rrelu", [=](const Real& x) { return d(x) > 0 ? x : (Real(0.125) + 1.0 / 3) / 2 * x; }),
      by_differences("scaled_tanh", [](const Real& x) { return 1.7159 * tanh(2.0 / 3 * x); }),
      by_differences("serf", [](const Real& x) { return x * erf(softplus_of(x)); }),
      by_differences("sign", [=](const Real& x) { return Real(d(x) > 0   ? 1
                                                              : d(x) < 0 ? -1
                                                                         : 0); }),
      by_differences("sine:omega=30", [](const Real& x) { return sin(30 * x); }),
      by_differences("smelu",
                     [=](const Real& x) { return d(x) <= -2 ? Real(0)
                                                 : d(x) > 2 ? x
                                                            : (x + 2) * (x + 2) / 8; }),
      by_differences("snake:a=0.3", [](const Real& x) { return x + sin(0.3 * x) * sin(0.3 * x) / 0.3; }),
      by_differences("softshrink",
                     [=](const Real& x) { return d(x) > 0.5    ? x - 0.5
                                                 : d(x) < -0.5 ? x + 0.5
                                                               : Real(0); }),
      by_differences("sparse_plus",
                     [=](const Real& x) { return d(x) <= -1 ? Real(0)
                                                 : d(x) > 1 ? x
                                                            : (x + 1) * (x + 1) / 4; }),
      by_differences("sparse_sigmoid", [=](const Real& x) { return d(x) > 1 ? Real(1) : part((x + 1) / 2, 0, 2); }),
      by_differences("sqrtsoftplus", [](const Real& x) { return sqrt(softplus_of(x)); }),
      by_differences("squareplus", [](const Real& x) { return (x + sqrt(x * x + 4)) / 2; }),
      by_differences("star_relu", [=](const Real& x) { return d(x) > 0 ? 0.8944 * x * x + -0.4472 : Real(-0.4472); }),
      by_differences("step", [=](const Real& x) { return Real(d(x) > 0 ? 1 : 0); }),
      by_differences("tanhexp", [](const Real& x) { return x * tanh(exp(x)); }),
      by_differences("tanhshrink", [](const Real& x) { return x - tanh(x); }),
      by_differences("threshold", [=](const Real& x) { return d(x) > 1 ? x : Real(0); }),
      by_differences(
          "xielu", [=](const Real& x) { return d(x) > 0 ? 0.8 * x * x + 0.5 * x : 0.8 * (expm1_of(x) - x) + 0.5 * x; }),
  };
}

class Inputs {
 public:
  float any() { return finite(std::bit_cast<float>(static_cast<std::uint32_t>(generator_()))); }
  float moderate() { return static_cast<float>(std::uniform_real_distribution<double>(-20, 20)(generator_)); }
  /// Within some floats of x.
  float near(double x) {
    const auto step = static_cast<std::int32_t>(generator_() % 4097) - 2048;
    const auto shift = static_cast<std::uint32_t>(generator_() % 2 ? step : step / 256);
    return finite(std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(x)) + shift));
  }
  double spread() {
    return std::ldexp(std::uniform_real_distribution<double>(-1, 1)(generator_),
                      static_cast<int>(generator_() % 12) - 6);
  }

 private:
  static float finite(float x) { return std::isfinite(x) ? x : 1.0f; }
  std::mt19937_64 generator_{20240229};
};

bool encloses(const Interval& i, const Real& v) {
  return !i.defined() || (mpfr_lessequal_p(i.lower(), v.get()) && mpfr_lessequal_p(v.get(), i.upper()));
}

TEST(Interval, EnclosesPlainMpfr) {
  Inputs inputs;
  const Precision precision(60);
  using Unary = std::pair<Interval (*)(const Interval&), Real (*)(const Real&)>;
  const Unary functions[] = {
      {[](const Interval& a) { return exp(a); }, [](const Real& a) { return exp(a); }},
      {[](const Interval& a) { return expm1(a); }, [](const Real& a) { return exp(a) - 1; }},
      {[](const Interval& a) { return log1p(a * a); }, [](const Real& a) { return log(1 + a * a); }},
      {[](const Interval& a) { return sqrt(a * a + 1); }, [](const Real& a) { return sqrt(a * a + 1); }},
      {[](const Interval& a) { return erf(a); }, [](const Real& a) { return erf(a); }},
      {[](const Interval& a) { return erfc(a); }, [](const Real& a) { return 1 - erf(a); }},
      {[](const Interval& a) { return tanh(a); }, [](const Real& a) { return tanh(a); }},
      {[](const Interval& a) { return sin(a); }, [](const Real& a) { return sin(a); }},
      {[](const Interval& a) { return cos(a); }, [](const Real& a) { return cos(a); }},
      {[](const Interval& a) { return atan(a); }, [](const Real& a) { return atan(a); }},
      {[](const Interval& a) { return sigmoid(a); }, [](const Real& a) { return sigmoid(a); }},
      {[](const Interval& a) { return softplus(a); }, [](const Real& a) { return softplus_of(a); }},
  };
  for (int i = 0; i < 300; ++i) {
    const double a = inputs.spread(), b = inputs.spread(), c = inputs.spread(), d = inputs.spread();
    const Interval x = Interval::hull(a, b), y = Interval::hull(c, d);
    // Any point of x and any of y: the results must lie in the result intervals.
    for (const double s : {0.0, 0.3, 1.0})
      for (const double t : {0.0, 0.7, 1.0}) {
        const Real p = a + Real(s) * (Real(b) - a), q = c + Real(t) * (Real(d) - c);
        EXPECT_TRUE(encloses(x + y, p + q));
        EXPECT_TRUE(encloses(x - y, p - q));
        EXPECT_TRUE(encloses(x * y, p * q)) << a << ' ' << b << ' ' << c << ' ' << d;
        EXPECT_EQ((x / y).defined(), (c > 0) == (d > 0));
        EXPECT_TRUE(encloses(x / y, p / q)) << a << ' ' << b << ' ' << c << ' ' << d;
      }
    for (const auto& [f, g] : functions)
      for (const double s : {0.0, 0.5, 1.0}) EXPECT_TRUE(encloses(f(x), g(a + Real(s) * (Real(b) - a))));
  }
}

TEST(Interval, PointsAreExact) {
  const Precision precision(60);
  EXPECT_TRUE((Interval(0.5) + Interval(0.5)).point());
  EXPECT_TRUE((Interval(0) * exp(Interval(1))).zero());
  EXPECT_TRUE((1 / (1 + exp(Interval(0)))).point());
  EXPECT_FALSE((1 / Interval(3)).point());
  EXPECT_FALSE((1 / Interval::hull(-1, 1)).defined());
  EXPECT_FALSE(sqrt(Interval(-1)).defined());
}

TEST(Interval, ComparisonsTakeIntervalsWithoutTheirEnds) {
  const Precision precision(60);
  EXPECT_TRUE((Interval::hull(0, 1) > 0).holds);
  EXPECT_FALSE((Interval::hull(-1, 0) > 0).holds);
  EXPECT_FALSE((Interval(0) > 0).holds);
  EXPECT_FALSE((Interval::hull(0, 1) < 0).holds);
  EXPECT_TRUE((Interval::hull(0, 1) < 1).holds);
  EXPECT_THROW((void)(Interval::hull(-1, 1) > 0), exact::Undecided);
}

TEST(Interval, WavesKnowTheirExtrema) {
  const Precision precision(60);
  const auto ends = [](const Interval& v, double lower, double upper) {
    EXPECT_NEAR(mpfr_get_d(v.lower(), MPFR_RNDN), lower, 1e-15);
    EXPECT_NEAR(mpfr_get_d(v.upper(), MPFR_RNDN), upper, 1e-15);
  };
  ends(sin(Interval::hull(1, 2)), std::sin(1), 1);
  ends(sin(Interval::hull(-2, 0.5)), -1, std::sin(0.5));
  ends(sin(Interval::hull(3, 4)), std::sin(4), std::sin(3));
  ends(cos(Interval::hull(-0.5, 0.25)), std::cos(0.5), 1);
  ends(cos(Interval::hull(3, 4)), -1, std::cos(4));
  ends(cos(Interval::hull(0, 7)), -1, 1);
  ends(sin(Interval::hull(0x1p60, 0x1p60 + 256)), -1, 1);
  EXPECT_TRUE(sin(Interval(0)).zero());
  ends(sin(Interval::power_of_two(mpfr_exp_t{1} << 30)), -1, 1);
}

// Each recurrence against values of the function itself: the Taylor polynomial at c must come this close to f(c + h).
TEST(Series, SumToTheFunction) {
  Inputs inputs;
  const Precision precision(400);
  const Series::Order order(16);
  using Case = std::pair<Series (*)(const Series&), Real (*)(const Real&)>;
  const Case cases[] = {
      {[](const Series& x) { return exp(x); }, [](const Real& x) { return exp(x); }},
      {[](const Series& x) { return expm1(x); }, [](const Real& x) { return exp(x) - 1; }},
      {[](const Series& x) { return log(x * x + 1); }, [](const Real& x) { return log(x * x + 1); }},
      {[](const Series& x) { return log1p(x * x); }, [](const Real& x) { return log(x * x + 1); }},
      {[](const Series& x) { return sqrt(x * x + 1); }, [](const Real& x) { return sqrt(x * x + 1); }},
      {[](const Series& x) { return 1 / (2 + x * x); }, [](const Real& x) { return 1 / (2 + x * x); }},
      {[](const Series& x) { return erf(x); }, [](const Real& x) { return erf(x); }},
      {[](const Series& x) { return erfc(x); }, [](const Real& x) { return 1 - erf(x); }},
      {[](const Series& x) { return tanh(x); }, [](const Real& x) { return tanh(x); }},
      {[](const Series& x) { return sin(x * x); }, [](const Real& x) { return sin(x * x); }},
      {[](const Series& x) { return atan(x); }, [](const Real& x) { return atan(x); }},
      {[](const Series& x) { return sigmoid(x); }, [](const Real& x) { return sigmoid(x); }},
      {[](const Series& x) { return softplus(x); }, [](const Real& x) { return softplus_of(x); }},
      {[](const Series& x) { return x * x * Series::pi(); }, [](const Real& x) { return x * x * Real::pi(); }},
  };
  for (int i = 0; i < 20; ++i) {
    const double c = inputs.spread() / 8, h = 0x1p-12;
    for (const auto& [f, g] : cases) {
      const Series s = f(Series::variable(c));
      Interval sum(0), power(1);
      for (int k = 0; k <= 16; ++k) {
        sum += s[static_cast<std::size_t>(k)] * power;
        power = power * h / (k + 1);
      }
      // What is left is the next term, h^17 times a coefficient that grows no faster than 2^60 for these functions.
      const Real remainder = Real::apply(g(Real(c) + h), [&](mpfr_ptr r, mpfr_srcptr v, mpfr_rnd_t rounding) {
        mpfr_sub(r, sum.lower(), v, rounding);
      });
      EXPECT_LE(std::abs(remainder.nearest()), 0x1p-144) << "c = " << c;
    }
  }
}

TEST(Series, PolynomialsAreExact) {
  const Precision precision(160);
  const Series::Order order(8);
  const Series x = Series::variable(Interval::hull(1, 2));
  EXPECT_EQ((x * x + 3 * x - 1).size(), 3u);
  EXPECT_EQ((x / 4).size(), 2u);
  EXPECT_GT((1 / x).size(), 3u);
  EXPECT_TRUE(sigmoid(Series::variable(0))[3].point());
  EXPECT_EQ(mpfr_get_d(sigmoid(Series::variable(0))[3].lower(), MPFR_RNDN), -0.125);
}

std::vector<std::string> calls() {
  std::vector<std::string> all;
  for (const Entry& entry : functions())
    if (entry.elementwise()) all.emplace_back(entry.info->name);
  // Parameters of every kind: exact in binary or not, of either sign, tiny, huge, zero.
  const std::map<std::string, std::vector<double>> others = {
      {"any real", {0.5, -0.75, 0.1, 3, 1e-5, 1e5, 0, 1e-45, -1e30}},
      {"> 0", {0.5, 0.1, 3, 1e-5, 1e5, 20}},
  };
  for (const Entry& entry : functions())
    for (const Parameter& p : entry.info->parameters)
      for (const auto& [domain, values] : others)
        if (p.domain.starts_with(domain))
          for (const double value : values) {
            char text[40];
            std::snprintf(text, sizeof text, "%.17g", value);
            all.push_back(std::string(entry.info->name) + ":" + std::string(p.name) + "=" + text);
          }
  return all;
}

class OracleTest : public testing::TestWithParam<std::string> {};
std::string test_name(const testing::TestParamInfo<std::string>& instance) {
  std::string name = instance.param;
  for (char& c : name) c = c == '-' ? 'm' : std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, OracleTest, testing::ValuesIn(calls()), test_name);

TEST_P(OracleTest, ModelsAgreeWithPointwiseMpfr) {
  const Call call = parse_function(GetParam());
  const Oracle oracle(call);
  Inputs inputs;
  std::vector<float> x = {
      0.0f, -0.0f, 0x1p-149f, -0x1p-149f, 0x1.8p-148f, 0x1p-126f, -0x1.fffffcp-127f, 0x1.fffffep127f, -0x1.fffffep127f,
      1.0f, -1.0f, kInfinity, -kInfinity};
  for (int i = 0; i < 500; ++i) x.push_back(inputs.any());
  for (int i = 0; i < 500; ++i) x.push_back(inputs.moderate());
  for (int i = 0; i < 60; ++i) x.push_back(inputs.near(i % 2 ? 0x1p-149 : -0x1p-149));
  for (const auto& extremum : call.info().extrema)
    for (int i = 0; i < 10; ++i) x.push_back(inputs.near(std::atof(std::string(extremum.x).c_str())));
  for (const double kink : {6.0, 1.0, -1.0, -3.0, 3.0})
    for (int i = 0; i < 10; ++i) x.push_back(inputs.near(kink));
  for (const bool negative : {false, true}) {  // where pieces meet
    const auto& pieces = oracle.pieces(negative);
    for (std::size_t i = 0; i < pieces.size(); i += 1 + pieces.size() / 100)
      for (const std::uint32_t bits : {pieces[i].first, pieces[i].last})
        x.push_back(std::bit_cast<float>(bits | (negative ? 0x80000000u : 0u)));
  }
  std::vector<float> y(x.size());
  for (const Order order : kOrders) {
    oracle.round_array(x.data(), y.data(), x.size(), order);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float want = oracle.pointwise().round(x[i], order);
      EXPECT_SAME(y[i], want, x[i]) << "order " << static_cast<int>(order);
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(std::isnan(oracle.round(std::nanf(""), order)));
  }
}

TEST_P(OracleTest, HardCasesOfTheCertificateAreRight) {
  const Pointwise pointwise(parse_function(GetParam()));
  const std::optional<Certificate> certificate = find_certificate(GetParam());
  if (!certificate) return;  // of other parameters there is none
  for (const Order order : kOrders)
    for (const HardCase& hard : (*certificate)[order].hard_cases)
      EXPECT_SAME(hard.output, pointwise.round(hard.input, order), hard.input);
}

TEST_P(OracleTest, PiecesCoverEveryFloatOnce) {
  const Oracle oracle(parse_function(GetParam()));
  for (const bool negative : {false, true}) {
    std::uint32_t next = 1;
    for (const exact::Piece& piece : oracle.pieces(negative)) {
      ASSERT_EQ(piece.first, next);
      ASSERT_LE(piece.first, piece.last);
      next = piece.last + 1;
    }
    EXPECT_EQ(next, 0x7f800000u);
  }
}

TEST_P(OracleTest, BlocksAreArrays) {
  const Oracle oracle(parse_function(GetParam()));
  for (const std::uint32_t first : {0u, 0x3f7ffff0u, 0x7f7fff00u, 0x80000000u, 0xbf000000u, 0xff7ffff0u, 0xffffff00u}) {
    constexpr std::size_t n = 1000;
    const std::size_t count = std::min<std::size_t>(n, 0x100000000u - first);
    float x[n], block[n], array[n];
    for (std::size_t i = 0; i < count; ++i) x[i] = std::bit_cast<float>(first + static_cast<std::uint32_t>(i));
    for (const Order order : kOrders) {
      oracle.round_block(first, count, order, block);
      oracle.round_array(x, array, count, order);
      for (std::size_t i = 0; i < count; ++i) EXPECT_SAME(block[i], array[i], x[i]);
    }
  }
}

TEST(Oracle, AgreesWithTheLiteralFormulas) {
  std::set<std::string> seen;
  std::vector<Literal> all = literals();
  std::set<std::string_view> listed;
  for (const Entry& entry : functions()) listed.insert(entry.info->name);
  for (Literal& literal : differences())
    if (listed.contains(literal.call.substr(0, literal.call.find(':')))) all.push_back(std::move(literal));
  for (const Literal& literal : all) {
    const Call call = parse_function(literal.call);
    seen.emplace(call.info().name);
    const Pointwise pointwise(call);
    Inputs inputs;
    for (int i = 0; i < 60; ++i) {
      // 4000 bits survive cancellation down to tails of about e^-1300, far beyond float's.
      float x = i % 3 ? inputs.moderate() : inputs.any();
      if (std::abs(x) > 500 || std::abs(x) < 0x1p-140f) x = inputs.moderate();
      for (const Order order : kOrders) {
        const float want = literal.order[static_cast<int>(order)](static_cast<double>(x)).rounded();
        const float got = pointwise.round(x, order);
        if (got == 0 && want == 0) continue;  // 4000 bits do not tell the sign of what has cancelled
        EXPECT_SAME(got, want, x) << literal.call << ", order " << static_cast<int>(order);
      }
    }
  }
  const std::set<std::string> known = {"relu6", "selu",
                                       "scaled_elu"};  // branches say all; elu, and facts_test the rest
  for (const Entry& entry : functions()) {
    const std::string name(entry.info->name);
    EXPECT_TRUE(!entry.elementwise() || seen.contains(name) || known.contains(name)) << name << " has no formula here";
  }
}

/// The little language of the records' limits and kinks: numbers, parameters, + - * / **, sqrt, pi, parentheses.
class Expression {
 public:
  Expression(std::string_view text, const Call& call) : rest_(text), call_(call) {}
  double value() {
    const double v = sum();
    if (!rest_.empty()) throw std::invalid_argument("cannot read " + std::string(rest_));
    return v;
  }

 private:
  bool take(std::string_view sign) {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    if (!rest_.starts_with(sign)) return false;
    rest_.remove_prefix(sign.size());
    return true;
  }
  double sum() {
    double v = product();
    while (true)
      if (take("+"))
        v += product();
      else if (take("-"))
        v -= product();
      else
        return v;
  }
  double product() {
    double v = factor();
    while (true)
      if (!rest_.starts_with("**") && take("*"))
        v *= factor();
      else if (take("/"))
        v /= factor();
      else
        return v;
  }
  double factor() {
    if (take("-")) return -factor();
    const double v = atom();
    return take("**") || take("^") ? std::pow(v, factor()) : v;
  }
  double atom() {
    if (take("(")) {
      const double v = sum();
      take(")");
      return v;
    }
    std::size_t end = 0;
    while (end < rest_.size() &&
           (std::isalnum(static_cast<unsigned char>(rest_[end])) || rest_[end] == '_' || rest_[end] == '.'))
      ++end;
    const std::string word(rest_.substr(0, end));
    rest_.remove_prefix(end);
    if (word == "inf") return std::numeric_limits<double>::infinity();
    if (word == "pi") return std::acos(-1.0);
    if (word == "sign") {
      const double v = atom();
      return (v > 0) - (v < 0);
    }
    if (word == "SELU_LAMBDA") return 1.0507009873554804934;
    if (word == "SELU_ALPHA") return 1.6732632423543772848;
    for (std::size_t i = 0; i < call_.info().parameters.size(); ++i)
      if (call_.info().parameters[i].name == word) return call_.parameters[i];
    double v;
    if (!parse_number(word, v)) throw std::invalid_argument("unknown word " + word);
    return v;
  }
  std::string_view rest_;
  const Call& call_;
};

TEST(Oracle, LimitsAreTheRecords) {
  for (const Entry& entry : functions()) {
    if (!entry.elementwise()) continue;
    const Call call = parse_function(entry.info->name);
    const Pointwise oracle(call);
    const Limits limits[] = {entry.info->limits, entry.info->derivative_limits, entry.info->second_derivative_limits};
    for (const Order order : kOrders) {
      const Limits& l = limits[static_cast<int>(order)];
      for (const auto& [x, text] : {std::pair{-kInfinity, l.lower}, std::pair{kInfinity, l.upper}}) {
        const float want = text == "none" ? std::nanf("") : static_cast<float>(Expression(text, call).value());
        EXPECT_SAME(oracle.round(x, order), want, x) << entry.info->name << ", order " << static_cast<int>(order);
      }
    }
  }
}

TEST(Oracle, KinksBelongToWhomTheRecordSays) {
  for (const Entry& entry : functions())
    for (const Kink& kink : entry.info->kinks) {
      const Call call = parse_function(entry.info->name);
      const Pointwise pointwise(call);
      const double x = Expression(kink.x, call).value();
      if (static_cast<double>(static_cast<float>(x)) != x) continue;  // no input
      for (const auto& [order, at] : {std::pair{Order::slope, kink.slope.at}, {Order::curvature, kink.curvature.at}})
        EXPECT_SAME(pointwise.round(static_cast<float>(x), order), static_cast<float>(Expression(at, call).value()),
                    static_cast<float>(x))
            << entry.info->name;
    }
}

TEST(Oracle, ExtremaAreWhereTheRecordSays) {
  for (const Entry& entry : functions())
    for (const Extremum& e : entry.info->extrema) {
      const Call call = parse_function(entry.info->name);
      const Pointwise pointwise(call);
      const auto order = static_cast<Order>(e.order);
      const auto x = static_cast<float>(Expression(e.x, call).value());
      const double value = Expression(e.value, call).value(), there = pointwise.value(x, order);
      EXPECT_NEAR(there, value, 1e-12 * (1 + std::abs(value))) << entry.info->name << " at " << e.x;
      if (x == 0) continue;  // a kink, or covered by symmetry
      for (const double step : {-1e-2, 1e-2}) {
        const double beside = pointwise.value(static_cast<float>(static_cast<double>(x) + step), order);
        EXPECT_EQ(beside < there, e.type == "max") << entry.info->name << " at " << e.x;
      }
    }
}

TEST(Oracle, ZerosHaveTheirSigns) {
  const auto at_minus_zero = [](const char* name) {
    return Pointwise(parse_function(name)).round(-0.0f, Order::value);
  };
  for (const char* name : {"identity", "leaky_relu", "prelu", "elu", "tanh", "softsign", "silu", "swish", "gelu",
                           "gelu_tanh", "swish:beta=0", "swish:beta=-3"})
    EXPECT_SAME(at_minus_zero(name), -0.0f, -0.0f) << name;
  for (const char* name : {"relu", "relu6", "abs", "prelu:weight=-1", "prelu:weight=0", "elu:alpha=-2"})
    EXPECT_SAME(at_minus_zero(name), 0.0f, -0.0f) << name;
  const Pointwise tanh_oracle(parse_function("tanh")), abs_oracle(parse_function("abs"));
  EXPECT_SAME(tanh_oracle.round(0.0f, Order::curvature), -0.0f, 0.0f);
  EXPECT_SAME(tanh_oracle.round(-0.0f, Order::curvature), 0.0f, -0.0f);
  EXPECT_SAME(abs_oracle.round(-0.0f, Order::slope), 0.0f, -0.0f);
  EXPECT_SAME(abs_oracle.round(0.0f, Order::slope), 0.0f, 0.0f);
}

// Ties that a term far below double's last place decides.
TEST(Oracle, TiesAreTipped) {
  const Oracle silu(parse_function("silu"));
  for (std::uint32_t bits = 1; bits < 2000; bits += 2) {
    const float x = std::bit_cast<float>(bits);
    EXPECT_SAME(silu.round(x, Order::value), std::bit_cast<float>(bits / 2 + 1), x);              // x/2 + x^2/4: up
    EXPECT_SAME(silu.round(-x, Order::value), std::bit_cast<float>(bits / 2 | 0x80000000u), -x);  // towards zero
  }
  const Oracle prelu(parse_function("prelu:weight=0.5"));
  for (std::uint32_t bits = 1; bits < 2000; bits += 2) {
    const float x = std::bit_cast<float>(bits | 0x80000000u);
    const std::uint32_t half = bits / 2 + (bits / 2 & 1);  // exactly a tie: to even
    EXPECT_SAME(prelu.round(x, Order::value), std::bit_cast<float>(half | 0x80000000u), x);
  }
  EXPECT_EQ(prelu.pointwise().distance(-0x1p-149f, Order::value), -std::numeric_limits<double>::infinity());
}

// A function that need not stand in the list.
template <class F>
exact::Definition defined(std::array<double, kMaxParameters> parameters = {}) {
  return exact::Definition::of<F>({parameters, {}}, "test");
}
struct TanhShrink {
  static constexpr Info info{};
  template <class X>
  static X definition(const X& x) {
    return x - tanh(x);
  }
};
struct Shrink {
  static constexpr Info info{.symmetry = "odd"};
  template <class X>
  static X definition(const X& x) {
    return select(x > 1, x, select(x < -1, x, 0));
  }
};
struct HardSwish {
  static constexpr Info info{};
  template <class X>
  static X definition(const X& x) {
    return select(x > -3, select(x < 3, x * (x + 3) / 6, x), 0);
  }
};
struct Clip {  // what hardtanh is: called odd, and so it is for some bounds
  static constexpr Info info{.parameters = {{.name = "low", .preset = 0, .domain = "any real"},
                                            {.name = "high", .preset = 0, .domain = "any real"}},
                             .symmetry = "odd"};
  template <class X>
  static X definition(const X& x, const X& low, const X& high) {
    return select(x > low, select(x < high, x, high), low);
  }
};
struct Step {
  static constexpr Info info{};
  template <class X>
  static X definition(const X& x) {
    return select(x > 0, 1, 0);
  }
};
struct Ramp {  // hard_sigmoid, whose slope is no double
  static constexpr Info info{};
  template <class X>
  static X definition(const X& x) {
    const X y = X(1) / 6 * x + X(1) / 2;
    return select(y > 0, select(y < 1, y, 1), 0);
  }
};
struct Bent {
  static constexpr Info info{};
  template <class X>
  static X definition(const X& x) {
    return (sqrt(x * x + 1) - 1) / 2 + x;
  }
};
struct Angle {
  static constexpr Info info{};
  template <class X>
  static X definition(const X& x) {
    return atan(x);
  }
};
struct Wavy {
  static constexpr Info info{.parameters = {{.name = "a", .preset = 1, .domain = "> 0"}}};
  template <class X>
  static X definition(const X& x, const X& a) {
    const X s = sin(a * x);
    return x + s * s / a;
  }
};

// By symmetry, or as f is just before it reaches the plateau.
TEST(Oracle, ZerosOnPlateausHaveTheirSigns) {
  const auto check = [](const exact::Definition& f, double x, double want) {
    for (const Format format : {Format::f32, Format::f64, Format::f8e4m3fn}) {
      const double y = Pointwise(f).round(x, Order::value, {.format = format}).value;
      EXPECT_TRUE(y == 0 && std::signbit(y) == std::signbit(want)) << x << ": " << y;
    }
  };
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const double x : {0.5, 0.0, 1.0, 0x1p-149}) {
    check(defined<Shrink>(), x, 0.0);
    check(defined<Shrink>(), -x, -0.0);
  }
  for (const double x : {-3.0, -5.0, -1e30, -inf, -0.0}) check(defined<HardSwish>(), x, -0.0);
  for (const double x : {-1.0, -0.0, -inf}) check(defined<Clip>({0, 1}), x, 0.0);
  for (const double x : {1.0, 0.0, -0.0, inf}) check(defined<Clip>({-1, 0}), x, -0.0);
  for (const double x : {-1.0, -0.0, 0.0, -inf}) check(defined<Step>(), x, 0.0);
  for (const double x : {-3.0, -4.0, -inf}) check(defined<Ramp>(), x, 0.0);
  for (const Order order : {Order::slope, Order::curvature}) {
    EXPECT_SAME(Pointwise(defined<HardSwish>()).round(-5.0f, order), 0.0f, -5.0f);
    EXPECT_SAME(Pointwise(defined<Shrink>()).round(-0.5f, order), 0.0f, -0.5f);
  }
}

// Models against MPFR where ties are many, and tipped by almost nothing or not at all.
TEST(Oracle, TiesAreDecidedFarOutAndBetweenFractions) {
  Inputs inputs;
  const auto check = [&](const exact::Definition& definition, auto input) {
    const Oracle oracle(definition);
    for (int i = 0; i < 3000; ++i) {
      const float x = input();
      for (const Order order : kOrders) {
        EXPECT_SAME(oracle.round(x, order), oracle.pointwise().round(x, order), x) << static_cast<int>(order);
        if (testing::Test::HasFailure()) return;
      }
    }
  };
  const auto any = [&] { return inputs.any(); };
  const auto moderate = [&] { return inputs.moderate(); };
  check(defined<TanhShrink>(), [&] { return inputs.near(0x1.8p24); });
  check(defined<TanhShrink>(), any);
  check(defined<Ramp>(), moderate);
  check(defined<Ramp>(), [&] { return inputs.near(-3); });
  check(defined<HardSwish>(), moderate);
  check(defined<Bent>(), any);
  check(defined<Bent>(), [&] { return inputs.near(0x1.4p30); });
  check(defined<Bent>(), [&] { return inputs.near(-0x1.4p24); });
  check(defined<Angle>(), any);
  check(defined<Angle>(), moderate);
  EXPECT_SAME(Pointwise(defined<TanhShrink>()).round(0x1.000002p24f, Order::value), 0x1.000002p24f, 0x1.000002p24f);
  EXPECT_SAME(Pointwise(defined<TanhShrink>()).round(0x1.000004p24f, Order::value), 0x1.000004p24f, 0x1.000004p24f);
}

TEST(Oracle, PeriodicFunctionsAreReducedExactly) {
  Inputs inputs;
  for (const double a : {1.0, 0.1, 30.0, 1e-5, 1e30}) {
    const Oracle oracle(defined<Wavy>({a}));
    const Real factor(a);
    for (int i = 0; i < 3000; ++i) {
      const float x = inputs.any();
      if (x == 0) continue;
      for (const Order order : kOrders) EXPECT_SAME(oracle.round(x, order), oracle.pointwise().round(x, order), x) << a;
      if (i % 30 != 0) continue;
      const Real s = sin(factor * x), value = Real(x) + s * s / factor, slope = 1 + 2 * s * cos(factor * x);
      EXPECT_SAME(oracle.round(x, Order::value), value.rounded(), x) << a;
      EXPECT_SAME(oracle.round(x, Order::slope), slope.rounded(), x) << a;
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_SAME(oracle.round(kInfinity, Order::value), kInfinity, kInfinity);
    EXPECT_TRUE(std::isnan(oracle.round(-kInfinity, Order::slope)));
    EXPECT_TRUE(std::isnan(oracle.round(kInfinity, Order::curvature)));
  }
}

/// All numbers of a format, ascending.
std::vector<double> grid(Format format) {
  const FormatInfo& f = info_of(format);
  std::vector<double> all = {0};
  for (double unit = std::ldexp(1.0, f.least_exponent - f.precision + 1), y = unit; y <= f.largest; y += unit) {
    if (y == std::ldexp(unit, f.precision)) unit *= 2;
    all.push_back(y);
  }
  for (std::size_t i = 0, n = all.size(); i < n; ++i)
    if (all[i] != 0) all.push_back(-all[i]);
  std::sort(all.begin(), all.end());
  return all;
}

// Nearest by trying, from 4000 bits; the tie to the number whose last digit is even.
TEST(Oracle, RoundsToEveryFormat) {
  Inputs inputs;
  for (const Format format : {Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2}) {
    const std::vector<double> numbers = grid(format);
    const FormatInfo& f = info_of(format);
    for (int i = 0; i < 2000; ++i) {
      const double v = i % 4 == 0   ? static_cast<double>(inputs.any())
                       : i % 4 == 1 ? std::ldexp(inputs.spread(), f.least_exponent + 2 - f.precision)
                       : i % 4 == 2 ? inputs.spread() * f.largest
                                    : inputs.spread();
      auto above = std::lower_bound(numbers.begin(), numbers.end(), v);
      // Halfway to the next number that a longer exponent would have, results overflow.
      const double next = f.largest + exact::unit_of(f.largest, format);
      const bool over = std::abs(v) > f.largest && std::abs(v) - f.largest >= next - std::abs(v) &&
                        !(std::abs(v) - f.largest == next - std::abs(v) && !f.infinite);
      double want;
      if (over) {
        want = std::copysign(f.infinite ? std::numeric_limits<double>::infinity() : f.largest, v);
      } else if (std::abs(v) >= f.largest) {
        want = std::copysign(f.largest, v);
      } else {
        const double b = *above, a = b == v ? b : *(above - 1);
        const auto even = [&](double y) { return std::fmod(std::abs(y) / exact::unit_of(y, format), 2) == 0; };
        want = v - a < b - v ? a : v - a > b - v ? b : even(a) ? a : b;
        want = std::copysign(want, v);
      }
      const double got = exact::rounded(Interval(v).lower(), {.format = format});
      EXPECT_TRUE(got == want && (v == 0 || std::signbit(got) == std::signbit(want)))
          << f.name << ' ' << v << ": " << got << ", not " << want;
    }
    // The tie between the least number and zero.
    const double half = std::ldexp(1.0, f.least_exponent - f.precision);
    EXPECT_EQ(exact::rounded(Interval(half).lower(), {.format = format}), 0);
    EXPECT_EQ(exact::rounded(Interval(std::nextafter(half, 1)).lower(), {.format = format}), 2 * half);
  }
  const auto e4m3 = [](double v, bool saturate) {
    return exact::rounded(Interval(v).lower(), {.format = Format::f8e4m3fn, .saturate = saturate});
  };
  EXPECT_EQ(e4m3(464, false), 448);
  EXPECT_EQ(e4m3(465, true), 448);
  EXPECT_TRUE(std::isnan(e4m3(-465, false)));
  const Pointwise identity(parse_function("identity"));
  constexpr double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(identity.round(inf, Order::value, {.format = Format::f8e4m3fn}).value, 448);
  EXPECT_EQ(identity.round(-inf, Order::value, {.format = Format::f8e5m2}).value, -inf);
}

// Three orders at once are the three orders, and f32 among the formats is f32.
TEST(Oracle, OneEvaluationIsEnoughForAllOrders) {
  Inputs inputs;
  for (const char* name : {"gelu", "softsign", "relu", "elu"}) {
    const Pointwise pointwise(parse_function(name));
    for (const Format format : {Format::f32, Format::f64, Format::f16})
      for (int i = 0; i < 300; ++i) {
        const double x = i == 0 ? 0.0 : i == 1 ? -0.0 : static_cast<double>(i % 2 ? inputs.any() : inputs.moderate());
        const auto all = pointwise.round(x, {.format = format});
        for (const Order order : kOrders) {
          const double one = pointwise.round(x, order, {.format = format}).value;
          EXPECT_EQ(std::bit_cast<std::uint64_t>(all[static_cast<std::size_t>(order)].value),
                    std::bit_cast<std::uint64_t>(one));
        }
      }
  }
}

TEST(Oracle, OverflowsToInfinity) {
  const Oracle prelu(parse_function("prelu:weight=1.5"));
  EXPECT_SAME(prelu.round(-0x1.555554p127f, Order::value), -0x1.fffffep127f, -0x1.555554p127f);
  EXPECT_SAME(prelu.round(-0x1.555556p127f, Order::value), -kInfinity, -0x1.555556p127f);
}

}  // namespace
}  // namespace actfun
