// SPDX-License-Identifier: Apache-2.0
// softmax, log_softmax and maxout against sums and exponentials in long double, which carries 11 bits more than the
// kernels do: enough to see 0.501 ULP.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/inputs.h"

namespace actfun::tests {
namespace {

const float kInf = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();
using Axis = void (*)(const float*, float*, std::size_t, std::size_t, std::size_t, const Target&, unsigned);

/// |got - want| in units in the last place of the float nearest to `want`.
long double ulps(float got, long double want) {
  if (std::abs(want) >= 0x1.ffffffp127L) return std::isinf(got) && (got < 0) == (want < 0) ? 0 : kInf;
  int exponent = 0;
  std::frexp(std::abs(want), &exponent);
  return std::abs(got - want) / std::ldexp(1.0L, std::max(exponent - 24, -149));
}

struct Reference {
  long double maximum, rest = 0;  // the sum of exp(x - maximum) but for one maximum
  explicit Reference(const std::vector<float>& x) : maximum(*std::max_element(x.begin(), x.end())) {
    bool skipped = false;
    for (const float v : x) {
      if (!skipped && v == maximum)
        skipped = true;
      else
        rest += std::exp(v - maximum);
    }
  }
  long double softmax(float x) const { return std::exp(x - maximum) / (1 + rest); }
  long double log_softmax(float x) const { return (x - maximum) - std::log1p(rest); }
};

TEST(Softmax, WithinHalfAnUlpAndAThousandth) {
  std::mt19937 generator(4);
  long double worst = 0, worst_log = 0;
  for (const std::size_t n : {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 100, 1000, 4096, 10007, 100000})
    for (const float spread : {0.01f, 1.0f, 5.0f, 30.0f, 200.0f}) {
      std::normal_distribution<float> normal(0, spread);
      for (std::size_t repeat = 0; repeat < 1 + 2000 / n; ++repeat) {
        std::vector<float> x(n), y(n), log_y(n);
        for (float& v : x) v = normal(generator);
        const Reference reference(x);
        softmax(x.data(), y.data(), 1, n, 1, current_target());
        log_softmax(x.data(), log_y.data(), 1, n, 1, current_target());
        for (std::size_t i = 0; i < n; ++i) {
          worst = std::max(worst, ulps(y[i], reference.softmax(x[i])));
          worst_log = std::max(worst_log, ulps(log_y[i], reference.log_softmax(x[i])));
        }
      }
    }
  RecordProperty("worst_ulp_softmax", std::to_string(worst));
  RecordProperty("worst_ulp_log_softmax", std::to_string(worst_log));
  EXPECT_LE(worst, 0.501L);
  EXPECT_LE(worst_log, 0.501L);
  EXPECT_GE(worst, 0.49L) << "a reference that agrees too well is no reference";
}

TEST(Softmax, AdversarialRows) {
  for (const std::vector<float>& x :
       {std::vector<float>{0, -104, -103.9f, -103, -87.4f, -90}, std::vector<float>{3e38f, -3e38f, 3e38f},
        std::vector<float>{1e-45f, 0, -1e-45f}, std::vector<float>{50, 0, 1, 2, 3}, std::vector<float>(1000, -7.25f)}) {
    std::vector<float> y(x.size()), log_y(x.size());
    const Reference reference(x);
    softmax(x.data(), y.data(), 1, x.size(), 1, current_target());
    log_softmax(x.data(), log_y.data(), 1, x.size(), 1, current_target());
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_LE(ulps(y[i], reference.softmax(x[i])), 0.501L) << x[i];
      EXPECT_LE(ulps(log_y[i], reference.log_softmax(x[i])), 0.501L) << x[i];
    }
  }
}

TEST(Softmax, SameBitsOnEveryTargetInPlaceAndAlongAnyAxis) {
  const std::vector<float> normal = random_inputs(3 * 5 * 7 * 16, 5);
  std::vector<float> x;
  for (const float v : normal)
    if (std::abs(v) < 120) x.push_back(v);
  const std::size_t outer = 3, length = 37, inner = x.size() / (outer * length);
  x.resize(outer * length * inner);
  for (const Axis function : {Axis(softmax), Axis(log_softmax)}) {
    std::vector<float> want(x.size()), got(x.size());
    for (std::size_t o = 0; o < outer; ++o)  // row by row, on the best target
      for (std::size_t i = 0; i < inner; ++i) {
        std::vector<float> row(length);
        for (std::size_t j = 0; j < length; ++j) row[j] = x[(o * length + j) * inner + i];
        function(row.data(), row.data(), 1, length, 1, supported_targets().front(), 1);
        for (std::size_t j = 0; j < length; ++j) want[(o * length + j) * inner + i] = row[j];
      }
    for (const Target& target : supported_targets()) {
      function(x.data(), got.data(), outer, length, inner, target, 1);
      EXPECT_EQ(std::memcmp(got.data(), want.data(), got.size() * sizeof(float)), 0) << target.name;
      got = x;
      function(got.data(), got.data(), outer, length, inner, target, 1);
      EXPECT_EQ(std::memcmp(got.data(), want.data(), got.size() * sizeof(float)), 0) << target.name << " in place";
    }
  }
}

void expect_row(Axis function, const std::vector<float>& x, const std::vector<float>& want) {
  for (const Target& target : supported_targets()) {
    std::vector<float> y(x.size());
    function(x.data(), y.data(), 1, x.size(), 1, target, 1);
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_TRUE(same(y[i], want[i])) << target.name << " " << i << ": " << y[i];
  }
}

TEST(Softmax, RowsWithInfinitiesAndNaN) {
  expect_row(softmax, {1, kInf, 2}, {0, 1, 0});
  expect_row(log_softmax, {1, kInf, 2}, {-kInf, 0, -kInf});
  expect_row(softmax, {kInf}, {1});
  expect_row(softmax, {kInf, kInf, 0}, {kNaN, kNaN, kNaN});
  expect_row(log_softmax, {kInf, kInf, 0}, {kNaN, kNaN, kNaN});
  expect_row(softmax, {-kInf, -kInf}, {kNaN, kNaN});
  expect_row(softmax, {-kInf, 3, -kInf}, {0, 1, 0});
  expect_row(log_softmax, {-kInf, 3, -kInf}, {-kInf, 0, -kInf});
  expect_row(softmax, {1, kNaN, 2}, {kNaN, kNaN, kNaN});
  expect_row(softmax, {kInf, kNaN}, {kNaN, kNaN});
  std::vector<float> long_row(1000, 0.0f);
  long_row[999] = kNaN;
  expect_row(softmax, long_row, std::vector<float>(1000, kNaN));
  expect_row(softmax, {}, {});
}

TEST(Maxout, LargestOfEachGroupTheFirstOnATie) {
  const std::vector<float> x = {1, 3, 3, 2, -1, -5, 0.0f, -0.0f, 0.0f, -kInf, -kInf, -kInf};
  std::vector<float> y(4);
  std::vector<std::int32_t> index(4);
  maxout(x.data(), y.data(), index.data(), 1, 4, 3, 1);
  EXPECT_EQ(y, (std::vector<float>{3, 2, 0, -kInf}));
  EXPECT_EQ(index, (std::vector<std::int32_t>{1, 0, 0, 0}));
}

TEST(Maxout, NaNWinsTheFirstOfThem) {
  const std::vector<float> x = {1, kNaN, kInf, kNaN};
  float y = 0;
  std::int32_t index = -1;
  maxout(x.data(), &y, &index, 1, 1, 4, 1);
  EXPECT_TRUE(std::isnan(y));
  EXPECT_EQ(index, 1);
}

TEST(Maxout, AlongAnAxisThatIsNotTheLast) {
  const std::size_t outer = 2, groups = 3, k = 4, inner = 5;
  const std::vector<float> x = random_inputs(outer * groups * k * inner, 6);
  std::vector<float> y(outer * groups * inner);
  std::vector<std::int32_t> index(y.size());
  maxout(x.data(), y.data(), index.data(), outer, groups, k, inner);
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t g = 0; g < groups; ++g)
      for (std::size_t i = 0; i < inner; ++i) {
        const auto member = [&](std::size_t j) { return x[((o * groups + g) * k + j) * inner + i]; };
        const std::size_t at = (o * groups + g) * inner + i, winner = static_cast<std::size_t>(index[at]);
        ASSERT_TRUE(same(y[at], member(winner)));
        for (std::size_t j = 0; j < k; ++j) {
          if (std::isnan(member(j)) || std::isnan(y[at])) continue;
          ASSERT_TRUE(j < winner ? member(j) < y[at] : member(j) <= y[at]);
        }
      }
}

}  // namespace
}  // namespace actfun::tests
