// SPDX-License-Identifier: Apache-2.0
// The 256-bit arithmetic against MPFR: relative errors of operations and elementary functions, roundings.
#include <gtest/gtest.h>
#include <mpfr.h>

#include <cmath>
#include <functional>
#include <random>

#include "core/big/big.h"

namespace actfun::big {
namespace {

constexpr mpfr_prec_t kPrecision = 1400;

class Number {
 public:
  Number() { mpfr_init2(value_, kPrecision); }
  explicit Number(double x) : Number() { mpfr_set_d(value_, x, MPFR_RNDN); }
  /// Peels off doubles until nothing is left.
  explicit Number(Big b) : Number(0.0) {
    while (!b.zero()) {
      const std::int64_t e = b.exponent();
      const double high = scale(b, -e).nearest();
      Number part(high);
      mpfr_mul_2si(part.value_, part.value_, e, MPFR_RNDN);
      mpfr_add(value_, value_, part.value_, MPFR_RNDN);
      b = b - scale(Big(high), e);
    }
  }
  Number(const Number& other) : Number() { mpfr_set(value_, other.value_, MPFR_RNDN); }
  Number& operator=(const Number&) = delete;
  ~Number() { mpfr_clear(value_); }
  mpfr_ptr get() { return value_; }

 private:
  mpfr_t value_;
};

/// log2 of the relative error.
double error(const Big& got, Number& right) {
  Number difference(got);
  mpfr_sub(difference.get(), difference.get(), right.get(), MPFR_RNDN);
  if (mpfr_zero_p(difference.get())) return -1e9;
  mpfr_div(difference.get(), difference.get(), right.get(), MPFR_RNDN);
  return static_cast<double>(mpfr_get_exp(difference.get()));
}

struct Function {
  const char* name;
  std::function<Big(const Big&)> big;
  std::function<void(mpfr_ptr, mpfr_srcptr)> right;
  int least, largest;  ///< exponents of the inputs
  bool both_signs;
  double bound;  ///< log2 of the relative error
};

void erfc_of(mpfr_ptr y, mpfr_srcptr x) {  // Phi(x) = erfc(-x / sqrt(2)) / 2
  Number root(2.0);
  mpfr_sqrt(root.get(), root.get(), MPFR_RNDN);
  mpfr_div(y, x, root.get(), MPFR_RNDN);
  mpfr_neg(y, y, MPFR_RNDN);
  mpfr_erfc(y, y, MPFR_RNDN);
  mpfr_div_2ui(y, y, 1, MPFR_RNDN);
}
void softplus_of(mpfr_ptr y, mpfr_srcptr x) {
  mpfr_exp(y, x, MPFR_RNDN);
  mpfr_log1p(y, y, MPFR_RNDN);
}
void tanhshrink_of(mpfr_ptr y, mpfr_srcptr x) {
  Number t;
  mpfr_tanh(t.get(), x, MPFR_RNDN);
  mpfr_sub(y, x, t.get(), MPFR_RNDN);
}
void exp_remainder_of(mpfr_ptr y, mpfr_srcptr x) {
  Number t;
  mpfr_expm1(t.get(), x, MPFR_RNDN);
  mpfr_sub(y, t.get(), x, MPFR_RNDN);
}

const Function kFunctions[] = {
    {"exp", exp, [](auto y, auto x) { mpfr_exp(y, x, MPFR_RNDN); }, -60, 10, true, -230},
    {"expm1", expm1, [](auto y, auto x) { mpfr_expm1(y, x, MPFR_RNDN); }, -300, 10, true, -230},
    {"log1p", log1p, [](auto y, auto x) { mpfr_log1p(y, x, MPFR_RNDN); }, -300, 0, false, -240},
    {"tanh", tanh, [](auto y, auto x) { mpfr_tanh(y, x, MPFR_RNDN); }, -300, 8, true, -240},
    {"sqrt", [](const Big& x) { return sqrt(x); }, [](auto y, auto x) { mpfr_sqrt(y, x, MPFR_RNDN); }, -1000, 1000,
     false, -250},
    {"reciprocal", reciprocal, [](auto y, auto x) { mpfr_ui_div(y, 1, x, MPFR_RNDN); }, -1000, 1000, true, -250},
    {"normal_cumulative", normal_cumulative, erfc_of, -60, 5, true, -180},
    {"erf", erf, [](auto y, auto x) { mpfr_erf(y, x, MPFR_RNDN); }, -300, 4, true, -230},
    {"atan", atan, [](auto y, auto x) { mpfr_atan(y, x, MPFR_RNDN); }, -300, 300, true, -230},
    {"softplus", softplus, softplus_of, -40, 9, true, -230},
    {"tanhshrink", tanhshrink, tanhshrink_of, -200, 8, true, -160},
    {"exp_remainder", exp_remainder, exp_remainder_of, -200, 8, true, -160},
    {"sin", [](const Big& x) { return sin_of_product<0>(x, 1.0); }, [](auto y, auto x) { mpfr_sin(y, x, MPFR_RNDN); },
     -300, 1023, true, -180},
    {"cos", [](const Big& x) { return sin_of_product<2>(x, 1.0); }, [](auto y, auto x) { mpfr_cos(y, x, MPFR_RNDN); },
     -300, 1023, true, -180},
};

TEST(Big, ElementaryFunctions) {
  std::mt19937_64 generator(1);
  for (const Function& f : kFunctions) {
    double worst = -1e9, witness = 0;
    for (int i = 0; i < 400; ++i) {
      const double fraction = 1 + static_cast<double>(generator() >> 12) * 0x1p-52;
      const int exponents = f.largest - f.least;
      double x = std::ldexp(fraction, f.least + static_cast<int>(generator() % static_cast<unsigned>(exponents)));
      if (f.both_signs && (generator() & 1)) x = -x;
      Number in(x), right;
      f.right(right.get(), in.get());
      if (const double e = error(f.big(x), right); e > worst) worst = e, witness = x;
    }
    EXPECT_LT(worst, f.bound) << f.name << " at " << witness;
  }
}

TEST(Big, SumsAndRoundings) {
  std::mt19937_64 generator(2);
  for (int i = 0; i < 20000; ++i) {
    const auto number = [&] {
      return std::ldexp(static_cast<double>(static_cast<std::int64_t>(generator())),
                        static_cast<int>(generator() % 600) - 300);
    };
    const double a = number(), b = generator() & 3 ? number() : a * (1 + 0x1p-50);
    const Big got = Big(a) * Big(a) - Big(b) * Big(b);
    Number x(a), y(b);
    mpfr_sqr(x.get(), x.get(), MPFR_RNDN);
    mpfr_sqr(y.get(), y.get(), MPFR_RNDN);
    mpfr_sub(x.get(), x.get(), y.get(), MPFR_RNDN);
    if (mpfr_zero_p(x.get())) continue;
    EXPECT_LT(error(got, x), -250) << a << " " << b;
    EXPECT_EQ(got.nearest(), mpfr_get_d(x.get(), MPFR_RNDN)) << a << " " << b;
    EXPECT_EQ(static_cast<float>(got.rounded(24, -126)), mpfr_get_flt(x.get(), MPFR_RNDN)) << a << " " << b;
  }
  EXPECT_EQ(Big(0x1p-1074).nearest(), 0x1p-1074);
  EXPECT_EQ(scale(Big(3.0), -1076).nearest(), 0x1p-1074);  // 3/4 of the least
  EXPECT_EQ(scale(Big(1.0), -1075).nearest(), 0);          // a tie, to even
  EXPECT_TRUE(std::signbit(scale(Big(-1.0), -2000).nearest()));
  EXPECT_EQ(scale(Big(1.0), 1024).nearest(), HUGE_VAL);
  EXPECT_EQ((Big(0x1.fffffffffffffp1023) + Big(0x1p969)).nearest(), 0x1.fffffffffffffp1023);
  EXPECT_EQ((Big(0x1.fffffffffffffp1023) + Big(0x1p970)).nearest(), HUGE_VAL);
  EXPECT_EQ(Big(2.5).nearest_integer(), 2);
  EXPECT_EQ(Big(-3.5).nearest_integer(), -4);
  EXPECT_EQ(Big(0.5).nearest_integer(), 0);
}

}  // namespace
}  // namespace actfun::big
