// SPDX-License-Identifier: Apache-2.0
// What the health check counts: against counting one by one with the kernels, on every instruction set, in every order.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <thread>

#include "core/code.h"
#include "health/layer.h"
#include "health/verdict.h"
#include "tests/inputs.h"

namespace actfun::health {
namespace {

using tests::supported_targets;

std::vector<float> normal(std::size_t n, float spread, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution(0, spread);
  std::vector<float> x(n);
  for (float& value : x) value = distribution(generator);
  return x;
}

Call preset(std::string_view text) { return parse_function(text); }

/// What one pass counts, by the simplest program.
struct Naive {
  std::uint64_t elements = 0, counts[kCounts] = {}, bins[kBins] = {};
  double largest = 0;
  long double x = 0, xx = 0, f = 0, ff = 0, gg = 0;
  std::uint64_t finite = 0, kept = 0;
};
template <Format format>
void count_narrow(float value, Count overflow, Count subnormal_count, Count underflow, Naive& to) {
  using C = Code<format>;
  const std::uint32_t code = C::of(value) & (C::kSign - 1);
  to.counts[overflow] += code == C::kSpecial;
  to.counts[underflow] += code == 0 && value != 0;
  to.counts[subnormal_count] += code != 0 && std::fabs(value) < std::ldexp(1.0f, C::kInfo.least_exponent);
}
void count_one(const Plan& plan, float value, Naive& to) {
  float y = 0, dy = 0;
  if (plan.call) plan.call->evaluate_value_and_slope(&value, &y, &dy, 1, current_target());
  ++to.elements;
  to.counts[zero] += value == 0;
  to.counts[nan] += std::isnan(value);
  to.counts[plus_inf] += std::isinf(value) && value > 0;
  to.counts[minus_inf] += std::isinf(value) && value < 0;
  to.counts[saturated] += plan.call && std::fabs(dy) < plan.tolerance;
  to.counts[inactive] += plan.call ? y == 0 && dy == 0 : value == 0;
  if (!std::isfinite(value)) return;
  ++to.finite;
  to.counts[subnormal] += value != 0 && std::fabs(value) < plan.least_normal();
  count_narrow<Format::f16>(value, f16_overflow, f16_subnormal, f16_underflow, to);
  count_narrow<Format::bf16>(value, bf16_overflow, bf16_subnormal, bf16_underflow, to);
  to.largest = std::max(to.largest, static_cast<double>(std::fabs(value)));
  ++to.bins[bin_of(value)];
  const auto wide = static_cast<long double>(value);
  to.x += wide;
  to.xx += wide * wide;
  if (!plan.call) return;
  to.counts[lost] += !std::isfinite(y) || !std::isfinite(dy);
  if (!std::isfinite(y) || !std::isfinite(dy)) return;
  ++to.kept;
  to.f += static_cast<long double>(y);
  to.ff += static_cast<long double>(y) * static_cast<long double>(y);
  to.gg += static_cast<long double>(dy) * static_cast<long double>(dy);
}

void expect_near(double a, long double b, double scale, const char* what) {
  if (std::isnan(a) && std::isnan(b)) return;
  EXPECT_NEAR(a, static_cast<double>(b), scale) << what;
}

/// Counts must agree; means within the errors that are told.
void expect_same(const Summary& s, const Naive& n) {
  EXPECT_EQ(s.elements, n.elements);
  for (std::size_t i = 0; i < replaced; ++i) EXPECT_EQ(s.counts[i], n.counts[i]) << "count " << i;
  for (std::size_t i = 0; i < kBins; ++i) EXPECT_EQ(s.bins[i], n.bins[i]) << "bin " << i;
  EXPECT_EQ(static_cast<double>(s.largest), n.largest);
  if (n.finite == 0) {
    EXPECT_TRUE(std::isnan(s.mean));
    return;
  }
  const auto count = static_cast<long double>(n.finite);
  const long double mean = n.x / count, square = n.xx / count;
  const auto size = static_cast<double>(std::sqrt(square));
  expect_near(s.mean, mean, 1e-12 * size, "mean");
  expect_near(s.spread, std::sqrt(std::max(0.0L, square - mean * mean)), 1e-7 * size, "spread");
  if (n.kept == 0) return;
  const auto kept = static_cast<long double>(n.kept);
  const auto f_size = static_cast<double>(std::sqrt(n.ff / kept));
  expect_near(s.f_mean, n.f / kept, s.f_error + 2e-6 * f_size, "f_mean");
  expect_near(s.gain, n.gg / kept, s.gain_error + 2e-6 * static_cast<double>(n.gg / kept), "gain");
}

void expect_equal(const Layer& a, const Layer& b) {
  const Layer::State &x = a.state(), &y = b.state();
  EXPECT_EQ(x.elements, y.elements);
  EXPECT_TRUE(std::equal(x.counts.begin(), x.counts.begin() + static_cast<std::ptrdiff_t>(replaced * a.channels()),
                         y.counts.begin()));
  EXPECT_EQ(x.bins, y.bins);
  EXPECT_EQ(x.largest, y.largest);
  for (std::size_t i = 0; i < x.sums.size(); ++i) EXPECT_EQ(x.sums[i].digits(), y.sums[i].digits()) << "sum " << i;
}

/// Numbers of all kinds among usual ones.
std::vector<float> mixed(std::size_t n, std::uint32_t seed) {
  std::vector<float> x = normal(n, 1.5f, seed);
  std::mt19937 generator(seed + 1);
  const std::vector<float> special = tests::special_inputs();
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t which = generator() % 16;
    if (which == 0) x[i] = special[generator() % special.size()];
    if (which < 3) x[i] = which == 1 ? 0.0f : -0.0f;
  }
  return x;
}

TEST(Health, CountsLikeTheSimplestProgram) {
  for (const Shape shape : {Shape{1000, 10, 1}, Shape{333, 48, 1}, Shape{70, 300, 1}, Shape{3, 5, 200}, Shape{4, 3, 50},
                            Shape{5, 2, 1000}, Shape{1, 1, 5000}, Shape{1, 7, 1}, Shape{5000, 1, 1}, Shape{1, 16, 130}})
    for (const std::string_view function : {"gelu", "relu", "hardshrink:lambda=0.3", "none"})
      for (const bool exact : {false, true}) {
        SCOPED_TRACE(std::string(function) + " " + std::to_string(shape.outer) + " " + std::to_string(shape.channels) +
                     " " + std::to_string(shape.inner));
        const Plan plan = function == "none" ? Plan(Format::f32) : Plan(preset(function), Format::f32, 0.01f, exact);
        const std::vector<float> x = mixed(shape.size(), 7);
        Layer layer(plan, shape.channels);
        layer.add(x.data(), shape, current_target());
        std::vector<Naive> naive(shape.channels);
        Naive all;
        for (std::size_t i = 0; i < x.size(); ++i) {
          count_one(plan, x[i], naive[i / shape.inner % shape.channels]);
          count_one(plan, x[i], all);
        }
        for (std::size_t c = 0; c < shape.channels; c += 3) expect_same(layer.channel(c), naive[c]);
        expect_same(layer.all(), all);
      }
}

TEST(Health, SaysWhatItsCountsMean) {
  // Unit 0 is dead, 1 is dead in the first batch only, 2 is alive, 3 has a NaN.
  const std::vector<float> first{-1, -2, 1, -1, -3, -4, -1, -2}, second{-1, 5, 1, NAN, -0.0f, -1, 2, -1};
  const Plan plan(preset("relu"), Format::f32, 0.01f, false);
  Layer a(plan, 4), b(plan, 4);
  a.add(first.data(), {2, 4, 1}, current_target());
  b.add(second.data(), {2, 4, 1}, current_target());
  EXPECT_EQ(a.dead(), 3u);
  a.merge(b);
  EXPECT_EQ(a.dead(), 1u);
  EXPECT_TRUE(a.channel(0).dead);
  EXPECT_FALSE(a.channel(1).dead);
  EXPECT_FALSE(a.channel(3).dead) << "a NaN is not zero";
  EXPECT_EQ(a.channel(1).mean, (-2 - 4 + 5 - 1) / 4.0);
  EXPECT_EQ(a.channel(1).f_mean, 5 / 4.0);
  EXPECT_EQ(a.channel(1).gain, 1 / 4.0);
  EXPECT_EQ(a.channel(2).spread, std::sqrt((1 + 1 + 1 + 4) / 4.0 - 0.75 * 0.75));
  const Diagnosis d = diagnose(a);
  EXPECT_EQ(d.dead, 1u);
  EXPECT_EQ(d.verdict, Level::sick);
  EXPECT_EQ(d.findings.at(0).name, "NaN");
  EXPECT_EQ(d.findings.at(1).name, "dead units");
}

TEST(Health, SpreadSurvivesALargeMean) {
  std::vector<float> x(10000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1000.0f + (i % 2 ? 0x1p-10f : -0x1p-10f);
  const Plan plan(Format::f32);
  Layer layer(plan, 1);
  layer.add(x.data(), {x.size(), 1, 1}, current_target());
  EXPECT_NEAR(layer.channel(0).spread, 0x1p-10, 1e-9);
  EXPECT_EQ(layer.channel(0).mean, 1000);
}

TEST(Thresholds, DecideNeighbouringFloatsAsTheKernelsDo) {
  for (const Entry& entry : functions()) {
    if (!entry.elementwise()) continue;
    const Call call = preset(entry.info->name);
    const auto slope = [&](float x) {
      call.evaluate(Order::slope, &x, &x, 1);
      return x;
    };
    for (const float tolerance : {0.01f, 0.3f, 1e-5f}) {
      const Plan plan(call, Format::f32, tolerance, false);
      for (const Interval& part : plan.saturated) {
        EXPECT_LT(std::fabs(slope(part.from)), tolerance) << entry.info->name;
        EXPECT_LT(std::fabs(slope(part.to)), tolerance) << entry.info->name;
        const float before = std::nextafter(part.from, -INFINITY), after = std::nextafter(part.to, INFINITY);
        if (before > -kReach) {
          EXPECT_GE(std::fabs(slope(before)), tolerance) << entry.info->name << " " << part.from;
        }
        if (after < kReach) {
          EXPECT_GE(std::fabs(slope(after)), tolerance) << entry.info->name << " " << part.to;
        }
      }
      // And no interval is missing: a fine grid, and floats around every end.
      std::vector<float> x;
      for (int i = -8191; i < 8192; ++i) x.push_back(static_cast<float>(i) * 0x1p-11f + 0x1p-13f);
      for (const float f : tests::special_inputs())
        if (std::fabs(f) < kReach) x.push_back(f);
      std::vector<float> dx(x.size());
      call.evaluate(Order::slope, x.data(), dx.data(), x.size());
      for (std::size_t i = 0; i < x.size() && !plan.exact; ++i) {
        const bool inside =
            std::ranges::any_of(plan.saturated, [&](Interval part) { return part.from <= x[i] && x[i] <= part.to; });
        ASSERT_EQ(inside, std::fabs(dx[i]) < tolerance) << entry.info->name << " at " << x[i];
      }
    }
  }
}

TEST(Cubics, LieWithinTheStatedErrors) {
  for (const Entry& entry : functions()) {
    if (!entry.elementwise()) continue;
    SCOPED_TRACE(entry.info->name);
    const Call call = preset(entry.info->name);
    const Plan quick(call, Format::f32, 0.01f, false), exact(call, Format::f32, 0.01f, true);
    for (const float spread : {1.0f, 30.0f}) {
      SCOPED_TRACE(spread);
      const std::vector<float> x = normal(40000, spread, 3);
      Layer a(quick, 8), b(exact, 8);
      for (Layer* layer : {&a, &b}) layer->add(x.data(), {x.size() / 8, 8, 1}, current_target());
      for (std::size_t c = 0; c < 8; ++c) {
        const Summary q = a.channel(c), e = b.channel(c);
        for (std::size_t i = 0; i < replaced; ++i) EXPECT_EQ(q.counts[i], e.counts[i]) << "count " << i;
        for (std::size_t i = 0; i < kBins; ++i) EXPECT_EQ(q.bins[i], e.bins[i]) << "bin " << i;
        EXPECT_NEAR(q.f_mean, e.f_mean, q.f_error + 2e-6 * (std::fabs(e.f_mean) + e.f_spread));
        EXPECT_NEAR(q.gain, e.gain, q.gain_error + 2e-6 * e.gain);
        EXPECT_LT(q.gain_error, 1e-3 * std::max(1.0, e.gain));
        EXPECT_EQ(e.gain_error, 0);
      }
    }
  }
}

TEST(Layer, NeitherTargetNorPartsNorOrderChangeABit) {
  const std::vector<float> x = mixed(std::size_t{3} << 20, 11);
  for (const std::string_view function : {"silu", "tanh", "relu6"})
    for (const Shape shape : {Shape{x.size() / 24, 24, 1}, Shape{x.size() / 24 / 256, 24, 256}}) {
      const Plan plan(preset(function), Format::f32, 0.01f, false);
      Layer first(plan, shape.channels);
      first.add(x.data(), shape, supported_targets().back());
      for (const Target& target : supported_targets()) {
        Layer other(plan, shape.channels);
        other.add(x.data(), shape, target);
        expect_equal(first, other);
      }
      const Cut cut(shape);
      std::vector<Layer> parts;
      for (std::size_t p = 0; p < cut.parts(); ++p) {
        parts.emplace_back(plan, shape.channels);
        parts.back().add_part(
            cut, p, [&](std::size_t at, std::size_t) { return x.data() + at; }, current_target());
      }
      std::mt19937 generator(5);
      for (int round = 0; round < 3; ++round) {  // any order, and grouped in two ways
        std::shuffle(parts.begin(), parts.end(), generator);
        Layer left(plan, shape.channels), right(plan, shape.channels);
        for (std::size_t p = 0; p < parts.size(); ++p) (p % 2 ? left : right).merge(parts[p]);
        right.merge(left);
        expect_equal(first, right);
      }
    }
}

TEST(Layer, OfAnExactPlanDependsOnTheElementsAlone) {
  std::vector<float> x = mixed(20000, 13);
  for (const Plan& plan : {Plan(preset("mish"), Format::f32, 0.01f, true), Plan(Format::f32, true)}) {
    Layer whole(plan, 1), pieces(plan, 1);
    whole.add(x.data(), {x.size(), 1, 1}, current_target());
    std::mt19937 generator(2);
    std::shuffle(x.begin(), x.end(), generator);
    for (std::size_t at = 0, n; at < x.size(); at += n) {
      n = std::min<std::size_t>(x.size() - at, 1 + generator() % 999);
      pieces.add(x.data() + at, {n, 1, 1}, current_target());
    }
    expect_equal(whole, pieces);
  }
}

TEST(Layer, RefusesWhatDoesNotFit) {
  const Plan relu(preset("relu"), Format::f32, 0.01f, false), gelu(preset("gelu"), Format::f32, 0.01f, false),
      f16(preset("relu"), Format::f16, 0.01f, false), loose(preset("relu"), Format::f32, 0.02f, false),
      none(Format::f32);
  Layer layer(relu, 4);
  for (const Plan* plan : {&gelu, &f16, &loose, &none})
    EXPECT_THROW(layer.merge(Layer(*plan, 4)), std::invalid_argument);
  EXPECT_THROW(layer.merge(Layer(relu, 5)), std::invalid_argument);
  EXPECT_THROW(Layer(relu, 0), std::invalid_argument);
  EXPECT_THROW(Layer(relu, kMostChannels + 1), std::invalid_argument);
  const float x[6] = {};
  EXPECT_THROW(layer.add(x, {2, 3, 1}, current_target()), std::invalid_argument);
}

TEST(Formats, AreCountedAsFloats) {
  const double doubles[] = {1e300, -1e300, 1e-300, 0, INFINITY, NAN, 0.1};
  float floats[7];
  to_floats(Format::f64, doubles, floats, 7, current_target());
  EXPECT_EQ(floats[0], std::numeric_limits<float>::max());
  EXPECT_EQ(floats[1], -std::numeric_limits<float>::max());
  EXPECT_EQ(floats[2], std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(floats[3], 0);
  EXPECT_TRUE(std::isinf(floats[4]));
  EXPECT_TRUE(std::isnan(floats[5]));
  EXPECT_EQ(floats[6], 0.1f);
  for (const Format format : {Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2}) {
    const std::size_t codes = std::size_t{1} << (8 * info_of(format).bytes);
    std::vector<unsigned char> x(codes * info_of(format).bytes);
    for (std::size_t i = 0; i < codes; ++i) std::memcpy(&x[i * info_of(format).bytes], &i, info_of(format).bytes);
    const Plan plan(preset("gelu"), format, 0.01f, false);
    Layer layer(plan, 1);
    layer.add(x.data(), {codes, 1, 1}, current_target());
    Naive naive;
    for (std::size_t i = 0; i < codes; ++i) count_one(plan, static_cast<float>(decode(format, i)), naive);
    SCOPED_TRACE(info_of(format).name);
    expect_same(layer.all(), naive);
    EXPECT_GT(layer.all().counts[subnormal], 0u);
  }
}

TEST(ExactSum, IsExactInAnyOrder) {
  std::mt19937_64 generator(1);
  std::vector<double> x;
  for (int i = 0; i < 3000; ++i) {
    const double value =
        std::ldexp(static_cast<double>(generator() >> 11), static_cast<int>(generator() % 500) - 250 - 53);
    x.push_back(value);
    x.push_back(-value);
  }
  x.push_back(0x1p-298);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(x.begin(), x.end(), generator);
    ExactSum sum;
    for (const double value : x) sum.add(value);
    EXPECT_EQ(sum.value(), 0x1p-298);
    EXPECT_EQ(sum.rest(), 0);
    sum.add(-0x1p-297);
    EXPECT_EQ(sum.value(), -0x1p-298);
    EXPECT_EQ(ExactSum::from_digits(sum.digits()).digits(), sum.digits());
  }
  ExactSum sum;
  sum.add(1);
  sum.add(0x1p-53);  // a tie, which goes to even
  EXPECT_EQ(sum.value(), 1);
  EXPECT_EQ(sum.rest(), 0x1p-53);
  sum.add(0x1p-200);
  EXPECT_EQ(sum.value(), 1 + 0x1p-52);
}

TEST(Bins, HaveTheEdgesThatTheyClaim) {
  for (const float x : tests::random_inputs(20000, 9)) {
    const std::size_t b = bin_of(x);
    if (!std::isfinite(x)) {
      EXPECT_EQ(b, kBins);
      continue;
    }
    const auto value = static_cast<double>(x);
    EXPECT_LE(bin_edge(b), value);
    EXPECT_LE(value, bin_edge(b + 1));
  }
}

}  // namespace
}  // namespace actfun::health
