// SPDX-License-Identifier: Apache-2.0
// Gated units: against the oracle's products where one function is multiplied, against the formulas in long double
// where there are more, and layouts, targets, threads and places against each other, bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "api/array.h"
#include "api/gated.h"
#include "api/threads.h"
#include "tests/product_oracle.h"

namespace actfun::tests {
namespace {

/// n numbers of a format side by side, as an array of one axis.
actfun_array view(Format format, std::vector<unsigned char>& numbers) {
  return {numbers.data(), static_cast<actfun_format>(format), 1, {numbers.size() / info_of(format).bytes}, {1}};
}

/// What a unit makes of numbers of a format.
struct Results {
  std::vector<double> y, dgate, dvalue;
  double dscale = 0;
};
Results run(const Gated& unit, Format format, const std::vector<double>& g, const std::vector<double>& v,
            const std::vector<double>& dy, const std::vector<double>* scale = nullptr,
            const Target& target = current_target()) {
  auto gates = array_of(format, g), values = array_of(format, v), upstream = array_of(format, dy), y = gates,
       dg = gates, dv = gates;
  const Format scale_format = format == Format::f64 ? Format::f64 : Format::f32;
  auto scales = array_of(scale_format, scale ? *scale : std::vector<double>{1});
  const actfun_array s = view(scale_format, scales), dgate = view(format, dg), dvalue = view(format, dv);
  unit.apply(view(format, gates), view(format, values), scale ? &s : nullptr, view(format, y), target);
  unit.backward(view(format, gates), view(format, values), scale ? &s : nullptr, view(format, upstream),
                {dgate, dvalue, nullptr, 0}, target);
  return {doubles_of(format, y), doubles_of(format, dg), doubles_of(format, dv)};
}

std::vector<double> factors(Format format, std::size_t n, std::uint32_t seed) {
  auto x = inputs(Info{}, format, n, seed);
  std::rotate(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(seed), x.end());
  return x;
}

/// Any function may be the gate.
TEST(Gated, EveryGateIsAProductRoundedOnce) {
  std::size_t decided = 0, all = 0;
  for (const Entry* entry : elementwise()) {
    const Gated unit = parse_gated(entry->info->name);
    const exact::Pointwise oracle(unit.gate);
    for (const Format format : kFormats) {
      const std::size_t n = format == Format::f64 ? 60 : 200;
      auto g = inputs(*entry->info, format, n, 1);
      if (entry->info->name == "tanhexp")  // whose double-doubles are off by 2^-60 where tanh has long been 1
        for (double& x : g) x = x > 5 ? round_to(format, 1 / x) : x;
      const auto v = factors(format, n, 2), dy = factors(format, n, 3);
      all += 3 * n;
      const Results got = run(unit, format, g, v, dy);
      for (std::size_t i = 0; i < n; ++i) {
        const auto check = [&](const char* what, double result, Order order, double a, double b) {
          bool undecided = false;
          const double right = want(oracle, order, format, g[i], a, b, &undecided);
          EXPECT_TRUE(undecided || same(result, right))
              << entry->info->name << " " << info_of(format).name << " " << what << std::hexfloat << ", gate " << g[i]
              << ", factors " << a << ", " << b << ": " << result << ", not " << right;
          decided += !undecided;
        };
        check("y", got.y[i], Order::value, v[i], 1);
        check("dgate", got.dgate[i], Order::slope, dy[i], v[i]);
        check("dvalue", got.dvalue[i], Order::value, dy[i], 1);
      }
    }
  }
  EXPECT_GT(decided, all - all / 1000);
}

/// h and h' in long double, for the gates of units with limits.
using Real = long double;
Real sigmoid_of(Real x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
struct GateReference {
  Real value, slope;
};
GateReference swish_of(Real x, Real beta) {
  const Real s = sigmoid_of(beta * x), c = sigmoid_of(-beta * x);
  return {x * s, s * (1 + beta * x * c)};
}
GateReference logistic_of(Real x) { return {sigmoid_of(x), sigmoid_of(x) * sigmoid_of(-x)}; }
GateReference soft_limit_of(Real x, Real beta) {
  const Real t = std::tanh(x / beta), e = std::exp(-2 * std::abs(x / beta));
  return {beta * t, 4 * e / ((1 + e) * (1 + e))};
}

struct LimitedUnit {
  const char* text;
  GateReference (*gate)(Real x);
};
constexpr LimitedUnit kLimited[] = {
    {"clamped_swiglu", [](Real x) { return swish_of(x, 1.702); }},
    {"clamped_swiglu:limit=0.3,beta=1.5,offset=0.25", [](Real x) { return swish_of(x, 1.5); }},
    {"swiglu_step", [](Real x) { return swish_of(x, 1); }},
    {"swiglu_step:step_limit=0.3", [](Real x) { return swish_of(x, 1); }},
    {"swiglu:limit=2.5", [](Real x) { return swish_of(x, 1); }},
    {"situ_glu", logistic_of},
    {"situ_glu:beta1=0.7,beta2=3,offset=-0.5,limit=5", logistic_of},
    {"silu:beta2=1.5,step_limit=2", [](Real x) { return swish_of(x, 1); }},
};

struct Sides {
  Real a, a_slope, b, b_slope;
};
/// The header's formula, with limits in the format.
Sides sides_of(const LimitedUnit& unit, const GatedExtras& extras, Format format, Real gate, Real value) {
  const auto in_format = [&](double limit) { return std::isinf(limit) ? limit : round_to(format, limit); };
  const double limit = in_format(extras.limit), step = in_format(extras.step_limit), most = std::min(limit, step);
  const Real g = std::min<Real>(gate, limit), v = std::clamp<Real>(value, -most, most);
  auto [a, a_slope] = unit.gate(g);
  if (extras.beta1 != 0) {
    const auto [k, k_slope] = soft_limit_of(g, extras.beta1);
    a_slope = a_slope * k + a * k_slope, a *= k;
  }
  if (a > step) a = step, a_slope = 0;
  if (gate > limit) a_slope = 0;
  GateReference b{v, 1};
  if (extras.beta2 != 0) b = soft_limit_of(v, extras.beta2);
  if (std::abs(value) > most) b.slope = 0;
  return {a, a_slope, b.value + extras.offset, b.slope};
}

/// |got - right| in units in the last place of the format at `right`.
double ulps(Format format, double got, Real right) {
  if (right == 0) return got == 0 ? 0 : kInfinity;
  const FormatInfo& info = info_of(format);
  if (std::abs(right) >= info.largest) return std::abs(got) >= info.largest ? 0 : kInfinity;
  int exponent = 0;
  std::frexp(right, &exponent);
  const int unit = std::max(exponent - 1, info.least_exponent) - info.precision + 1;
  return static_cast<double>(std::abs(std::ldexp(static_cast<Real>(got) - right, -unit)));
}

TEST(Gated, LimitsOffsetsAndScalesFollowTheFormula) {
  std::mt19937 generator(7);
  std::normal_distribution<double> normal;
  for (const LimitedUnit& each : kLimited) {
    const Gated unit = parse_gated(each.text);
    for (const Format format : kFormats)
      for (const bool scaled : {false, true}) {
        const std::size_t n = format == Format::f32 ? 4000 : 700;
        std::vector<double> g(n), v(n), dy(n);
        const auto number = [&](double spread) { return round_to(format, spread * normal(generator)); };
        for (std::size_t i = 0; i < n; ++i) {
          const double spread = i % 4 == 0 ? 12 : i % 4 == 1 ? 0.1 : 2;
          g[i] = number(spread), v[i] = number(2 * spread), dy[i] = number(1);
        }
        const std::vector<double> scale{0.3125};
        double worst[3] = {};
        const auto scales = std::vector<double>(n, scale[0]);
        const Results got = run(unit, format, g, v, dy, scaled ? &scales : nullptr);
        const Real s = scaled ? scale[0] : 1;
        for (std::size_t i = 0; i < n; ++i) {
          const Sides side = sides_of(each, unit.extras, format, g[i], v[i]);
          worst[0] = std::max(worst[0], ulps(format, got.y[i], s * side.a * side.b));
          worst[2] = std::max(worst[2], ulps(format, got.dvalue[i], s * dy[i] * side.a * side.b_slope));
          // The reference itself cancels near the root of a'.
          if (side.a_slope == 0 || std::abs(side.a_slope) > 1e-3L)
            worst[1] = std::max(worst[1], ulps(format, got.dgate[i], s * dy[i] * side.a_slope * side.b));
        }
        // In f64, sums with the offset and products with the scale are rounded on their way; long double carries 11
        // bits more.
        const double bound = format == Format::f64 ? 0.55 + (unit.extras.offset != 0) + scaled : 0.501;
        for (const double error : worst) {
          EXPECT_LE(error, bound) << each.text << " " << info_of(format).name << " " << scaled;
          EXPECT_GE(error, 0.4) << "a reference that agrees too well is no reference";
        }
      }
  }
}

/// Numbers of a format as one array of a shape, and what is made of them.
struct Tensor {
  std::vector<unsigned char> numbers;
  actfun_array array{};
  Tensor(Format format, std::initializer_list<std::size_t> shape, std::uint32_t seed = 0) {
    std::size_t n = 1;
    array.format = static_cast<actfun_format>(format), array.rank = static_cast<std::int32_t>(shape.size());
    std::ranges::copy(shape, array.shape);
    for (int i = array.rank; i-- > 0; n *= array.shape[i]) array.strides[i] = static_cast<std::ptrdiff_t>(n);
    numbers = seed ? array_of(format, factors(format, n, seed)) : std::vector<unsigned char>(n * info_of(format).bytes);
    array.data = numbers.data();
  }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
};
/// The elements in C order.
std::vector<double> elements(const actfun_array& a) {
  const Format format = static_cast<Format>(a.format);
  const std::size_t bytes = info_of(format).bytes;
  std::vector<unsigned char> all;
  const RowsOf rows(a, a.rank - 1);
  for (std::size_t i = 0; i < rows.count(); ++i)
    for (std::size_t j = 0; j < rows.length(); ++j) {
      const auto* at = rows.row(i) + static_cast<std::ptrdiff_t>(j * bytes) * rows.stride();
      all.insert(all.end(), at, at + bytes);
    }
  return doubles_of(format, all);
}
void expect_same(const std::vector<double>& got, const std::vector<double>& right, const std::string& what) {
  ASSERT_EQ(got.size(), right.size()) << what;
  std::size_t differ = 0;
  for (std::size_t i = 0; i < got.size(); ++i) differ += !same(got[i], right[i]);
  EXPECT_EQ(differ, 0u) << what;
}

const char* const kUnits[] = {"swiglu",   "geglu_tanh", "reglu",       "clamped_swiglu", "swiglu_step",
                              "situ_glu", "glu",        "fatrelu_glu", "mish:limit=1"};

/// Views of one array, of its halves and pairs along each axis, and in place, against arrays side by side.
TEST(Gated, LayoutsStridesAndPlacesChangeNoBit) {
  for (const char* text : {"swiglu", "clamped_swiglu", "situ_glu", "reglu"})
    for (const Format format : {Format::f32, Format::f64, Format::bf16, Format::f8e5m2})
      for (const bool fast : {false, true}) {
        if (fast && format != Format::f32) continue;
        Gated unit = parse_gated(text);
        unit.gate.tier = fast ? Tier::fast : Tier::exact;
        for (const int axis : {0, 1, 2})
          for (const GatedLayout layout : {GatedLayout::gate_first, GatedLayout::gate_second, GatedLayout::interleaved,
                                           GatedLayout::interleaved_gate_second}) {
            const std::string what = std::string(text) + " " + std::string(info_of(format).name) +
                                     (fast ? " fast " : " ") + std::to_string(axis) + " " +
                                     std::string(kGatedLayouts[static_cast<int>(layout)]);
            Tensor x(format, {2, 4, 70}, 1), dx(format, {2, 4, 70});
            const auto [gate, value] = split(x.array, axis, layout);
            const auto [dgate, dvalue] = split(dx.array, axis, layout);
            Tensor y(format, {gate.shape[0], gate.shape[1], gate.shape[2]}),
                dy(format, {gate.shape[0], gate.shape[1], gate.shape[2]}, 5);
            const Results right = run(unit, format, elements(gate), elements(value), elements(dy.array));
            unit.apply(gate, value, nullptr, y.array, current_target());
            expect_same(elements(y.array), right.y, what);
            unit.backward(gate, value, nullptr, dy.array, {dgate, dvalue, nullptr, 0}, current_target());
            expect_same(elements(dgate), right.dgate, what);
            expect_same(elements(dvalue), right.dvalue, what);
            // In the places of gate and value, and of dy.
            EXPECT_FALSE(overlap_partly(gate, value)) << what;
            Tensor copy(format, {2, 4, 70}, 1);
            const auto [own_gate, own_value] = split(copy.array, axis, layout);
            unit.backward(own_gate, own_value, nullptr, dy.array, {own_gate, own_value, nullptr, 0}, current_target());
            expect_same(elements(own_gate), right.dgate, what + " in place");
            expect_same(elements(own_value), right.dvalue, what + " in place");
            unit.apply(gate, value, nullptr, value, current_target());
            expect_same(elements(value), right.y, what + " in the value's place");
          }
      }
}

TEST(Gated, TransposedAndReversedArrays) {
  const Gated unit = parse_gated("swiglu");
  for (const Format format : {Format::f32, Format::bf16}) {
    Tensor gate(format, {7, 40}, 1), value(format, {40, 7}, 2), y(format, {40, 7});
    actfun_array v = value.array, to = y.array, g = gate.array;
    for (actfun_array* each : {&v, &to}) {
      std::swap(each->shape[0], each->shape[1]);
      std::swap(each->strides[0], each->strides[1]);
    }
    // Rows of the gate from the last to the first.
    const auto row = static_cast<std::ptrdiff_t>(40 * info_of(format).bytes);
    g.data = static_cast<unsigned char*>(g.data) + 6 * row, g.strides[0] = -40;
    const auto right = run(unit, format, elements(g), elements(v), elements(v)).y;
    unit.apply(g, v, nullptr, to, current_target());
    expect_same(elements(to), right, "transposed");
  }
}

/// The exact tier on every instruction set, and the fast one wherever there is a fused multiply-add.
TEST(Gated, SameBitsOnEveryTarget) {
  for (const char* text : kUnits)
    for (const Format format : {Format::f32, Format::f64, Format::f16, Format::bf16}) {
      const std::size_t n = format == Format::f64 ? 200 : 1500;
      const auto g = factors(format, n, 1), v = factors(format, n, 2), dy = factors(format, n, 3);
      const std::vector<double> scale(n, 0.7f);
      Gated unit = parse_gated(text);
      const Results right = run(unit, format, g, v, dy), scaled = run(unit, format, g, v, dy, &scale);
      unit.gate.tier = Tier::fast;
      const Results fast = run(unit, format, g, v, dy);
      for (const Target& target : supported_targets()) {
        const std::string what =
            std::string(text) + " " + std::string(info_of(format).name) + " " + std::string(target.name);
        unit.gate.tier = Tier::exact;
        const Results got = run(unit, format, g, v, dy, nullptr, target),
                      too = run(unit, format, g, v, dy, &scale, target);
        for (const auto member : {&Results::y, &Results::dgate, &Results::dvalue}) {
          expect_same(got.*member, right.*member, what);
          expect_same(too.*member, scaled.*member, what + " scaled");
        }
        if (target.name != "AVX2" && target.name != "NEON") continue;
        unit.gate.tier = Tier::fast;
        expect_same(run(unit, format, g, v, dy, nullptr, target).y, fast.y, what + " fast");
        expect_same(run(unit, format, g, v, dy, nullptr, target).dgate, fast.dgate, what + " fast");
      }
    }
}

TEST(Gated, SameBitsOnAnyNumberOfThreads) {
  const double worth = std::exchange(detail::worth_a_thread, 0.0);
  for (const char* text : {"swiglu", "clamped_swiglu"})
    for (const bool fast : {false, true}) {
      Tensor x(Format::f32, {300, 258}, 1), dy(Format::f32, {300, 129}, 2), scale(Format::f32, {300, 1}, 3);
      const auto [gate, value] = split(x.array, 1, GatedLayout::interleaved);
      actfun_array scales = scale.array;
      scales.shape[1] = 129, scales.strides[1] = 0;
      std::vector<double> right[4];
      for (const unsigned threads : {1u, 2u, 3u}) {
        Gated unit = parse_gated(text);
        unit.gate.tier = fast ? Tier::fast : Tier::exact, unit.gate.threads = threads;
        Tensor y(Format::f32, {300, 129}), dg(Format::f32, {300, 129}), dv(Format::f32, {300, 129}),
            ds(Format::f32, {300, 1});
        unit.apply(gate, value, nullptr, y.array, current_target());
        unit.backward(gate, value, &scales, dy.array, {dg.array, dv.array, &ds.array, 1}, current_target());
        const Tensor* const results[] = {&y, &dg, &dv, &ds};
        for (std::size_t k = 0; k < 4; ++k) {
          if (threads == 1) right[k] = elements(results[k]->array);
          expect_same(elements(results[k]->array), right[k], text + std::to_string(threads));
        }
      }
    }
  detail::worth_a_thread = worth;
}

/// The gradient by the scale is the sum over its row of dy times what the scale multiplies.
TEST(Gated, ScalesGradient) {
  std::mt19937 generator(3);
  std::normal_distribution<double> normal;
  for (const LimitedUnit& each : kLimited)
    for (const Format format : {Format::f32, Format::f64, Format::bf16}) {
      const Gated unit = parse_gated(each.text);
      const std::size_t rows = 5, length = 1000;
      Tensor g(format, {rows, length}), v(format, {rows, length}), dy(format, {rows, length}),
          s(Format::f32, {rows, 1}), ds(Format::f64, {rows, 1}), dg(format, {rows, length}), dv(format, {rows, length});
      for (Tensor* tensor : {&g, &v, &dy, &s}) {
        std::vector<double> numbers(size_of(tensor->array));
        const auto own = static_cast<Format>(tensor->array.format);
        for (double& number : numbers) number = round_to(own, 2 * normal(generator));
        tensor->numbers = array_of(own, numbers), tensor->array.data = tensor->numbers.data();
      }
      actfun_array scales = s.array;
      scales.shape[1] = length, scales.strides[1] = 0;
      unit.backward(g.array, v.array, &scales, dy.array, {dg.array, dv.array, &ds.array, 1}, current_target());
      const auto gates = elements(g.array), values = elements(v.array), upstream = elements(dy.array),
                 got = elements(ds.array);
      for (std::size_t i = 0; i < rows; ++i) {
        Real sum = 0, size = 0;
        for (std::size_t j = i * length; j < (i + 1) * length; ++j) {
          const Sides side = sides_of(each, unit.extras, format, gates[j], values[j]);
          sum += upstream[j] * side.a * side.b, size += std::abs(upstream[j] * side.a * side.b);
        }
        EXPECT_LE(std::abs(got[i] - sum), size * (format == Format::f64 ? 0x1p-52L : 0x1p-24L)) << each.text;
      }
    }
}

/// The fast tier is off by 2 units of the gate and a rounding at most: 2.5 2^-23, relative. In units of the product
/// that is at most 5; these are what was found.
TEST(Gated, FastTierIsWithinItsBound) {
  for (const auto& [text, bound] : {std::pair{"glu", 2.6},
                                    {"swiglu", 2.6},
                                    {"geglu", 2.6},
                                    {"geglu_tanh", 2.6},
                                    {"mish", 2.8},
                                    {"reglu", 0.5},
                                    {"clamped_swiglu", 2.0},
                                    {"swiglu_step", 2.6}}) {
    Gated fast = parse_gated(text), exact = fast;
    fast.gate.tier = Tier::fast;
    std::mt19937 generator(11);
    std::normal_distribution<double> normal(0, 3);
    const std::size_t n = 200000;
    std::vector<double> g(n), v(n), dy(n);
    for (auto* each : {&g, &v, &dy})
      for (double& number : *each) number = static_cast<double>(static_cast<float>(normal(generator)));
    const Results got = run(fast, Format::f32, g, v, dy);
    // The exact tier in f64 as the reference: within 1.5 units of f64.
    const Results right = run(exact, Format::f64, g, v, dy);
    double worst = 0;
    for (std::size_t i = 0; i < n; ++i) worst = std::max(worst, ulps(Format::f32, got.y[i], right.y[i]));
    EXPECT_LE(worst, bound) << text;
    EXPECT_GE(worst, bound / 3) << text;
    RecordProperty(std::string("worst_") + text, std::to_string(worst));
  }
}

/// What loops on floats and on doubles settle, on many inputs: the exact tier's f64 result rounded again, unless that
/// is a tie.
TEST(Gated, QuickLoopsRoundOnce) {
  constexpr std::size_t n = 100000;
  std::mt19937 generator(5);
  std::normal_distribution<float> normal(0, 3);
  std::vector<double> g(n), v(n), dy(n);
  for (auto* each : {&g, &v, &dy})
    for (double& number : *each) number = static_cast<double>(normal(generator));
  for (const char* text : {"silu", "sigmoid", "gelu", "tanh", "mish", "elu", "exp"}) {
    const Gated unit = parse_gated(text);
    const Results got = run(unit, Format::f32, g, v, dy), right = run(unit, Format::f64, g, v, dy);
    for (const auto member : {&Results::y, &Results::dgate, &Results::dvalue}) {
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const double y = (right.*member)[i];
        const bool tie = (std::bit_cast<std::uint64_t>(y) & ((1u << 29) - 1)) == 1u << 28;
        wrong += !tie && (got.*member)[i] != static_cast<double>(static_cast<float>(y));
      }
      EXPECT_EQ(wrong, 0u) << text;
    }
  }
}

TEST(Gated, SpecialValues) {
  const Gated swiglu = parse_gated("swiglu"), clamped = parse_gated("clamped_swiglu");
  for (const Format format : {Format::f32, Format::f64, Format::f16, Format::bf16}) {
    const std::vector<double> g{kNan, 1, kInfinity, -kInfinity, -kInfinity, 0, -0.0, 0, kInfinity},
        v{1, kNan, 2, 2, kInfinity, -3, -3, kInfinity, -0.0}, one(g.size(), 1);
    const Results y = run(swiglu, format, g, v, one);
    expect_same(y.y, {kNan, kNan, kInfinity, -0.0, kNan, -0.0, 0, kNan, kNan}, "swiglu");
    expect_same(y.dvalue, {kNan, y.dvalue[1], kInfinity, -0.0, -0.0, 0, -0.0, 0, kInfinity}, "dvalue");
    EXPECT_EQ(y.dgate[2], 2) << "the slope's limit is 1";
    // A limit lets nothing infinite through, but NaN.
    const Results limited = run(clamped, format, g, v, one);
    EXPECT_TRUE(std::isnan(limited.y[0]) && std::isnan(limited.y[1]) && std::isnan(limited.dgate[0]));
    EXPECT_NEAR(limited.y[2], 21, 0.2);
    EXPECT_TRUE(same(limited.dgate[2], 0)) << "no gradient beyond the limit";
    EXPECT_TRUE(same(limited.dvalue[7], 0));
  }
  // At the limit the gradient passes, next to it it does not.
  const double next = std::nextafter(7.0f, 8.0f);
  const Results at = run(clamped, Format::f32, {7, next, 1, 1, 1, 1}, {1, 1, 7, next, -7, -next}, {1, 1, 1, 1, 1, 1});
  EXPECT_GT(at.dgate[0], 1);
  EXPECT_TRUE(same(at.dgate[1], 0));
  EXPECT_GT(at.dvalue[2], 0.5);
  EXPECT_TRUE(same(at.dvalue[3], 0));
  EXPECT_GT(at.dvalue[4], 0.5);
  EXPECT_TRUE(same(at.dvalue[5], 0));
}

TEST(Gated, Text) {
  EXPECT_EQ(parse_gated("swiglu").text(), "silu");
  EXPECT_EQ(parse_gated("clamped_swiglu@te:limit=5,beta=1.5").text(), "swish:beta=1.5,limit=5,offset=1");
  EXPECT_EQ(parse_gated("fatrelu_glu:threshold=0.5").text(), "threshold:threshold=0.5");
  EXPECT_EQ(parse_gated("situ_glu:beta1=2").text(), "sigmoid:beta1=2,beta2=25");
  EXPECT_EQ(parse_gated("glu").layout, GatedLayout::gate_second);
  EXPECT_EQ(parse_gated("glu@te").layout, GatedLayout::gate_first);
  EXPECT_EQ(parse_gated("clamped_swiglu").layout, GatedLayout::interleaved);
  EXPECT_EQ(parse_gated("swiglu@vllm_swapped").layout, GatedLayout::gate_second);
  for (const GatedInfo& unit : gated_units()) {
    const Gated plain = parse_gated(unit.name);
    EXPECT_EQ(parse_gated(plain.text()).extras, plain.extras) << unit.name;
    for (const GatedPreset& preset : unit.presets)
      EXPECT_EQ(parse_gated(std::string(unit.name) + "@" + std::string(preset.name)).layout, preset.layout);
  }
  const auto refused = [](const char* text, const char* says) {
    try {
      parse_gated(text);
      ADD_FAILURE() << text;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << text << ": " << error.what();
    }
  };
  refused("swigluu", "swiglu");
  refused("swiglu@torch", "vllm");
  refused("swiglu:limit=0", "> 0");
  refused("swiglu:limit=x", "'x' is not a number");
  refused("swiglu:limit", "is not a number");
  refused("swiglu:limit=1,limit=2", "given twice");
  refused("swiglu:alpha=1", "no parameter 'alpha'");
  refused("swiglu:", "is not of the form");
  refused("situ_glu:beta1=-1", ">= 0");
  refused("swiglu:offset=inf", "any real");
  refused("softmax", "rows");
}

}  // namespace
}  // namespace actfun::tests
