// SPDX-License-Identifier: Apache-2.0
// Gradients of the axis functions and cross-entropy: against the formulas in long double, which carries 11 bits more
// than the kernels do, against finite differences in f64, and where they are known exactly.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "api/axis.h"
#include "tests/inputs.h"

namespace actfun::tests {
namespace {

const double kInf = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kLengths[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 100, 1000, 10007, 100000};

template <class T>
constexpr Format kFormat = std::is_same_v<T, double> ? Format::f64 : Format::f32;

template <class T>
std::vector<T> normal(std::size_t n, double spread, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> distribution(0, spread);
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(distribution(generator));
  return x;
}

/// Softmax of x in long double, from the differences to the largest: p_i and log p_i.
struct Reference {
  std::vector<long double> p, log_p;
  template <class T>
  explicit Reference(const std::vector<T>& x) : p(x.size()), log_p(x.size()) {
    const auto largest = static_cast<long double>(*std::max_element(x.begin(), x.end()));
    long double sum = 0;
    for (const T v : x) sum += std::exp(static_cast<long double>(v) - largest);
    for (std::size_t i = 0; i < x.size(); ++i) {
      log_p[i] = static_cast<long double>(x[i]) - largest - std::log(sum);
      p[i] = std::exp(static_cast<long double>(x[i]) - largest) / sum;
    }
  }
};

/// Half a unit in the last place of T at `want`.
template <class T>
long double half_unit(long double want) {
  int exponent = 0;
  std::frexp(std::abs(want), &exponent);
  const int digits = std::numeric_limits<T>::digits;
  return std::ldexp(0.5L, std::max(exponent - digits, std::numeric_limits<T>::min_exponent - digits));
}

/// How much of the bound that actfun.h states is used up by the result, if the half unit of its rounding is not
/// counted: 0.001 of a unit and (n/16 + 10) 2^-53 of the terms.
template <class T>
long double used(T got, long double want, std::size_t n, long double terms) {
  const long double error = std::abs(static_cast<long double>(got) - want) - half_unit<T>(want);
  const long double bound =
      0.002L * half_unit<T>(want) + (static_cast<long double>(n) / 16 + 10) * 0x1p-53L * std::abs(terms);
  return std::max(0.0L, error) / bound;
}

template <class T>
void expect_gradients() {
  long double worst = 0, worst_log = 0;
  std::uint32_t seed = 0;
  for (const std::size_t n : kLengths)
    for (const double spread : {0.01, 1.0, 5.0, 30.0}) {
      const std::vector<T> g = normal<T>(n, 1, ++seed);
      const Reference softmax_of(normal<T>(n, spread, ++seed));
      std::vector<T> y(n), log_y(n), dx(n), log_dx(n);
      for (std::size_t i = 0; i < n; ++i) {
        y[i] = static_cast<T>(softmax_of.p[i]);
        log_y[i] = static_cast<T>(softmax_of.log_p[i]);
      }
      softmax_backward(kFormat<T>, y.data(), g.data(), dx.data(), {1, n, 1}, current_target());
      log_softmax_backward(kFormat<T>, log_y.data(), g.data(), log_dx.data(), {1, n, 1}, current_target());
      long double mean = 0, magnitude = 0, sum = 0, sum_of_magnitudes = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const long double product = static_cast<long double>(g[i]) * y[i];
        mean += product, magnitude += std::abs(product);
        sum += static_cast<long double>(g[i]), sum_of_magnitudes += std::abs(static_cast<long double>(g[i]));
      }
      for (std::size_t i = 0; i < n; ++i) {
        const auto p = static_cast<long double>(y[i]), v = static_cast<long double>(g[i]);
        const long double e = std::exp(static_cast<long double>(log_y[i]));
        worst = std::max(worst, used(dx[i], p * (v - mean), n, p * (std::abs(v) + magnitude)));
        worst_log = std::max(worst_log, used(log_dx[i], v - e * sum, n, std::abs(v) + e * sum_of_magnitudes));
      }
    }
  ::testing::Test::RecordProperty("worst_softmax", std::to_string(worst));
  ::testing::Test::RecordProperty("worst_log_softmax", std::to_string(worst_log));
  EXPECT_LE(worst, 1);
  EXPECT_LE(worst_log, 1);
  if (std::is_same_v<T, double>) {
    EXPECT_GT(worst, 0) << "a reference that agrees too well is no reference";
  }
}
TEST(SoftmaxBackward, WithinTheBoundInF32) { expect_gradients<float>(); }
TEST(SoftmaxBackward, WithinTheBoundInF64) { expect_gradients<double>(); }

TEST(SoftmaxBackward, IsTheJacobianTimesTheGradient) {
  const std::size_t n = 23;
  const std::vector<double> g = normal<double>(n, 1, 7);
  const Reference reference(normal<double>(n, 2, 8));
  const std::vector<double> y(reference.p.begin(), reference.p.end());
  std::vector<double> jacobian(n * n), dx(n);
  softmax_jacobian(Format::f64, y.data(), jacobian.data(), n, current_target());
  softmax_backward(Format::f64, y.data(), g.data(), dx.data(), {1, n, 1}, current_target());
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0, row = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const double want = y[i] * ((i == j) - y[j]);
      EXPECT_NEAR(jacobian[i * n + j], want, 1e-15 * std::abs(want));
      EXPECT_EQ(jacobian[i * n + j], jacobian[j * n + i]);
      sum += jacobian[j * n + i] * g[j];
      row += jacobian[i * n + j];
    }
    EXPECT_NEAR(dx[i], sum, 1e-15);
    EXPECT_NEAR(row, 0, 1e-15);
  }
}

TEST(SoftmaxBackward, FollowsFiniteDifferences) {
  const std::size_t n = 9;
  const std::vector<double> g = normal<double>(n, 1, 9), x = normal<double>(n, 2, 10);
  const double h = 1e-5;
  for (const bool log : {false, true}) {
    const auto loss = [&](const std::vector<double>& at) {
      const Reference reference(at);
      long double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += g[i] * (log ? reference.log_p[i] : reference.p[i]);
      return sum;
    };
    const Reference reference(x);
    const std::vector<double> y(log ? reference.log_p.begin() : reference.p.begin(),
                                log ? reference.log_p.end() : reference.p.end());
    std::vector<double> dx(n);
    (log ? log_softmax_backward : softmax_backward)(Format::f64, y.data(), g.data(), dx.data(), {1, n, 1},
                                                    current_target(), 1);
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> up = x, down = x;
      up[i] += h, down[i] -= h;
      EXPECT_NEAR(dx[i], static_cast<double>((loss(up) - loss(down)) / (2 * h)), 1e-9);
    }
  }
}

TEST(SoftmaxBackward, ExactCases) {
  const auto softmax_of = [](std::vector<float> y, std::vector<float> g) {
    softmax_backward(Format::f32, y.data(), g.data(), y.data(), {1, y.size(), 1}, current_target());
    return y;
  };
  const auto log_softmax_of = [](std::vector<float> y, std::vector<float> g) {
    log_softmax_backward(Format::f32, y.data(), g.data(), g.data(), {1, y.size(), 1}, current_target());
    return g;
  };
  const auto inf = static_cast<float>(kInf);
  EXPECT_EQ(softmax_of({1}, {3}), (std::vector<float>{0}));
  EXPECT_EQ(softmax_of({0.5f, 0.25f, 0.25f}, {4, 0, 8}), (std::vector<float>{0, -1, 1}));
  EXPECT_EQ(softmax_of({0, 1, 0}, {4, 5, 8}), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(log_softmax_of({0}, {3}), (std::vector<float>{0}));
  EXPECT_EQ(log_softmax_of({-inf, 0, -inf}, {4, 5, 8}), (std::vector<float>{4, -12, 8}));
  for (const float y : softmax_of({0.5f, 0.5f}, {1, static_cast<float>(kNaN)})) EXPECT_TRUE(std::isnan(y));
  for (const float y : softmax_of({0.5f, static_cast<float>(kNaN)}, {1, 1})) EXPECT_TRUE(std::isnan(y));
  EXPECT_TRUE(softmax_of({}, {}).empty());
}

/// Row by row on the best target, then all at once: along an axis that is not the last, in place, on every target.
template <class Run>
void expect_same_everywhere(Format format, const Run& run) {
  const Shape shape{3, 37, 5};
  const std::size_t n = shape.rows() * shape.length, bytes = info_of(format).bytes;
  const std::vector<float> a = normal<float>(n, 1, 11), b = normal<float>(n, 2, 12);
  std::vector<unsigned char> x(n * bytes), y(n * bytes), want(n * bytes), got(n * bytes);
  convert(Format::f32, a.data(), format, x.data(), n, current_target().bit);
  convert(Format::f32, b.data(), format, y.data(), n, current_target().bit);
  for (std::size_t row = 0; row < shape.rows(); ++row) {
    std::vector<unsigned char> u(shape.length * bytes), v = u, w = u;
    const auto at = [&](std::size_t j) {
      return (row / shape.inner * shape.length * shape.inner + j * shape.inner + row % shape.inner) * bytes;
    };
    for (std::size_t j = 0; j < shape.length; ++j)
      std::memcpy(&u[j * bytes], &x[at(j)], bytes), std::memcpy(&v[j * bytes], &y[at(j)], bytes);
    run(u.data(), v.data(), w.data(), Shape{1, shape.length, 1}, supported_targets().front(), row);
    for (std::size_t j = 0; j < shape.length; ++j) std::memcpy(&want[at(j)], &w[j * bytes], bytes);
  }
  for (const Target& target : supported_targets()) {
    run(x.data(), y.data(), got.data(), shape, target, 0);
    EXPECT_EQ(got, want) << target.name << " " << info_of(format).name;
    got = x;
    run(got.data(), y.data(), got.data(), shape, target, 0);
    EXPECT_EQ(got, want) << target.name << " in the place of the first, " << info_of(format).name;
    got = y;
    run(x.data(), got.data(), got.data(), shape, target, 0);
    EXPECT_EQ(got, want) << target.name << " in the place of the second, " << info_of(format).name;
  }
}

TEST(AxisBackward, SameBitsOnEveryTargetInPlaceAndAlongAnyAxis) {
  std::vector<std::int32_t> labels(15);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(7 * i % 37);
  for (const Format format : {Format::f32, Format::f64, Format::f16, Format::bf16}) {
    expect_same_everywhere(format, [&](const void* y, const void* g, void* dx, Shape shape, const Target& target,
                                       std::size_t) { softmax_backward(format, y, g, dx, shape, target); });
    expect_same_everywhere(format, [&](const void* y, const void* g, void* dx, Shape shape, const Target& target,
                                       std::size_t) { log_softmax_backward(format, y, g, dx, shape, target); });
    expect_same_everywhere(
        format, [&](const void* x, const void*, void* dx, Shape shape, const Target& target, std::size_t first) {
          std::vector<double> loss(shape.rows());
          std::vector<std::int32_t> mine(labels.begin() + static_cast<std::ptrdiff_t>(first),
                                         labels.begin() + static_cast<std::ptrdiff_t>(first + shape.rows()));
          cross_entropy(format, Reduction::none, x, mine.data(), 0.75, loss.data(), dx, shape, target);
        });
    expect_same_everywhere(format,
                           [&](const void* x, const void* t, void* dx, Shape shape, const Target& target, std::size_t) {
                             std::vector<double> loss(shape.rows());
                             soft_cross_entropy(format, Reduction::none, x, t, 0.75, loss.data(), dx, shape, target);
                           });
  }
}

TEST(CrossEntropy, LossesHaveTheSameBitsOnEveryTarget) {
  const std::vector<float> x = normal<float>(64 * 100, 3, 13);
  std::vector<std::int32_t> labels(64);
  std::iota(labels.begin(), labels.end(), 0);
  for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
    std::vector<double> want(64), got(64);
    cross_entropy(Format::f32, reduction, x.data(), labels.data(), 1, want.data(), nullptr, {64, 100, 1},
                  supported_targets().front());
    for (const Target& target : supported_targets()) {
      cross_entropy(Format::f32, reduction, x.data(), labels.data(), 1, got.data(), nullptr, {64, 100, 1}, target);
      EXPECT_EQ(std::memcmp(got.data(), want.data(), sizeof(double) * want.size()), 0) << target.name;
    }
  }
}

template <class T>
void expect_cross_entropy(long double bound_of_gradient) {
  long double worst = 0, worst_gradient = 0;
  std::uint32_t seed = 100;
  for (const std::size_t n : kLengths)
    for (const double spread : {0.01, 1.0, 5.0, 30.0}) {
      const std::vector<T> x = normal<T>(n, spread, ++seed);
      const std::size_t largest = static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
      long double rest = 0;  // what the largest leaves
      for (std::size_t i = 0; i < n; ++i)
        if (i != largest) rest += std::exp(static_cast<long double>(x[i]) - x[largest]);
      for (const std::size_t label : {largest, n / 2}) {
        const auto number = static_cast<std::int32_t>(label);
        double loss = 0;
        std::vector<T> dx(n);
        cross_entropy(kFormat<T>, Reduction::sum, x.data(), &number, 0.75, &loss, dx.data(), {1, n, 1},
                      current_target());
        const long double want = std::log1p(rest) + (static_cast<long double>(x[largest]) - x[label]);
        if (want != 0) worst = std::max(worst, std::abs(loss - want) / want);
        for (std::size_t i = 0; i < n; ++i) {
          const long double e = std::exp(static_cast<long double>(x[i]) - x[largest]);
          const long double gradient = 0.75L *
                                       (i != label         ? e
                                        : label == largest ? -rest
                                                           : e - (1 + rest)) /
                                       (1 + rest);
          if (std::abs(gradient) < std::numeric_limits<T>::min()) continue;
          const long double error = std::abs(dx[i] - gradient);
          worst_gradient = std::max(worst_gradient, std::is_same_v<T, float> ? error / (2 * half_unit<T>(gradient))
                                                                             : error / std::abs(gradient));
        }
      }
    }
  ::testing::Test::RecordProperty("worst_loss_relative", std::to_string(static_cast<double>(std::log2(worst))));
  ::testing::Test::RecordProperty("worst_gradient", std::to_string(static_cast<double>(worst_gradient)));
  EXPECT_LE(worst, 0x1p-45L);
  EXPECT_LE(worst_gradient, bound_of_gradient);
  EXPECT_GT(worst_gradient, bound_of_gradient / 1e3L);
}
TEST(CrossEntropy, WithinHalfAnUlpAndAThousandthInF32) { expect_cross_entropy<float>(0.501L); }
TEST(CrossEntropy, WithinTheBoundInF64) { expect_cross_entropy<double>(0x1p-42L); }

TEST(CrossEntropy, FollowsFiniteDifferences) {
  const Shape shape{4, 6, 3};
  const std::vector<double> x = normal<double>(shape.rows() * shape.length, 2, 21);
  std::vector<double> weights = normal<double>(x.size(), 1, 22);
  std::vector<std::int32_t> labels(shape.rows());
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(5 * i % 6);
  for (const Reduction reduction : {Reduction::mean, Reduction::sum})
    for (const bool soft : {false, true}) {
      const auto loss = [&](const std::vector<double>& at, double* dx) {
        double y = 0;
        if (soft)
          soft_cross_entropy(Format::f64, reduction, at.data(), weights.data(), 1, &y, dx, shape, current_target());
        else
          cross_entropy(Format::f64, reduction, at.data(), labels.data(), 1, &y, dx, shape, current_target());
        return y;
      };
      std::vector<double> dx(x.size());
      loss(x, dx.data());
      const double h = 1e-5;
      for (std::size_t i = 0; i < x.size(); ++i) {
        std::vector<double> up = x, down = x;
        up[i] += h, down[i] -= h;
        EXPECT_NEAR(dx[i], (loss(up, nullptr) - loss(down, nullptr)) / (2 * h), 1e-8);
      }
    }
}

TEST(CrossEntropy, CertainAndRightKeepsItsDigits) {
  const float x[] = {40, 0};
  const std::int32_t label = 0;
  double loss = 0;
  float dx[2];
  cross_entropy(Format::f32, Reduction::mean, x, &label, 1, &loss, dx, {1, 2, 1}, current_target());
  const double e = std::exp(-40.0);
  EXPECT_NEAR(loss, e, 1e-15 * e);
  EXPECT_EQ(dx[0], static_cast<float>(-e));
  EXPECT_EQ(dx[1], static_cast<float>(e));
}

TEST(CrossEntropy, OneHotWeightsAreALabel) {
  const std::vector<float> x = normal<float>(40, 3, 23);
  std::vector<float> weights(40), dx(40), soft_dx(40);
  const std::vector<std::int32_t> labels = {1, 0, 9, 4};
  for (std::size_t row = 0; row < 4; ++row) weights[10 * row + static_cast<std::size_t>(labels[row])] = 1;
  double loss = 0, soft = 0;
  cross_entropy(Format::f32, Reduction::mean, x.data(), labels.data(), 1, &loss, dx.data(), {4, 10, 1},
                current_target());
  soft_cross_entropy(Format::f32, Reduction::mean, x.data(), weights.data(), 1, &soft, soft_dx.data(), {4, 10, 1},
                     current_target());
  EXPECT_NEAR(loss, soft, 1e-15);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_NEAR(dx[i], soft_dx[i], 1e-8);
}

void expect_row(const std::vector<double>& x, std::int32_t label, double want, const std::vector<double>& gradient) {
  for (const Target& target : supported_targets()) {
    double loss = 0, soft = 0;
    std::vector<double> dx(x.size()), soft_dx(x.size()), weights(x.size());
    weights[static_cast<std::size_t>(label)] = 1;
    cross_entropy(Format::f64, Reduction::sum, x.data(), &label, 1, &loss, dx.data(), {1, x.size(), 1}, target);
    soft_cross_entropy(Format::f64, Reduction::sum, x.data(), weights.data(), 1, &soft, soft_dx.data(),
                       {1, x.size(), 1}, target);
    for (const double got : {loss, soft})
      EXPECT_TRUE(std::isnan(want) ? std::isnan(got) : got == want) << got << " " << want;
    for (std::size_t i = 0; i < x.size(); ++i)
      for (const double got : {dx[i], soft_dx[i]})
        EXPECT_TRUE(std::isnan(gradient[i]) ? std::isnan(got) : got == gradient[i]) << got << " at " << i;
  }
}
TEST(CrossEntropy, RowsWithInfinitiesAndNaN) {
  expect_row({5}, 0, 0, {0});
  expect_row({1, kInf, 2}, 1, 0, {0, 0, 0});
  expect_row({1, kInf, 2}, 2, kInf, {0, 1, -1});
  expect_row({-kInf, 3, -kInf}, 1, 0, {0, 0, 0});
  expect_row({-kInf, 3, -kInf}, 0, kInf, {-1, 1, 0});
  expect_row({kInf, kInf}, 0, kNaN, {kNaN, kNaN});
  expect_row({-kInf, -kInf}, 0, kNaN, {kNaN, kNaN});
  expect_row({1, kNaN}, 0, kNaN, {kNaN, kNaN});
}

TEST(MaxoutBackward, ToTheWinnerAlone) {
  const std::size_t outer = 2, groups = 3, k = 4, inner = 5, winners = outer * groups * inner;
  const std::vector<float> x = normal<float>(winners * k, 1, 31), g = normal<float>(winners, 1, 32);
  std::vector<float> y(winners), dx(winners * k, 9);
  std::vector<std::int32_t> index(winners);
  maxout(x.data(), y.data(), index.data(), outer, groups, k, inner);
  maxout_backward(Format::f32, g.data(), index.data(), dx.data(), outer, groups, k, inner, current_target());
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t m = 0; m < groups * k; ++m)
      for (std::size_t i = 0; i < inner; ++i) {
        const std::size_t at = (o * groups + m / k) * inner + i;
        const bool won = static_cast<std::size_t>(index[at]) == m % k;
        EXPECT_EQ(dx[(o * groups * k + m) * inner + i], won ? g[at] : 0.0f);
      }
}

}  // namespace
}  // namespace actfun::tests
