// SPDX-License-Identifier: Apache-2.0
// Cross-entropy with all its options: against the formulas in long double, which carries 11 bits more than the kernels
// do, against finite differences, and where it is known exactly. tests/axis_backward_test.cc has the plain one.
#include "api/loss.h"

#include <gtest/gtest.h>

#include "tests/arrays.h"

namespace actfun::tests {
namespace {

struct Options {
  double smoothing = 0, z = 0;
  bool weighted = false;
};
constexpr Options kOptions[] = {{0, 0, false}, {0.1, 0, false},    {1e-6, 0, false}, {1, 0, false},  {0, 1e-4, false},
                                {0, 0, true},  {0.1, 1e-4, false}, {0.1, 0, true},   {0, 0.5, true}, {0.3, 0.01, true}};

std::vector<double> weights_for(std::size_t classes) {
  std::vector<double> weights(classes);
  for (std::size_t i = 0; i < classes; ++i) weights[i] = 0.25 * static_cast<double>(i * 7 % 11);  // 0 among them
  return weights;
}

/// A row's loss and gradient from its c, with p_label - 1 as -(the others' share).
struct Reference {
  long double loss = 0, maximum, rest = 0, size_of_lse = 0;
  std::vector<long double> dx, terms;

  template <class T>
  Reference(const std::vector<T>& x, const std::vector<long double>& c, long double z, long double scale,
            const long double* label_share = nullptr, std::size_t label = 0)
      : maximum(*std::max_element(x.begin(), x.end())), dx(x.size()), terms(x.size()) {
    const auto largest = static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
    for (std::size_t i = 0; i < x.size(); ++i)
      if (i != largest) rest += std::exp(x[i] - maximum);
    long double total = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      total += c[i];
      if (c[i] != 0) loss += c[i] * (std::log1p(rest) + (maximum - x[i]));
    }
    const long double lse = maximum + std::log1p(rest);
    loss += z * lse * lse;
    size_of_lse = z * std::max(1.0L, std::abs(static_cast<long double>(maximum))) * (std::abs(lse) + 1);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double e = std::exp(x[i] - maximum), p = e / (1 + rest),
                        own = label_share && i == label ? *label_share : 0;
      const long double from_one = i == largest ? -rest / (1 + rest) : p - 1;
      dx[i] = scale * (own * from_one + p * (total - own + 2 * z * lse) - (c[i] - own));
      terms[i] = std::abs(scale) * (p * (total + 2 * z * std::abs(lse)) + c[i]);
    }
  }
};

template <class T>
void expect_losses(bool soft) {
  long double worst_loss = 0, worst_gradient = 0;
  std::uint32_t seed = 0;
  for (const Options& options : kOptions)
    for (const std::size_t n : {1, 2, 3, 8, 17, 100, 1000, 10007})
      for (const double spread : {0.01, 1.0, 5.0, 30.0}) {
        std::vector<T> x = normal_numbers<T>(n, spread, ++seed), t(n), dx(n);
        for (T& each : t)
          each = static_cast<T>(std::abs(normal_numbers<double>(1, 1, ++seed)[0]) / static_cast<double>(n));
        const std::vector<double> weights = weights_for(n);
        const auto largest = static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
        for (const std::size_t label : {largest, n / 2}) {
          const auto number = static_cast<std::int32_t>(label);
          const LossOptions call{.smoothing = options.smoothing,
                                 .z = options.z,
                                 .weights = options.weighted ? weights.data() : nullptr,
                                 .reduction = Reduction::sum,
                                 .scale = 0.75};
          std::vector<long double> c(n);
          for (std::size_t i = 0; i < n; ++i)
            c[i] = (options.weighted ? weights[i] : 1) *
                   ((1 - static_cast<long double>(options.smoothing)) * (soft ? t[i] : i == label) +
                    static_cast<long double>(options.smoothing) / static_cast<long double>(n));
          const long double own =
              (options.weighted ? weights[label] : 1) * (1 - static_cast<long double>(options.smoothing));
          const Reference want(x, c, options.z, 0.75L, soft ? nullptr : &own, label);
          double loss = 0;
          const actfun_array gradient = row_of(dx);
          if (soft)
            cross_entropy(call, row_of(x), row_of(t), 0, &loss, &gradient, current_target());
          else
            cross_entropy(call, row_of(x), &number, 0, &loss, &gradient, current_target());
          const long double bound = 0x1p-45L * (want.loss + 2 * want.size_of_lse);
          if (bound > 0) {
            worst_loss = std::max(worst_loss, std::abs(loss - want.loss) / bound);
          } else {
            EXPECT_EQ(loss, 0);
          }
          for (std::size_t i = 0; i < n; ++i) {
            if (std::abs(want.dx[i]) < std::numeric_limits<T>::min() && want.dx[i] != 0) continue;
            const long double error = std::abs(dx[i] - want.dx[i]);
            const bool plain = !soft && options.smoothing == 0 && options.z == 0;
            const long double allowed =
                half_an_ulp<T>(want.dx[i]) + 0x1p-42L * (plain ? std::abs(want.dx[i]) : want.terms[i]);
            if (allowed > 0) worst_gradient = std::max(worst_gradient, error / allowed);
          }
        }
      }
  testing::Test::RecordProperty("worst_loss", std::to_string(worst_loss));
  testing::Test::RecordProperty("worst_gradient", std::to_string(worst_gradient));
  EXPECT_LE(worst_loss, 1);
  EXPECT_GT(worst_loss, 1e-4);
  EXPECT_LE(worst_gradient, 1);
  EXPECT_GT(worst_gradient, 1e-4);
}
TEST(LabelLoss, WithinTheBoundInF32) { expect_losses<float>(false); }
TEST(LabelLoss, WithinTheBoundInF64) { expect_losses<double>(false); }
TEST(TargetLoss, WithinTheBoundInF32) { expect_losses<float>(true); }
TEST(TargetLoss, WithinTheBoundInF64) { expect_losses<double>(true); }

TEST(Loss, FollowsFiniteDifferencesAndReduces) {
  const std::size_t rows = 6, classes = 5;
  const std::vector<double> logits = normal_numbers<double>(rows * classes, 2, 80), weights = weights_for(classes);
  std::vector<double> targets = normal_numbers<double>(rows * classes, 1, 81);
  const std::vector<std::int32_t> labels = {1, -100, 3, 0, 2, 4};
  for (const Options& each : kOptions)
    for (const Reduction reduction : {Reduction::mean, Reduction::sum})
      for (const bool soft : {false, true}) {
        LossOptions options{.smoothing = each.smoothing,
                            .z = each.z,
                            .weights = each.weighted ? weights.data() : nullptr,
                            .ignored = -100,
                            .reduction = reduction};
        const auto run = [&](const LossOptions& with, std::vector<double> at, double* loss, std::vector<double>* dx) {
          const auto two = [&](std::vector<double>& numbers) {
            return actfun_array{numbers.data(), ACTFUN_F64, 2, {rows, classes}, {classes, 1}};
          };
          const actfun_array gradient = dx ? two(*dx) : actfun_array{};
          if (soft)
            cross_entropy(with, two(at), two(targets), 1, loss, dx ? &gradient : nullptr, current_target());
          else
            cross_entropy(with, two(at), labels.data(), 1, loss, dx ? &gradient : nullptr, current_target());
        };
        const auto loss = [&](std::size_t i, double step) {
          std::vector<double> at = logits;
          at[i] += step;
          double y = 0;
          run(options, at, &y, nullptr);
          return y;
        };
        std::vector<double> dx(logits.size()), each_row(rows);
        double whole = 0;
        run(options, logits, &whole, &dx);
        for (std::size_t i = 0; i < dx.size(); ++i) {
          EXPECT_NEAR(dx[i], (loss(i, 1e-5) - loss(i, -1e-5)) / 2e-5, 1e-7 * (1 + std::abs(dx[i])));
          if (!soft && i / classes == 1) {
            EXPECT_EQ(dx[i], 0);
          }
        }
        options.reduction = Reduction::none;
        run(options, logits, each_row.data(), nullptr);
        double sum = 0, divisor = 0;
        for (std::size_t row = 0; row < rows; ++row) {
          sum += each_row[row];
          if (soft)
            divisor += 1;
          else if (labels[row] >= 0)
            divisor += each.weighted ? weights[static_cast<std::size_t>(labels[row])] : 1;
        }
        EXPECT_EQ(whole, reduction == Reduction::mean ? sum / divisor : sum);
      }
}

TEST(Loss, CertainAndRightKeepsItsDigitsWhateverTheWeight) {
  std::vector<float> x = {60, 0}, dx(2);
  const std::vector<double> weights = {3, 5};
  const std::int32_t label = 0;
  double loss = 0;
  const actfun_array gradient = row_of(dx);
  cross_entropy({.weights = weights.data(), .reduction = Reduction::sum}, row_of(x), &label, 0, &loss, &gradient,
                current_target());
  const double e = std::exp(-60.0);
  EXPECT_NEAR(loss, 3 * e, 1e-14 * e);
  EXPECT_EQ(dx, (std::vector<float>{static_cast<float>(-3 * e), static_cast<float>(3 * e)}));
}

void expect_row(const LossOptions& options, std::vector<double> x, std::int32_t label, double want,
                const std::vector<double>& gradient) {
  for (const Target& target : supported_targets()) {
    double loss = 0, soft_loss = 0;
    std::vector<double> dx(x.size()), soft_dx(x.size()), t(x.size());
    t[static_cast<std::size_t>(label)] = 1;
    const actfun_array to = row_of(dx), soft_to = row_of(soft_dx);
    cross_entropy(options, row_of(x), &label, 0, &loss, &to, target);
    cross_entropy(options, row_of(x), row_of(t), 0, &soft_loss, &soft_to, target);
    for (const double got : {loss, soft_loss})
      EXPECT_TRUE(std::isnan(want) ? std::isnan(got) : got == want) << got << ", not " << want;
    for (std::size_t i = 0; i < x.size(); ++i)
      for (const double got : {dx[i], soft_dx[i]})
        EXPECT_TRUE(std::isnan(gradient[i]) ? std::isnan(got) : got == gradient[i]) << got << ", not " << gradient[i];
  }
}
TEST(Loss, RowsWithInfinitiesAndNaN) {
  const LossOptions smooth{.smoothing = 0.5}, squared{.z = 0.25};
  expect_row(smooth, {5}, 0, 0, {0});
  expect_row(smooth, {1, kInf}, 1, kInf, {-0.25, 0.25});
  expect_row(smooth, {-kInf, 3}, 1, kInf, {-0.25, 0.25});
  expect_row(smooth, {kInf, kInf}, 0, kNaN, {kNaN, kNaN});
  expect_row(smooth, {-kInf, -kInf}, 0, kNaN, {kNaN, kNaN});
  expect_row(squared, {2}, 0, 1, {1});
  expect_row(squared, {1, kInf}, 1, kInf, {0, kInf});
  expect_row(squared, {2, -kInf}, 0, 1, {1, 0});
  expect_row(squared, {2, kNaN}, 0, kNaN, {kNaN, kNaN});
  const std::vector<double> first_counts = {1, 0};
  expect_row({.smoothing = 0.5, .weights = first_counts.data()}, {3, -kInf}, 0, 0, {0, 0});
}
TEST(Loss, IgnoredRowsAreNotLookedAt) {
  std::vector<double> x = {kNaN, 1, 3, 3}, dx(4, 7);
  const std::vector<std::int32_t> labels = {9, 0}, none = {9, 9};
  const actfun_array logits{x.data(), ACTFUN_F64, 2, {2, 2}, {2, 1}},
      gradient{dx.data(), ACTFUN_F64, 2, {2, 2}, {2, 1}};
  double loss = 0;
  cross_entropy({.ignored = 9}, logits, labels.data(), 1, &loss, &gradient, current_target());
  EXPECT_NEAR(loss, std::log(2.0), 1e-15);
  EXPECT_EQ(dx, (std::vector<double>{0, 0, -0.5, 0.5}));
  cross_entropy({.ignored = 9}, logits, none.data(), 1, &loss, &gradient, current_target());
  EXPECT_TRUE(std::isnan(loss));
  EXPECT_EQ(dx, (std::vector<double>{0, 0, 0, 0}));
  cross_entropy({.ignored = 9, .reduction = Reduction::sum}, logits, none.data(), 1, &loss, nullptr, current_target());
  EXPECT_EQ(loss, 0);
  EXPECT_THROW(cross_entropy({}, logits, labels.data(), 1, &loss, &gradient, current_target()), LabelError);
}
TEST(Loss, OfNoRows) {
  double loss = 7;
  const actfun_array none{nullptr, ACTFUN_F32, 2, {0, 3}, {3, 1}};
  cross_entropy({}, none, nullptr, 1, &loss, &none, current_target());
  EXPECT_TRUE(std::isnan(loss));
  cross_entropy({.reduction = Reduction::sum}, none, none, 1, &loss, &none, current_target());
  EXPECT_EQ(loss, 0);
}

TEST(Loss, SameBitsOnEveryTargetArrangementAndNumberOfThreads) {
  std::vector<std::int32_t> labels(37 * 18 * 3);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 3) - (i % 11 == 0 ? 1 : 0);
  const std::vector<double> weights = weights_for(37);
  for (const Format format : {Format::f32, Format::f64, Format::bf16})
    for (const bool plain : {true, false}) {
      const LossOptions options{.smoothing = plain ? 0 : 0.1,
                                .z = plain ? 0 : 1e-4,
                                .weights = plain ? nullptr : weights.data(),
                                .ignored = -1,
                                .reduction = Reduction::mean,
                                .scale = 0.75};
      std::vector<double> losses;
      expect_same_everywhere(format, 1,
                             [&](const std::vector<TestArray>& in, const actfun_array& dx, int axis,
                                 const Target& target, unsigned threads) {
                               double loss = 0;
                               cross_entropy(options, in[0].view(), labels.data(), axis, &loss, &dx, target, threads);
                               losses.push_back(loss);
                             });
      expect_same_everywhere(format, 2,
                             [&](const std::vector<TestArray>& in, const actfun_array& dx, int axis,
                                 const Target& target, unsigned threads) {
                               double loss = 0;
                               cross_entropy(options, in[0].view(), in[1].view(), axis, &loss, &dx, target, threads);
                               losses.push_back(loss);
                             });
      std::sort(losses.begin(), losses.end());
      EXPECT_EQ(std::unique(losses.begin(), losses.end()) - losses.begin(), 6) << "one loss for each axis and kind";
    }
}

}  // namespace
}  // namespace actfun::tests
