// SPDX-License-Identifier: Apache-2.0
// Maxout over any axis, arrangement and format: against a loop over the definition.
#include "api/maxout.h"

#include <gtest/gtest.h>

#include "api/axis.h"
#include "tests/arrays.h"

namespace actfun::tests {
namespace {

/// Numbers with many ties, and NaN, infinities and zeros of both signs.
std::vector<double> numbers(std::size_t n) {
  std::vector<double> x = normal_numbers<double>(n, 2, 5);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = i % 3 == 0 ? x[i] : std::round(x[i]);
    if (i % 29 == 0) x[i] = kNaN;
    if (i % 31 == 0) x[i] = i % 2 == 0 ? kInf : -kInf;
  }
  return x;
}

struct Sharing {
  double usual = detail::worth_a_thread;
  Sharing() { detail::worth_a_thread = 0; }
  ~Sharing() { detail::worth_a_thread = usual; }
};

TEST(Maxout, IsTheDefinitionEverywhere) {
  const Sharing sharing;
  constexpr std::size_t k = 3;
  for (const Format format : {Format::f32, Format::f64, Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2})
    for (int axis = 0; axis < 3; ++axis)
      for (const auto& order : kArrangements) {
        TestArray::Shape all = {6, 12, 18}, few = all;
        if (axis == 2) all[0] = 60;  // more rows than groups, and fewer
        if (axis == 1) all[1] = few[1] = 1200;
        few = all;
        few[static_cast<std::size_t>(axis)] /= k;
        TestArray x(format, all, order, 1), plain(format, all);
        x.set(numbers(x.size())), plain.set(numbers(x.size()));
        const std::vector<double> values = plain.numbers();
        const Places groups(TestArray(format, few).view(), axis), members(plain.view(), axis);
        const RowsOf rows(plain.view(), axis);
        std::vector<double> want(plain.size() / k);
        std::vector<std::int32_t> winners(want.size());
        for (std::size_t row = 0; row < rows.count(); ++row)
          for (std::size_t g = 0; g < groups.length; ++g) {
            const std::size_t to = groups.first(row) + g * groups.inner;
            for (std::size_t j = 0; j < k; ++j) {
              const double v = values[members.first(row) + (g * k + j) * members.inner];
              if (j == 0 || (!std::isnan(want[to]) && (std::isnan(v) || v > want[to])))
                want[to] = v, winners[to] = static_cast<std::int32_t>(j);
            }
          }
        const std::vector<double> upstream = normal_numbers<double>(want.size(), 1, 6);
        for (const Target& target : supported_targets())
          for (const unsigned threads : {1u, 3u}) {
            TestArray y(format, few, {2, 0, 1}), g(format, few, {1, 0, 2}), dx(format, all, order);
            std::vector<std::int32_t> index(want.size(), -1);
            maxout(x.view(), k, y.view(), index.data(), axis, target, threads);
            EXPECT_EQ(index, winners);
            for (std::size_t i = 0; i < want.size(); ++i)
              EXPECT_TRUE(std::isnan(want[i]) ? std::isnan(y.get(i))
                                              : y.get(i) == want[i] && std::signbit(y.get(i)) == std::signbit(want[i]));
            maxout(x.view(), k, y.view(), nullptr, axis, target, threads);

            maxout_backward(g.set(upstream).view(), index.data(), k, dx.view(), axis, target, threads);
            for (std::size_t row = 0; row < rows.count(); ++row)
              for (std::size_t m = 0; m < members.length; ++m) {
                const std::size_t from = groups.first(row) + m / k * groups.inner;
                const bool won = static_cast<std::size_t>(winners[from]) == m % k;
                EXPECT_EQ(dx.get(members.first(row) + m * members.inner), won ? g.get(from) : 0);
              }
          }
      }
}

TEST(Maxout, OneGroupGroupsOfOneAndNothing) {
  std::vector<float> x = {1, 3, 3, 2}, y(1), same(4), none;
  std::int32_t index = -1;
  const Target& target = current_target();
  maxout(row_of(x), 4, row_of(y), &index, 0, target);
  EXPECT_EQ(y[0], 3);
  EXPECT_EQ(index, 1);
  maxout(row_of(x), 1, row_of(same), nullptr, 0, target);
  EXPECT_EQ(same, x);
  maxout(row_of(none), 2, row_of(none), nullptr, 0, target);
}

TEST(Maxout, RefusesWinnersOfOtherGroups) {
  std::vector<float> g = {1, 2}, dx(4, 9);
  for (const std::int32_t wrong : {-1, 2}) {
    const std::int32_t index[] = {0, wrong};
    EXPECT_THROW(maxout_backward(row_of(g), index, 2, row_of(dx), 0, current_target()), LabelError);
    EXPECT_EQ(dx, std::vector<float>(4, 9));
  }
}

}  // namespace
}  // namespace actfun::tests
