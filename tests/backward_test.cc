// SPDX-License-Identifier: Apache-2.0
// Backward passes against the oracle: its enclosure of f', f'' or of the definition's derivative with respect to a
// parameter, times the exact g, rounded once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "api/parts.h"
#include "backends/cpu/sum.h"
#include "core/arithmetic.h"
#include "core/language.h"
#include "tests/product_oracle.h"

namespace actfun::definitions {
#include "all_functions.h"
}  // namespace actfun::definitions

namespace actfun::tests {
namespace {

/// g that bring g f'(x) closer to the middle between two floats than the test on doubles can tell.
float hard_factor(double slope, std::mt19937& generator) {
  float best = 1;
  std::uint64_t nearest = ~0ull;
  for (int i = 0; i < 1 << 14; ++i) {
    const float g = std::ldexp(1 + static_cast<float>(generator() >> 9) * 0x1p-23f, -3);
    const auto low = std::bit_cast<std::uint64_t>(static_cast<double>(g) * slope) & ((1ull << 29) - 1);
    const std::uint64_t distance = low > 1ull << 28 ? low - (1ull << 28) : (1ull << 28) - low;
    if (distance < nearest) nearest = distance, best = g;
  }
  return best;
}

class Backward : public testing::TestWithParam<const Entry*> {
 protected:
  std::vector<Call> calls() const { return calls_of(*GetParam()); }
  Call call() const { return parse_function(GetParam()->info->name); }
};

TEST_P(Backward, IsTheProductRoundedOnce) {
  for (const Call& call : calls()) {
    const Pointwise oracle(call);
    const std::size_t n = call.preset() ? 400 : 60;
    for (const Format format : kFormats) {
      std::vector<double> x = inputs(call.info(), format, n, 1), g = inputs(Info{}, format, n, 2),
                          gg = inputs(Info{}, format, n, 3);
      std::rotate(g.begin(), g.begin() + 1, g.end());
      const auto from = array_of(format, x), factor = array_of(format, g), second = array_of(format, gg);
      auto dx = from, ddx = from, dg = from;
      call.multiply(Part::slope, format, from.data(), factor.data(), dx.data(), n, current_target());
      call.double_backward(format, from.data(), factor.data(), second.data(), ddx.data(), dg.data(), n,
                           current_target());
      const auto got_dx = doubles_of(format, dx), got_ddx = doubles_of(format, ddx), got_dg = doubles_of(format, dg);
      for (std::size_t i = 0; i < n; ++i) {
        const auto check = [&](const char* what, double got, Order order, double a, double b) {
          const double right = want(oracle, order, format, x[i], a, b);
          EXPECT_TRUE(same(got, right)) << call.text() << " " << info_of(format).name << " " << what << std::hexfloat
                                        << ", x = " << x[i] << ", factors " << a << ", " << b << ": " << got << ", not "
                                        << right;
        };
        check("dx", got_dx[i], Order::slope, g[i], 1);
        check("d/dx", got_ddx[i], Order::curvature, g[i], gg[i]);
        check("d/dg", got_dg[i], Order::slope, gg[i], 1);
      }
    }
  }
}

TEST_P(Backward, HardToRound) {
  const Pointwise oracle(call());
  std::mt19937 generator(5);
  std::normal_distribution<float> normal;
  std::vector<float> x(200), g(200);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = normal(generator);
    g[i] = hard_factor(oracle.value(x[i], Order::slope), generator);
  }
  for (const Target& target : supported_targets()) {
    std::vector<float> dx(x.size());
    call().multiply(Part::slope, Format::f32, x.data(), g.data(), dx.data(), x.size(), target);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double right =
          want(oracle, Order::slope, Format::f32, static_cast<double>(x[i]), static_cast<double>(g[i]), 1);
      EXPECT_TRUE(same(dx[i], static_cast<float>(right)))
          << call().text() << " " << target.name << std::hexfloat << ", x = " << x[i] << ", g = " << g[i] << ": "
          << dx[i] << ", not " << right;
    }
  }
}

// Ties that no 256 bits tell from their neighbours: a third of a constant, and what a tail or a tiny x tips.
TEST(Ties, AreDecided) {
  const auto curvature = [](const char* function, Format format, double x, double g, double gg) {
    const auto from = array_of(format, {x}), a = array_of(format, {g}), b = array_of(format, {gg});
    auto dx = from, dg = from;
    parse_function(function).double_backward(format, from.data(), a.data(), b.data(), dx.data(), dg.data(), 1,
                                             current_target());
    return std::pair(doubles_of(format, dx)[0], doubles_of(format, dg)[0]);
  };
  EXPECT_EQ(curvature("hard_swish", Format::f16, -0x1.318p-1, 0x1.64p-5, 0x1.a4p+3).first, 0x1.858p-3);
  EXPECT_EQ(curvature("hard_swish", Format::bf16, 0x1.8cp-118, -0x1.38p-4, 0x1.38p+3).first, -0x1.fcp-3);
  // f' = -3/2 + 2 exp(x): nearer to 0 than the tie, however little.
  for (const double x : {-0x1.74p+11, -0x1.98p+98, -0x1p+120}) {
    EXPECT_EQ(curvature("xielu:alpha_n=2", Format::bf16, x, 1, -0x1.74p-2).second, 0x1.16p-1) << x;
    EXPECT_EQ(curvature("xielu:alpha_n=2", Format::bf16, x, 1, 0x1.74p-2).second, -0x1.16p-1) << x;
  }
}

TEST_P(Backward, TargetsAgree) {
  for (const Format format : kFormats) {
    const std::size_t n = format == Format::f64 ? 60 : 5000;
    const auto x = array_of(format, inputs(*GetParam()->info, format, n, 7)),
               g = array_of(format, inputs(Info{}, format, n, 8)), gg = array_of(format, inputs(Info{}, format, n, 9));
    std::vector<unsigned char> want[3];
    for (const Target& target : supported_targets()) {
      std::vector<unsigned char> got[3] = {x, x, x};
      call().multiply(Part::slope, format, x.data(), g.data(), got[0].data(), n, target);
      call().double_backward(format, x.data(), g.data(), gg.data(), got[1].data(), got[2].data(), n, target);
      for (int k = 0; k < 3; ++k) {
        if (want[k].empty()) want[k] = got[k];
        EXPECT_EQ(got[k], want[k]) << call().text() << " " << info_of(format).name << " " << target.name << " " << k;
      }
    }
  }
}

TEST_P(Backward, AnyLengthAndInPlace) {
  for (const Format format : kFormats) {
    const std::size_t longest = format == Format::f64 ? 70 : 600, bytes = info_of(format).bytes;
    const auto x = array_of(format, inputs(*GetParam()->info, format, longest, 11)),
               g = array_of(format, inputs(Info{}, format, longest, 12)),
               gg = array_of(format, inputs(Info{}, format, longest, 13));
    auto dx = x, ddx = x, dg = x;
    for (std::size_t i = 0; i < longest; ++i) {
      const std::size_t at = i * bytes;
      call().multiply(Part::slope, format, &x[at], &g[at], &dx[at], 1, current_target());
      call().double_backward(format, &x[at], &g[at], &gg[at], &ddx[at], &dg[at], 1, current_target());
    }
    const auto begins = [](const std::vector<unsigned char>& got, const std::vector<unsigned char>& with,
                           const std::vector<unsigned char>& rest, std::size_t size) {
      return std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(size), with.begin()) &&
             std::equal(got.begin() + static_cast<std::ptrdiff_t>(size), got.end(),
                        rest.begin() + static_cast<std::ptrdiff_t>(size));
    };
    for (std::size_t n = 0; n <= longest; n += n < 70 ? 1 : 265) {
      auto a = x, b = g, c = gg;
      call().multiply(Part::slope, format, a.data(), g.data(), a.data(), n, current_target());
      call().multiply(Part::slope, format, x.data(), b.data(), b.data(), n, current_target());
      EXPECT_TRUE(begins(a, dx, x, n * bytes) && begins(b, dx, g, n * bytes)) << call().text() << " " << n;
      a = x, b = g;
      call().double_backward(format, a.data(), b.data(), c.data(), a.data(), b.data(), n, current_target());
      EXPECT_TRUE(begins(a, ddx, x, n * bytes) && begins(b, dg, g, n * bytes)) << call().text() << " " << n;
      a = x, b = g;
      call().double_backward(format, a.data(), b.data(), c.data(), c.data(), a.data(), n, current_target());
      EXPECT_TRUE(begins(c, ddx, gg, n * bytes) && begins(a, dg, x, n * bytes)) << call().text() << " " << n;
    }
  }
}

TEST_P(Backward, AgreesWithFiniteDifferences) {
  std::mt19937 generator(17);
  std::normal_distribution<double> normal(0, 2);
  for (int i = 0; i < 200; ++i) {
    const double x = normal(generator), h = 0x1p-18, g = 1, at[] = {x - h, x, x + h};
    double f[3], slope[3];
    call().apply(Order::value, Format::f64, at, f, 3, current_target());
    call().apply(Order::slope, Format::f64, at, slope, 3, current_target());
    if (!(std::abs(slope[2] - slope[0]) < 0x1p-12)) continue;  // a kink lies between
    double dx = 0;
    call().multiply(Part::slope, Format::f64, &x, &g, &dx, 1, current_target());
    EXPECT_NEAR(dx, (f[2] - f[0]) / (2 * h), 1e-8) << call().text() << " " << x;
  }
}

// An isolated root of f'' is +0, at 0 it has the sign that f'' has on its way there.
TEST(Zeros, HaveTheProductsSign) {
  const auto product = [](const char* function, double x, double g) {
    const double gg = 1;
    double dx = 1, dg = 1;
    parse_function(function).double_backward(Format::f64, &x, &g, &gg, &dx, &dg, 1, current_target());
    return dx;
  };
  EXPECT_TRUE(same(product("laplace:mu=0.75", 0.75, 2), 0.0));
  EXPECT_TRUE(same(product("laplace:mu=0.75", 0.75, -2), -0.0));
  EXPECT_TRUE(same(product("laplace:mu=0", 0.0, 2), -0.0));
  EXPECT_TRUE(same(product("laplace:mu=0", -0.0, 2), 0.0));
  EXPECT_TRUE(same(product("relu", 3, -1e-300), -0.0));
  EXPECT_TRUE(same(product("sigmoid", 0.0, 1), -0.0));
}

// What multiplies floats by floats relies on it that f' is one, if it does not overflow.
TEST_P(Backward, SlopesOfFunctionsOnFloatsAreFloats) {
  if (arithmetic(call()) != Arithmetic::single) return;
  std::vector<float> x = special_inputs();
  const std::vector<float> more = random_inputs(100000, 23);
  x.insert(x.end(), more.begin(), more.end());
  std::erase_if(x, [](float each) { return !std::isfinite(each); });
  const std::vector<double> doubles(x.begin(), x.end());
  std::vector<float> slope(x.size());
  std::vector<double> y(x.size()), error(x.size());
  const Kernels& all = kernels(call(), current_target());
  all.order[1](x.data(), slope.data(), x.size(), nullptr, Passage::near);
  all.raw[1](doubles.data(), y.data(), error.data(), x.size(), nullptr);
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_TRUE(std::isinf(slope[i]) || static_cast<double>(slope[i]) == y[i]) << call().text() << " " << x[i];
}

#if defined(__SSE2__)
TEST_P(Backward, CallersFloatingPointStateChangesNothing) {
  const std::size_t n = 2000;
  const auto x = array_of(Format::f32, inputs(*GetParam()->info, Format::f32, n, 21)),
             g = array_of(Format::f32, inputs(Info{}, Format::f32, n, 22));
  auto right = x, dx = x;
  call().multiply(Part::slope, Format::f32, x.data(), g.data(), right.data(), n, current_target());
  const unsigned normal = _mm_getcsr();
  for (const unsigned state : {0x8000u, 0x0040u, 0x8040u, 0x2000u, 0x4000u, 0x6000u}) {  // FTZ, DAZ, rounding
    _mm_setcsr(0x1f80 | state);
    call().multiply(Part::slope, Format::f32, x.data(), g.data(), dx.data(), n, current_target());
    const unsigned after = _mm_getcsr();
    _mm_setcsr(normal);
    EXPECT_EQ(after & ~0x3fu, 0x1f80 | state);
    EXPECT_EQ(dx, right) << call().text() << " " << std::hex << state;
  }
}
#endif

// Conventions at kinks hold for the product, too.
TEST_P(Backward, FollowsConventionsAtKinks) {
  for (const Convention& convention : GetParam()->info->conventions) {
    Call chosen = call();
    chosen.choose(convention.framework);
    for (const Format format : kFormats)
      for (const Kink& kink : GetParam()->info->kinks) {
        double x = 0;
        if (!parse_number(kink.x, x) || decode(format, encode(format, x, Overflow::saturate)) != x) continue;
        const auto from = array_of(format, {x, -x, x}), g = array_of(format, {3, -5, 0.5});
        auto slope = from, dx = from;
        chosen.apply(Order::slope, format, from.data(), slope.data(), 3, current_target());
        chosen.multiply(Part::slope, format, from.data(), g.data(), dx.data(), 3, current_target());
        const auto slopes = doubles_of(format, slope), products = doubles_of(format, dx);
        const double factors[] = {3, -5, 0.5};
        for (std::size_t i = 0; i < 3; ++i)
          EXPECT_NEAR(products[i], factors[i] * slopes[i], std::abs(factors[i] * slopes[i]) * 0x1p-7)
              << chosen.text() << " " << name_of(convention.framework) << " " << x;
      }
  }
}

/// The definition's derivative with respect to parameter k.
using Gradient = Interval (*)(double x, std::size_t k, const Call& call);

template <class F>
Interval gradient_of(double x, std::size_t k, const Call& call) {
  const Series::Order truncation(1);
  return [&]<std::size_t... i>(std::index_sequence<i...>)->Interval {
    [[maybe_unused]] const auto parameter = [&](std::size_t index) {
      const Parameter& p = F::info.parameters[index];
      Interval value(call.parameters[index]);
      if (call.rational[index]) value = Interval(p.fraction().numerator) / Interval(p.fraction().denominator);
      return index == k ? Series::variable(value) : Series(value);
    };
    return F::definition(Series(x), parameter(i)...)[1];
  }
  (std::make_index_sequence<F::info.parameters.size()>());
}
constexpr Gradient kGradients[] = {
#define ELEMENTWISE(file, Name) gradient_of<definitions::Name>,
#define AXIS(file, Name) nullptr,
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS
};

double want_term(const Call& call, std::size_t k, Format format, double x, double g) {
  const auto enclose = [&](double at, mpfr_prec_t) { return kGradients[call.entry->id](at, k, call); };
  const auto nearest = [&](double at) {
    const Precision precision(2000);
    Interval f = enclose(at, 0);
    if (!f.bounded()) f = enclose(std::copysign(0x1p30, at), 0);  // a tail, whose sign can be told there
    return mpfr_get_d(f.lower(), MPFR_RNDN);
  };
  return product(enclose, nearest, x, g, 1, {.format = format});
}

class ParameterGradients : public testing::TestWithParam<const Entry*> {
 protected:
  std::vector<Call> calls() const { return calls_of(*GetParam()); }
  Call call() const { return parse_function(GetParam()->info->name); }
  std::size_t count() const { return GetParam()->info->parameters.size(); }
};

TEST_P(ParameterGradients, AreThere) {
  for (const Target& target : compiled_targets())
    for (std::size_t k = 0; k < count(); ++k) {
      const auto part = static_cast<std::size_t>(gradient_by(k));
      const Kernels& all = kernels(call(), target);
      EXPECT_TRUE(all.raw[part] && all.each[part] && all.wide[part] && evaluator(call(), gradient_by(k)))
          << call().text() << " " << GetParam()->info->parameters[k].name;
    }
}

// With a channel for each element, a gradient is a term: the product rounded once.
TEST_P(ParameterGradients, TermsAreRoundedOnce) {
  for (const Call& call : calls())
    for (const Format format : kFormats) {
      const std::size_t n = call.preset() ? 300 : 60;
      std::vector<double> x = inputs(call.info(), format, n, 31), g = inputs(Info{}, format, n, 32);
      for (std::size_t i = 0; i < n; ++i)
        if (std::isinf(x[i]) || std::isinf(g[i])) x[i] = g[i] = 0.5;
      const auto from = array_of(format, x), factor = array_of(format, g);
      std::vector<double> got[kMaxParameters];
      double* pointers[kMaxParameters] = {};
      for (std::size_t k = 0; k < count(); ++k) got[k].assign(n, 42), pointers[k] = got[k].data();
      call.parameter_gradients(format, {.channels = n}, from.data(), factor.data(), pointers, current_target());
      for (std::size_t k = 0; k < count(); ++k)
        for (std::size_t i = 0; i < n; ++i) {
          const Format term = format == Format::f64 ? Format::f64 : Format::f32;
          double right = want_term(call, k, term, x[i], g[i]);
          if (term == Format::f32 && std::isinf(right) && std::isinf(static_cast<float>(got[k][i]))) {
            // Larger than any float: rounded to as many bits.
            const double scaled = want_term(call, k, Format::f64, x[i], g[i]);
            EXPECT_NEAR(got[k][i] / scaled, 1, 0x1p-24) << call.text() << " " << x[i] << " " << g[i];
            continue;
          }
          if (right == 0) right = 0.0;  // sums have no negative zero
          EXPECT_TRUE(same(got[k][i], right))
              << call.text() << " " << info_of(format).name << " d/d" << call.info().parameters[k].name << std::hexfloat
              << ", x = " << x[i] << ", g = " << g[i] << ": " << got[k][i] << ", not " << right;
        }
    }
}

TEST_P(ParameterGradients, SumsAreExactButForOneRounding) {
  const std::size_t n = 5000;
  std::vector<double> x = inputs(*GetParam()->info, Format::f32, n, 41), g = inputs(Info{}, Format::f32, n, 42);
  for (std::size_t i = 0; i < n; ++i)
    if (!(std::abs(x[i]) < 1e10) || !(std::abs(g[i]) < 1e10)) x[i] = 0.5, g[i] = -0.25;
  const auto from = array_of(Format::f32, x), factor = array_of(Format::f32, g);
  for (const Target& target : supported_targets()) {
    std::vector<double> terms[kMaxParameters];
    double *each[kMaxParameters] = {}, sums[kMaxParameters] = {}, *all[kMaxParameters] = {};
    for (std::size_t k = 0; k < count(); ++k) terms[k].resize(n), each[k] = terms[k].data(), all[k] = &sums[k];
    call().parameter_gradients(Format::f32, {.channels = n}, from.data(), factor.data(), each, target);
    call().parameter_gradients(Format::f32, {.inner = n}, from.data(), factor.data(), all, target);
    for (std::size_t k = 0; k < count(); ++k) {
      big::Big exactly = 0.0;
      for (const double term : terms[k]) exactly = exactly + big::Big(term);
      EXPECT_DOUBLE_EQ(sums[k], exactly.nearest()) << call().text() << " " << k << " " << target.name;
    }
  }
}

/// One channel of an array, gathered.
std::vector<float> channel_of(const std::vector<float>& x, const Channels& shape, std::size_t c) {
  std::vector<float> y;
  for (std::size_t o = 0; o < shape.outer; ++o)
    for (std::size_t i = 0; i < shape.inner; ++i) y.push_back(x[(o * shape.channels + c) * shape.inner + i]);
  return y;
}

/// Parameters that differ between channels, all within their domains.
std::vector<Call> calls_of_channels(const Entry& entry, std::size_t channels) {
  const std::vector<Call> known = calls_of(entry);
  std::vector<Call> calls;
  for (std::size_t c = 0; c < channels; ++c) calls.push_back(known[1 + (c * 7) % (known.size() - 1)]);
  return calls;
}

TEST_P(ParameterGradients, ChannelsAreLikeFunctionsOfTheirOwn) {
  for (const Channels shape : {Channels{3, 5, 1}, Channels{7, 40, 1}, Channels{2, 3, 17}, Channels{3, 4, 63},
                               Channels{2, 3, 64}, Channels{1, 2, 700}, Channels{1, 9, 1}, Channels{0, 3, 4}}) {
    const std::vector<Call> own = calls_of_channels(*GetParam(), shape.channels);
    std::vector<float> x(shape.size()), g(shape.size());
    const auto from = inputs(*GetParam()->info, Format::f32, x.size(), 51),
               factors = inputs(Info{}, Format::f32, x.size(), 52);
    std::copy(from.begin(), from.end(), x.begin()), std::copy(factors.begin(), factors.end(), g.begin());
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!std::isfinite(x[i]) || !std::isfinite(g[i])) x[i] = 1, g[i] = -1;
    std::vector<double> values[kMaxParameters];
    Channels varied = shape;
    for (std::size_t k = 0; k < count(); ++k) {
      for (const Call& each : own) values[k].push_back(each.parameters[k]);
      varied.parameters[k] = values[k].data();
    }
    ASSERT_TRUE(call().accepts(varied));
    std::vector<double> want[kMaxParameters], got[kMaxParameters];
    double* pointers[kMaxParameters] = {};
    for (const Target& target : supported_targets()) {
      std::vector<float> y(x.size()), dx(x.size());
      call().multiply(Part::value, Format::f32, varied, x.data(), nullptr, y.data(), target);
      call().multiply(Part::slope, Format::f32, varied, x.data(), g.data(), dx.data(), target);
      for (std::size_t k = 0; k < count(); ++k) got[k].assign(shape.channels, 42), pointers[k] = got[k].data();
      call().parameter_gradients(Format::f32, varied, x.data(), g.data(), pointers, target);
      for (std::size_t k = 0; k < count(); ++k) {
        if (want[k].empty()) want[k] = got[k];
        for (std::size_t c = 0; c < shape.channels; ++c) EXPECT_TRUE(same(got[k][c], want[k][c])) << target.name;
      }
      for (std::size_t c = 0; c < shape.channels; ++c) {
        const auto xs = channel_of(x, shape, c), gs = channel_of(g, shape, c), ys = channel_of(y, shape, c),
                   dxs = channel_of(dx, shape, c);
        std::vector<float> value(xs.size()), slope(xs.size());
        own[c].evaluate(Order::value, xs.data(), value.data(), xs.size(), target);
        own[c].multiply(Part::slope, Format::f32, xs.data(), gs.data(), slope.data(), xs.size(), target);
        for (std::size_t i = 0; i < xs.size(); ++i) {
          EXPECT_TRUE(same(ys[i], value[i])) << own[c].text() << " " << xs[i] << ": " << ys[i] << ", not " << value[i];
          EXPECT_TRUE(same(dxs[i], slope[i])) << own[c].text() << " " << xs[i] << " " << gs[i] << ": " << dxs[i];
        }
        double sums[kMaxParameters] = {}, *all[kMaxParameters] = {};
        for (std::size_t k = 0; k < count(); ++k) all[k] = &sums[k];
        own[c].parameter_gradients(Format::f32, {.inner = xs.size()}, xs.data(), gs.data(), all, target);
        for (std::size_t k = 0; k < count(); ++k) EXPECT_DOUBLE_EQ(got[k][c], sums[k]) << own[c].text() << " " << k;
      }
    }
  }
}

TEST(Sums, LoseNothingThatCancelsAndOverflowOnlyAtTheEnd) {
  for (const Target& target : supported_targets()) {
    const auto folded = [&](const std::vector<double>& x) {
      Sums sums(x.size(), target.bit);
      sums.add(0, x.data(), x.size());
      sums.fold(1, x.size(), 1);
      double values[1000];
      sums.values(values);
      return values[0];
    };
    const auto added = [&](const std::vector<double>& x) {
      Sums sum(1, target.bit);
      for (const double& each : x) sum.add(0, &each, 1);
      double value;
      sum.values(&value);
      return value;
    };
    for (const std::function<double(const std::vector<double>&)>& sum :
         {std::function<double(const std::vector<double>&)>(folded), {added}}) {
      EXPECT_EQ(sum({0}), 0);
      EXPECT_EQ(sum({1, 0x1p-80, -1}), 0x1p-80);
      EXPECT_EQ(sum({1e308, 1e308, 1.5, -1e308, -1e308}), 1.5);
      EXPECT_EQ(sum({1e308, 1e308}), kInfinity);
      EXPECT_EQ(sum({1e308, -kInfinity}), -kInfinity);
      EXPECT_TRUE(std::isnan(sum({kInfinity, 1, -kInfinity})));
      EXPECT_TRUE(std::isnan(sum({kNan, 1})));
      std::vector<double> x(1000);
      big::Big exactly = 0.0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = (i % 2 ? 1e15 : -1e15) + std::ldexp(1.0, -static_cast<int>(i % 50));
        exactly = exactly + big::Big(x[i]);
      }
      EXPECT_EQ(sum(x), exactly.nearest());
    }
  }
}

std::vector<const Entry*> with_parameters() {
  std::vector<const Entry*> entries = elementwise();
  std::erase_if(entries, [](const Entry* entry) { return entry->info->parameters.empty(); });
  return entries;
}

const auto name_of_test = [](const auto& test) { return std::string(test.param->info->name); };
INSTANTIATE_TEST_SUITE_P(Function, Backward, testing::ValuesIn(elementwise()), name_of_test);
INSTANTIATE_TEST_SUITE_P(Function, ParameterGradients, testing::ValuesIn(with_parameters()), name_of_test);

}  // namespace
}  // namespace actfun::tests
