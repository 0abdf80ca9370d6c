// SPDX-License-Identifier: Apache-2.0
// Functions onto the simplex: against the definitions by sorting (sparsemax, 1.5-entmax) in 113 bits, and by bisection
// in long double (other alpha), against finite differences, and where they are known exactly.
#include "api/simplex.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <numeric>

#include "backends/cpu/simplex.h"
#include "core/philox.h"
#include "tests/arrays.h"

namespace actfun::tests {
namespace {

#ifdef __SIZEOF_FLOAT128__
using Wide = __float128;
#else
using Wide = long double;
#endif
constexpr std::size_t kLengths[] = {1, 2, 3, 5, 8, 15, 16, 17, 33, 100, 1000, 10007};

Wide root(Wide x) {
  if (x <= 0) return 0;
  Wide y = std::sqrt(static_cast<long double>(x));
  for (int i = 0; i < 2; ++i) y = (y + x / y) / 2;
  return y;
}
template <class T>
Wide magnitude(T x) {
  return x < 0 ? -Wide(x) : Wide(x);
}

/// (alpha - 1)(x_i - max) - tau', whose positive part to the power 1/(alpha - 1) is entmax: by sorting (Martins &
/// Astudillo 2016; Peters, Niculae & Martins 2019).
template <class T>
std::vector<Wide> differences(double alpha, const std::vector<T>& x) {
  const T largest = *std::max_element(x.begin(), x.end());
  std::vector<Wide> w(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) w[i] = (Wide(x[i]) - Wide(largest)) * Wide(alpha - 1);
  std::vector<Wide> sorted = w;
  std::sort(sorted.begin(), sorted.end(), [](Wide a, Wide b) { return a > b; });
  Wide sum = 0, squares = 0, threshold = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    sum += sorted[i], squares += sorted[i] * sorted[i];
    const Wide k = Wide(i + 1), mean = sum / k;
    const Wide tau = alpha == 2 ? (sum - 1) / k : mean - root((1 - (squares - k * mean * mean)) / k);
    if (i > 0 && tau > sorted[i]) break;
    threshold = tau;
  }
  for (Wide& each : w) each -= threshold;
  return w;
}

template <class T>
std::vector<T> entmax_of(double alpha, const std::vector<T>& x, const Target& target = current_target()) {
  std::vector<T> from = x, y(x.size());
  entmax(alpha, row_of(from), row_of(y), 0, target);
  return y;
}

/// Rows of all kinds: spread out, close together, far from 0, with ties, and at powers of two below the maximum.
template <class T>
void for_rows(const std::function<void(const std::vector<T>&)>& check) {
  std::uint32_t seed = 0;
  for (const std::size_t n : kLengths)
    for (const double spread : {1e-4, 0.1, 1.0, 5.0, 30.0})
      for (const double offset : {0.0, 1000.0}) {
        std::vector<T> x = normal_numbers<T>(n, spread, ++seed);
        for (T& v : x) v = static_cast<T>(v + offset);
        check(x);
        for (T& v : x) v = static_cast<T>(std::round(8 * v) / 8);
        check(x);
      }
  for (int i = 1; i < 100; ++i) {
    const T tiny = static_cast<T>(std::ldexp(1.0, -i));
    check({1, tiny}), check({1, tiny, 0}), check({2, tiny}), check({0, -1 + tiny}), check({0, -2 + tiny, -2});
    check({1, 1, static_cast<T>(0.5) + tiny, tiny});
  }
}

/// The bound that simplex.h states, in the largest share used.
template <class T>
void expect_projection(double alpha) {
  const int p = alpha == 2 ? 1 : 2;
  double worst = 0, worst_near_threshold = 0;
  std::size_t near_threshold = 0;
  for_rows<T>([&](const std::vector<T>& x) {
    const std::vector<Wide> d = differences(alpha, x);
    const Wide largest = *std::max_element(d.begin(), d.end());
    const std::vector<T> y = entmax_of(alpha, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Wide positive = d[i] > 0 ? d[i] : Wide(0), want = p == 1 ? positive : positive * positive;
      const Wide error = magnitude(Wide(y[i]) - want), ulp = 2 * half_an_ulp<T>(static_cast<long double>(want));
      if (d[i] > largest * Wide(0x1p-65)) {
        worst = std::max(worst, static_cast<double>(error / ulp));
      } else {
        const Wide off = largest * Wide(0x1p-80), beyond = p == 1 ? off : 2 * positive * off + off * off;
        worst_near_threshold = std::max(worst_near_threshold, static_cast<double>((error - 0.5 * ulp) / beyond));
        near_threshold += d[i] > -largest * Wide(0x1p-65);
      }
    }
  });
  testing::Test::RecordProperty("worst_ulp", std::to_string(worst));
  testing::Test::RecordProperty("worst_near_threshold", std::to_string(worst_near_threshold));
  EXPECT_LE(worst, 0.501);
  EXPECT_GT(worst, 0.45);
  EXPECT_LE(worst_near_threshold, 1);
  EXPECT_GT(near_threshold, 10u) << "rows must have elements at the threshold";
}
TEST(Sparsemax, CorrectlyRoundedInF32) { expect_projection<float>(2); }
TEST(Sparsemax, CorrectlyRoundedInF64) { expect_projection<double>(2); }
TEST(Entmax15, WithinTheBoundInF32) { expect_projection<float>(1.5); }
TEST(Entmax15, WithinTheBoundInF64) { expect_projection<double>(1.5); }

/// The largest difference under the power, by bisection for the sum 1.
template <class T>
long double largest_difference(long double alpha, const std::vector<T>& x, T maximum) {
  long double low = 0, high = 1;
  for (int i = 0; i < 120; ++i) {
    const long double s = i < 60 ? std::sqrt(std::max(low, 1e-300L) * high) : (low + high) / 2;
    long double sum = 0;
    for (const T v : x) {
      const long double d = s + (alpha - 1) * (static_cast<long double>(v) - maximum);
      if (d > 0) sum += std::pow(d, 1 / (alpha - 1));
    }
    (sum > 1 ? high : low) = s;
  }
  return (low + high) / 2;
}

template <class T>
void expect_entmax(double alpha) {
  long double worst = 0, worst_of_bound = 0;
  for_rows<T>([&](const std::vector<T>& x) {
    if (x.size() > 1000) return;
    const T maximum = *std::max_element(x.begin(), x.end());
    const std::vector<T> y = entmax_of(alpha, x);
    const long double s = largest_difference(alpha, x, maximum), p = 1 / (static_cast<long double>(alpha) - 1);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double d = s + (alpha - 1.0L) * (static_cast<long double>(x[i]) - maximum);
      const long double want = d > 0 ? std::pow(d, p) : 0, error = std::abs(y[i] - want);
      const long double t = std::max(d / s, 0x1p-50L);  // the bound has nothing to say of what is closer
      if (std::is_same_v<T, float> && (alpha - 1) * t > 0x1p-11)
        worst = std::max(worst, error / (2 * half_an_ulp<T>(want)));
      const long double bound = 0x1p-46L * std::max(want, std::pow(s * t, p)) *
                                (1 + std::abs(std::log(std::max(want, 1e-300L))) + 1 / ((alpha - 1) * t));
      worst_of_bound = std::max(worst_of_bound, std::max(0.0L, error - half_an_ulp<T>(want)) / bound);
    }
  });
  const std::string which = std::to_string(static_cast<int>(100 * alpha));
  testing::Test::RecordProperty("worst_ulp_" + which, std::to_string(worst));
  testing::Test::RecordProperty("worst_of_bound_" + which, std::to_string(worst_of_bound));
  EXPECT_LE(worst, 0.501);
  EXPECT_LE(worst_of_bound, 1);
  if (std::is_same_v<T, float>) {
    EXPECT_GT(worst, 0.4);
  } else {
    EXPECT_GT(worst_of_bound, 1e-5);
  }
}
TEST(Entmax, WithinTheBoundInF32) {
  for (const double alpha : {1.05, 1.25, 1.75, 2.5, 3.0, 4.0}) {
    SCOPED_TRACE(alpha);
    expect_entmax<float>(alpha);
  }
}
TEST(Entmax, WithinTheBoundInF64) {
  for (const double alpha : {1.05, 1.25, 1.75, 2.5, 3.0, 4.0}) {
    SCOPED_TRACE(alpha);
    expect_entmax<double>(alpha);
  }
}

/// The sum is 1 and the order is kept, for alphas so near 1 or so large that no reference is at hand.
TEST(Entmax, ExtremeAlphas) {
  for (const double alpha : {1 + 0x1p-52, 1 + 0x1p-40, 1 + 0x1p-20, 1.001, 8.0, 20.0, 32.0})
    for (const double spread : {1e-6, 1.0, 20.0}) {
      const std::vector<double> x = normal_numbers<double>(1000, spread, 3), y = entmax_of(alpha, x);
      double sum = 0;
      for (const double v : y) sum += v;
      // Far from alpha = 1, what is next to the threshold counts for much: t^(1/31).
      EXPECT_NEAR(sum, 1, alpha < 5 ? 1e-12 : 1e-5) << alpha << " " << spread;
      for (std::size_t i = 1; i < x.size(); ++i)
        EXPECT_LE((x[i] - x[i - 1]) * (y[i - 1] - y[i]), 0) << alpha << " " << spread << " " << i;
      for (const double tied : entmax_of(alpha, std::vector<double>(100, 3.0))) EXPECT_NEAR(tied, 0.01, 1e-15);
    }
}
TEST(Entmax, NearsSoftmaxAsAlphaNearsOne) {
  const std::vector<double> x = normal_numbers<double>(100, 2, 4), soft = entmax_of(1, x);
  for (const int k : {10, 20, 30, 40, 52}) {
    const double delta = std::ldexp(1.0, -k);
    const std::vector<double> y = entmax_of(1 + delta, x);
    // exp((log(1 + delta z))/delta) = exp(z - delta z^2 / 2 + ...), |z| < 20 here
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], soft[i], 400 * delta * soft[i] + 1e-13 * soft[i]);
  }
}
TEST(Entmax, AlphaOneIsSoftmax) {
  const std::vector<float> x = normal_numbers<float>(1000, 3, 5);
  std::vector<float> want(x.size());
  softmax(x.data(), want.data(), 1, x.size(), 1, current_target());
  EXPECT_EQ(entmax_of(1, x), want);
}
TEST(Entmax, MeetsTheOthersAtTheirAlphas) {
  const std::vector<double> x = normal_numbers<double>(300, 1, 6);
  for (const double alpha : {1.5, 2.0}) {
    const std::vector<double> y = entmax_of(alpha, x), beside = entmax_of(std::nextafter(alpha, 3.0), x);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], beside[i], 1e-13);
  }
}

TEST(Simplex, LongRows) {
  std::vector<float> x = normal_numbers<float>(10'000'000, 1, 8), y(x.size());
  for (const float factor : {1.0f, 1e-9f}) {  // few in the support, and all
    for (float& v : x) v *= factor;
    for (const double alpha : {1.5, 2.0}) {
      entmax(alpha, row_of(x), row_of(y), 0, current_target());
      EXPECT_NEAR(std::accumulate(y.begin(), y.end(), 0.0), 1, 1e-7);
      EXPECT_EQ(std::count(y.begin(), y.end(), 0.0f) > 0, factor == 1);
    }
  }
}

void expect_row(const std::vector<double>& got, const std::vector<double>& want) {
  for (std::size_t i = 0; i < want.size(); ++i)
    EXPECT_TRUE(std::isnan(want[i]) ? std::isnan(got[i]) : got[i] == want[i]) << got[i] << ", not " << want[i];
}
TEST(Simplex, SpecialRows) {
  for (const Target& target : supported_targets())
    for (const double alpha : {1.0, 1.25, 1.5, 2.0, 3.0}) {
      const auto row = [&](const std::vector<double>& x, const std::vector<double>& want) {
        expect_row(entmax_of(alpha, x, target), want);
        const std::vector<float> narrow = entmax_of(alpha, std::vector<float>(x.begin(), x.end()), target);
        expect_row({narrow.begin(), narrow.end()}, want);
      };
      row({5}, {1});
      row({-kInf, 3, -kInf}, {0, 1, 0});
      row({1, kInf, 2, -kInf}, {0, 1, 0, 0});
      row({kInf, 1, kInf}, {kNaN, kNaN, kNaN});
      row({-kInf, -kInf}, {kNaN, kNaN});
      row({-kInf}, {kNaN});
      row({1, kNaN, kInf}, {kNaN, kNaN, kNaN});
      for (const double tied : entmax_of(alpha, std::vector<double>(4, 7.0), target)) EXPECT_NEAR(tied, 0.25, 1e-15);
      row({-1e38, 1e38}, {0, 1});
      row({}, {});
    }
  expect_row(entmax_of<double>(2, {-1.7e308, 1.7e308}), {0, 1});
  expect_row(entmax_of<double>(1.5, {-1.7e308, 1.7e308}), {0, 1});
  expect_row(entmax_of<double>(2, {0.75, 0.25, -1, 0}), {0.75, 0.25, 0, 0});
  expect_row(entmax_of<double>(1.5, {0, 0, -2}), {0.5, 0.5, 0});
}
TEST(Hardmax, FirstOfTheLargest) {
  const auto row = [&](const std::vector<double>& x, const std::vector<double>& want) {
    for (const Target& target : supported_targets()) {
      TestArray from(Format::f64, {x.size()}), to(Format::f64, {x.size()});
      hardmax(from.set(x).view(), to.view(), 0, target);
      expect_row(to.numbers(), want);
    }
  };
  row({1, 3, 3, 2}, {0, 1, 0, 0});
  row({-0.0, 0.0}, {1, 0});
  row({-kInf, -kInf}, {1, 0});
  row({1, kInf, kInf}, {0, 1, 0});
  row({1, kNaN, 5}, {kNaN, kNaN, kNaN});
  row({kNaN}, {kNaN});
  row({-4}, {1});
  row({}, {});
}

TEST(Simplex, SameBitsOnEveryTargetArrangementAndNumberOfThreads) {
  for (const Format format : {Format::f32, Format::f64, Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2}) {
    const bool wide = format == Format::f32 || format == Format::f64;
    for (const double alpha : wide ? std::vector{1.0, 1.25, 1.5, 2.0, 3.0} : std::vector{1.5}) {
      SCOPED_TRACE(alpha);
      expect_same_everywhere(
          format, 1,
          [&](const std::vector<TestArray>& in, const actfun_array& y, int axis, const Target& target,
              unsigned threads) { entmax(alpha, in[0].view(), y, axis, target, threads); });
      expect_same_everywhere(
          format, 2,
          [&](const std::vector<TestArray>& in, const actfun_array& dx, int axis, const Target& target,
              unsigned threads) { entmax_backward(alpha, in[0].view(), in[1].view(), dx, axis, target, threads); });
    }
    expect_same_everywhere(format, 1,
                           [&](const std::vector<TestArray>& in, const actfun_array& y, int axis, const Target& target,
                               unsigned threads) { hardmax(in[0].view(), y, axis, target, threads); });
    expect_same_everywhere(
        format, 1,
        [&](const std::vector<TestArray>& in, const actfun_array& y, int axis, const Target& target, unsigned threads) {
          gumbel_softmax(0.5, 11, in[0].view(), &y, nullptr, axis, target, threads);
        });
    expect_same_everywhere(
        format, 1,
        [&](const std::vector<TestArray>& in, const actfun_array& y, int axis, const Target& target, unsigned threads) {
          gumbel_softmax(0.5, 11, in[0].view(), nullptr, &y, axis, target, threads);
        });
    expect_same_everywhere(format, 0,
                           [&](const std::vector<TestArray>&, const actfun_array& y, int, const Target& target,
                               unsigned threads) { gumbel_noise(11, y, target, threads); });
  }
}
TEST(Simplex, ResultsOfNarrowFormatsAreThoseOfF32Rounded) {
  const std::vector<double> x = normal_numbers<double>(40, 1, 9);
  for (const Format format : {Format::f16, Format::bf16, Format::f8e5m2}) {
    TestArray from(format, {40}), to(format, {40});
    entmax(1.5, from.set(x).view(), to.view(), 0, current_target());
    const std::vector<double> given = from.numbers();
    const std::vector<float> y = entmax_of(1.5, std::vector<float>(given.begin(), given.end()));
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(to.get(i), round_to(format, y[i]));
  }
}
TEST(Simplex, WhateverTheCallersRoundingMode) {
  const std::vector<double> x = normal_numbers<double>(100, 1, 10), want = entmax_of(1.5, x);
  std::fesetround(FE_UPWARD);
  const std::vector<double> got = entmax_of(1.5, x);
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(got, want);
}

template <class T>
std::vector<T> backward_of(double alpha, const std::vector<T>& y, const std::vector<T>& g) {
  std::vector<T> output = y, upstream = g, dx(y.size());
  entmax_backward(alpha, row_of(output), row_of(upstream), row_of(dx), 0, current_target());
  return dx;
}

template <class T>
void expect_gradients() {
  long double worst = 0;
  std::uint32_t seed = 50;
  for (const double alpha : {1.0, 1.25, 1.5, 1.9, 2.0, 2.5, 4.0, 9.0})
    for (const std::size_t n : kLengths)
      for (const double spread : {0.1, 1.0, 5.0}) {
        const std::vector<T> y = entmax_of(alpha, normal_numbers<T>(n, spread, ++seed)),
                             g = normal_numbers<T>(n, 1, ++seed), dx = backward_of(alpha, y, g);
        std::vector<long double> s(n);
        long double weights = 0, mean = 0, size = 0;
        for (std::size_t i = 0; i < n; ++i) {
          s[i] = y[i] > 0 ? std::pow(static_cast<long double>(y[i]), 2 - static_cast<long double>(alpha)) : 0;
          weights += s[i], mean += s[i] * g[i], size += s[i] * std::abs(g[i]);
        }
        if (alpha == 1) weights = 1;
        for (std::size_t i = 0; i < n; ++i) {
          const long double want = s[i] * (g[i] - mean / weights);
          if (std::abs(want) > std::numeric_limits<T>::max()) continue;
          const long double error = std::abs(dx[i] - want) - half_an_ulp<T>(want);
          const long double bound =
              0.002L * half_an_ulp<T>(want) + (static_cast<long double>(n) / 16 + 64) * 0x1p-53L * s[i] *
                                                  (std::abs(static_cast<long double>(g[i])) + size / weights);
          if (s[i] == 0) {
            EXPECT_EQ(dx[i], 0);
          } else {
            worst = std::max(worst, error / bound);
          }
        }
      }
  testing::Test::RecordProperty("worst", std::to_string(worst));
  EXPECT_LE(worst, 1);
  if (std::is_same_v<T, double>) {
    EXPECT_GT(worst, 0.001);
  }
}
TEST(EntmaxBackward, WithinTheBoundInF32) { expect_gradients<float>(); }
TEST(EntmaxBackward, WithinTheBoundInF64) { expect_gradients<double>(); }

TEST(EntmaxBackward, FollowsFiniteDifferences) {
  const std::vector<double> x = {0.3, -0.2, 0.9, 0.1, -3, 0.55}, g = normal_numbers<double>(x.size(), 1, 60);
  for (const double alpha : {1.0, 1.25, 1.5, 2.0, 3.0}) {
    const std::vector<double> dx = backward_of(alpha, entmax_of(alpha, x), g);
    const auto loss = [&](double a, std::vector<double> at, std::size_t i, double step) {
      at[i] += step;
      const std::vector<double> y = entmax_of(a, at);
      return std::inner_product(y.begin(), y.end(), g.begin(), 0.0);
    };
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_NEAR(dx[i], (loss(alpha, x, i, 1e-6) - loss(alpha, x, i, -1e-6)) / 2e-6, 1e-7) << alpha;
    if (alpha == 1) continue;
    const std::vector<double> y = entmax_of(alpha, x);
    for (const Target& target : supported_targets()) {
      TestArray output(Format::f64, {x.size()}), upstream(Format::f64, {x.size()});
      const double by_alpha = entmax_alpha_gradient(alpha, output.set(y).view(), upstream.set(g).view(), 0, target);
      EXPECT_NEAR(by_alpha, (loss(alpha + 1e-6, x, 0, 0) - loss(alpha - 1e-6, x, 0, 0)) / 2e-6, 1e-7) << alpha;
      EXPECT_EQ(by_alpha, entmax_alpha_gradient(alpha, output.view(), upstream.view(), 0, current_target()));
    }
  }
}
TEST(EntmaxBackward, SpecialRows) {
  for (const double alpha : {1.25, 1.5, 2.0, 3.0}) {
    expect_row(backward_of<double>(alpha, {1}, {3}), {0});
    expect_row(backward_of<double>(alpha, {0, 1, 0}, {kInf, 5, kNaN}), {0, 0, 0});
    expect_row(backward_of<double>(alpha, {0.5, 0, 0.5}, {1, 7, kNaN}), {kNaN, 0, kNaN});
    expect_row(backward_of<double>(alpha, {kNaN, kNaN}, {1, 2}), {kNaN, kNaN});
    expect_row(backward_of<double>(alpha, {}, {}), {});
  }
  expect_row(backward_of<double>(2, {0.5, 0.5, 0}, {1, 3, 9}), {-1, 1, 0});
}

TEST(Gumbel, NoiseIsTheFormulaOfItsBits) {
  constexpr std::size_t n = 100000;
  long double worst = 0, least = 0, most = 0;
  std::vector<double> noise(n);
  gumbel_noise(current_target().bit)(42, 0, 1, noise.data(), n);
  // The first two elements by hand: words 0 and 1, then 2 and 3, of block 0.
  for (std::size_t i = 0; i < n; ++i) {
    const auto words = philox(42, i / 2, 1);
    const std::uint64_t word = words[2 * (i % 2)] | std::uint64_t{words[2 * (i % 2) + 1]} << 32;
    const long double u = (static_cast<long double>(word >> 12) + 0.5L) * 0x1p-52L;
    const long double want = -std::log(-(u < 0.5 ? std::log(u) : std::log1p(u - 1)));
    worst = std::max(worst, std::abs(noise[i] - want) / std::max(1.0L, std::abs(want)));
    least = std::min(least, want), most = std::max(most, want);
  }
  testing::Test::RecordProperty("worst_log2", std::to_string(std::log2(worst)));
  EXPECT_LE(worst, 0x1p-50L);
  EXPECT_LT(least, -2);
  EXPECT_GT(most, 9);
}
TEST(Gumbel, HasItsMeanAndItsTails) {
  constexpr std::size_t n = 1 << 20;
  std::vector<double> noise(n);
  gumbel_noise(current_target().bit)(7, 0, 1, noise.data(), n);
  double sum = 0, squares = 0;
  std::size_t low = 0, high = 0;
  for (const double x : noise) sum += x, squares += x * x, low += x<-1, high += x> 5;
  const double mean = sum / n, variance = squares / n - mean * mean;
  EXPECT_NEAR(mean, 0.57721566, 5 * 1.2825 / 1024);          // Euler's constant
  EXPECT_NEAR(variance, 1.644934, 5 * 1.6449 * 2.1 / 1024);  // pi^2/6, kurtosis 5.4
  EXPECT_NEAR(static_cast<double>(low) / n, std::exp(-std::exp(1.0)), 5 * 0.25 / 1024);
  EXPECT_NEAR(static_cast<double>(high) / n, 1 - std::exp(-std::exp(-5.0)), 5 * 0.082 / 1024);
}
TEST(Gumbel, SoftmaxOfTheNoisyInputs) {
  for (const double tau : {0.1, 1.0, 7.0}) {
    const std::vector<double> x = normal_numbers<double>(6 * 50, 2, 70);
    TestArray from(Format::f64, {6, 50}), noise(Format::f64, {6, 50}), soft(Format::f64, {6, 50}),
        hard(Format::f64, {6, 50});
    from.set(x);
    gumbel_noise(99, noise.view(), current_target());
    gumbel_softmax(tau, 99, from.view(), &soft.view(), &hard.view(), 1, current_target());
    std::vector<double> noisy = x;
    for (std::size_t i = 0; i < x.size(); ++i) noisy[i] = (x[i] + noise.get(i)) / tau;
    TestArray want(Format::f64, {6, 50}), winner(Format::f64, {6, 50});
    TestArray sum(Format::f64, {6, 50});
    entmax(1, sum.set(noisy).view(), want.view(), 1, current_target());
    hardmax(sum.view(), winner.view(), 1, current_target());
    EXPECT_EQ(soft.codes(), want.codes());
    EXPECT_EQ(hard.codes(), winner.codes());

    TestArray g(Format::f64, {6, 50}), dx(Format::f64, {6, 50}), plain(Format::f64, {6, 50});
    g.set(normal_numbers<double>(x.size(), 1, 71));
    gumbel_softmax_backward(tau, soft.view(), g.view(), dx.view(), 1, current_target());
    entmax_backward(1, soft.view(), g.view(), plain.view(), 1, current_target());
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_NEAR(dx.get(i), plain.get(i) / tau, 4e-16 * std::abs(plain.get(i) / tau));
  }
}
TEST(Gumbel, ChoosesAsOftenAsSoftmaxSays) {
  constexpr std::size_t n = 20000;
  std::vector<double> x;
  for (std::size_t i = 0; i < n; ++i) x.insert(x.end(), {0.0, 1.0, -1.0});
  TestArray from(Format::f32, {n, 3}), hard(Format::f32, {n, 3});
  gumbel_softmax(1, 5, from.set(x).view(), nullptr, &hard.view(), 1, current_target());
  const std::vector<double> p = entmax_of<double>(1, {0, 1, -1});
  for (std::size_t c = 0; c < 3; ++c) {
    double share = 0;
    for (std::size_t i = 0; i < n; ++i) share += hard.get(3 * i + c) / n;
    EXPECT_NEAR(share, p[c], 5 * std::sqrt(p[c] * (1 - p[c]) / n));
  }
}

}  // namespace
}  // namespace actfun::tests
