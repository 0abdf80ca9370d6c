// SPDX-License-Identifier: Apache-2.0
// The health check's C and C++ interface.
#include <gtest/gtest.h>

#include <actfun/health.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace {

std::vector<float> normal(std::size_t n) {
  std::mt19937 generator(1);
  std::normal_distribution<float> distribution(0, 2);
  std::vector<float> x(n);
  for (float& value : x) value = distribution(generator);
  return x;
}

TEST(Health, MergesBatches) {
  std::vector<float> x = normal(64 * 100);
  x[5] = NAN;
  x[64 * 40 + 1] = INFINITY;
  actfun::Health a(actfun::gelu, 64), b(actfun::gelu, 64), whole(actfun::gelu, 64);
  a.add(std::span<const float>(x).first(64 * 30));
  b.add(std::span<const float>(x).subspan(64 * 30));
  b.merge(a);
  whole.add(x, actfun::Shape{100, 64, 1});
  const actfun::HealthSummary s = b.all(), w = whole.all();
  EXPECT_EQ(s.elements, x.size());
  EXPECT_EQ(s.nan, 1u);
  EXPECT_EQ(s.plus_inf, 1u);
  EXPECT_EQ(whole.channel(1).plus_inf, 1u);
  EXPECT_EQ(s.saturated, w.saturated);
  EXPECT_NEAR(s.gain, w.gain, 1e-7) << "sums in another order";
  EXPECT_NEAR(s.spread, 2, 0.1);
  double squares = 0;
  for (const float value : x)
    if (std::isfinite(value)) squares += std::pow(static_cast<double>(actfun::gelu.slope(value)), 2);
  EXPECT_NEAR(s.gain, squares / static_cast<double>(x.size() - 2), w.gain_error + 1e-6);
  EXPECT_GT(w.gain_error, 0);
  actfun::Health parts(actfun::gelu, 64, {.exact = true}), once(actfun::gelu, 64, {.exact = true});
  for (std::size_t row = 100; row-- > 0;) parts.add(std::span<const float>(x).subspan(64 * row, 64));
  once.add(x);
  EXPECT_EQ(parts.all().gain, once.all().gain) << "sums without rounding";
  EXPECT_EQ(parts.all().f_spread, once.all().f_spread);
  EXPECT_EQ(once.all().gain_error, 0);
}

TEST(Health, FindsDeadUnits) {
  actfun::Health check(actfun::function("relu"), 3);
  check.add(std::vector<float>{-1, 2, -3, -4, -5, -6});
  EXPECT_EQ(check.all().dead, 2u);
  EXPECT_EQ(check.channel(1).dead, 0u);
  check.add(std::vector<float>{1, -1, -1});
  EXPECT_EQ(check.all().dead, 1u);
  EXPECT_EQ(check.channel(2).inactive, 3u);

  actfun::Health activations(2);
  activations.add(std::vector<float>{0, 1, 0, -1});
  EXPECT_EQ(activations.all().dead, 1u);
  EXPECT_EQ(activations.channel(0).dead, 1u);
  EXPECT_TRUE(std::isnan(activations.all().gain));

  actfun::Health images(actfun::relu, 2);  // channels first: one image of 2 x 3 pixels
  images.add(std::vector<float>{-1, -1, -1, 1, 1, 1}, actfun::Shape{1, 2, 3});
  EXPECT_EQ(images.channel(0).dead, 1u);
  EXPECT_EQ(images.channel(1).mean, 1);

  actfun::Health half(actfun::relu, 1, {.format = ACTFUN_BF16});
  half.add(std::vector<actfun::bfloat16>{actfun::bfloat16(-1.0f), actfun::bfloat16(0x1p-130f)});
  EXPECT_EQ(half.all().subnormal, 1u);
}

TEST(Health, RefusesBadArguments) {
  using actfun::Error;
  EXPECT_THROW(actfun::Health(actfun::gelu, 0), Error);
  EXPECT_THROW(actfun::Health(actfun::gelu, 4, {.tolerance = 0}), Error);
  EXPECT_THROW(actfun::Health(actfun::gelu, 4, {.tolerance = NAN}), Error);
  actfun::Health check(actfun::gelu, 64);
  EXPECT_THROW(check.channel(64), Error);
  EXPECT_THROW(check.merge(actfun::Health(actfun::relu, 64)), Error);
  EXPECT_THROW(check.merge(actfun::Health(actfun::gelu, 63)), Error);
  EXPECT_THROW(check.add(std::vector<double>(64)), Error);
  EXPECT_THROW(check.add(std::vector<float>(63)), Error);
  EXPECT_THROW(check.add(std::vector<float>(63), actfun::Shape{1, 63, 1}), Error);
  const float x[1] = {};
  EXPECT_EQ(actfun_health_add(nullptr, x, 1, 1, 1), ACTFUN_NULL_POINTER);
  actfun_health* made = nullptr;
  EXPECT_EQ(actfun_health_new(nullptr, ACTFUN_F32, 1, 0.01, 0, nullptr), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_health_new(nullptr, static_cast<actfun_format>(77), 1, 0.01, 0, &made), ACTFUN_BAD_FORMAT);
  actfun_function softmax{};
  EXPECT_EQ(actfun_find("softmax", &softmax, nullptr, 0), ACTFUN_OK);
  EXPECT_EQ(actfun_health_new(&softmax, ACTFUN_F32, 1, 0.01, 0, &made), ACTFUN_BAD_FUNCTION);
  EXPECT_EQ(made, nullptr);
  EXPECT_EQ(actfun_health_new(nullptr, ACTFUN_F32, 2, 0.01, 0, &made), ACTFUN_OK);
  EXPECT_EQ(actfun_health_add(made, nullptr, 1, 2, 1), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_health_add(made, x, SIZE_MAX, 2, 2), ACTFUN_BAD_SHAPE);
  actfun_health_free(made);
  actfun_health_free(nullptr);
}

}  // namespace
