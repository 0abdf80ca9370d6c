// SPDX-License-Identifier: Apache-2.0
// What starts from a function's output. Inverses against the oracle: f at the middles between a result and its
// neighbours lies on either side of y. Backward passes from the output against 256 bits, from bits against those from
// the input.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "api/inverse.h"
#include "api/parts.h"
#include "core/exact/pointwise.h"
#include "tests/inputs.h"

namespace actfun::tests {
namespace {

constexpr Format kFormats[] = {Format::f32, Format::f64, Format::f16, Format::bf16};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// An array of a format, and its numbers.
std::vector<unsigned char> array_of(Format format, const std::vector<double>& x) {
  std::vector<unsigned char> y(x.size() * info_of(format).bytes);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint64_t code = encode(format, round_to(format, x[i]), Overflow::saturate);
    std::memcpy(element_at(format, y.data(), i), &code, info_of(format).bytes);
  }
  return y;
}
std::vector<double> doubles_of(Format format, const std::vector<unsigned char>& x) {
  std::vector<double> y(x.size() / info_of(format).bytes);
  for (std::size_t i = 0; i < y.size(); ++i) {
    std::uint64_t code = 0;
    std::memcpy(&code, element_at(format, x.data(), i), info_of(format).bytes);
    y[i] = decode(format, code);
  }
  return y;
}

/// The number of a format that follows x, or precedes it; beyond the largest is the power of two that would follow.
double neighbour(Format format, double x, bool above) {
  const FormatInfo& info = info_of(format);
  const bool outwards = x == 0 || (x > 0) == above;
  const int exponent = x == 0 ? info.least_exponent : std::max(std::ilogb(x), info.least_exponent);
  double step = std::ldexp(1.0, exponent - info.precision + 1);
  if (!outwards && exponent > info.least_exponent && std::fabs(x) == std::ldexp(1.0, exponent)) step /= 2;
  return above ? x + step : x - step;
}

/// Outputs of f from inputs of every kind, numbers next to the ends of its range, and any numbers.
std::vector<double> outputs(const Call& call, Format format, std::size_t n, std::uint32_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> x, y = {0.0, -0.0, kInfinity, -kInfinity, kNan, 0.5, 1, -1};
  while (x.size() < n) {
    const std::uint64_t kind = generator() % 4;
    const double spread = kind < 2 ? 1 : 10;
    x.push_back(kind == 3 ? std::ldexp(normal(generator), static_cast<int>(generator() % 60) - 40)
                          : spread * normal(generator));
  }
  std::vector<unsigned char> array = array_of(format, x);
  call.apply(Order::value, format, array.data(), array.data(), x.size(), current_target());
  for (const double each : doubles_of(format, array)) y.push_back(each);
  double ends[] = {-kInfinity, kInfinity};
  call.apply(Order::value, Format::f64, ends, ends, 2, current_target());
  for (double end : ends)
    if (end = round_to(format, end); std::isfinite(end))
      for (const double at : {end, neighbour(format, end, true), neighbour(format, end, false)})
        y.push_back(at), y.push_back(neighbour(format, at, true)), y.push_back(neighbour(format, at, false));
  for (std::size_t i = 0; i < n / 8; ++i)
    y.push_back(normal(generator) * std::ldexp(1.0, static_cast<int>(generator() % 40) - 30));
  for (double& each : y) each = decode(format, encode(format, round_to(format, each), Overflow::saturate));
  return y;
}

/// The sign of f((a + b)/2) - y, 0 if that is zero, or cannot be told from it.
int side(const exact::Pointwise& f, double a, double b, double y) {
  for (const mpfr_prec_t bits : {200, 400, 1600}) {
    const exact::Precision precision(bits);
    const exact::Interval middle = (exact::Interval(a) + exact::Interval(b)) * exact::Interval(0.5);
    const exact::Interval rest = f.enclose(middle, Order::value, bits) - exact::Interval(y);
    if (mpfr_sgn(rest.lower()) > 0) return 1;
    if (mpfr_sgn(rest.upper()) < 0) return -1;
    if (rest.zero()) return 0;
  }
  return 0;
}

/// Empty if x is right for y.
std::string wrong(const Call& call, const exact::Pointwise& f, Format format, double y, double x) {
  double ends[] = {-kInfinity, kInfinity};
  call.apply(Order::value, Format::f64, ends, ends, 2, current_target());
  const int direction = ends[0] < ends[1] ? 1 : -1;
  if (std::isnan(y)) return std::isnan(x) ? "" : "NaN in, a number out";
  double least = round_to(format, std::min(ends[0], ends[1])), greatest = round_to(format, std::max(ends[0], ends[1]));
  if (std::isnan(x)) return y < least || y > greatest ? "" : "NaN for what f attains";
  if (y < least || y > greatest) return "a number for what f does not attain";
  const double largest = info_of(format).largest;
  if (std::isinf(x)) {
    if (y == round_to(format, ends[x > 0])) return "";
    const double last = std::copysign(largest, x);
    return side(f, last, last, y) * direction * (x > 0 ? 1 : -1) <= 0 ? "" : "infinite too early";
  }
  const double below = neighbour(format, x, false), above = neighbour(format, x, true);
  if (!std::isfinite(below) || !std::isfinite(above)) return "";
  if (side(f, below, x, y) * direction > 0) return "too large";
  if (side(f, x, above, y) * direction < 0) return "too small";
  return "";
}

std::vector<Call> invertible_calls() {
  std::vector<Call> calls;
  for (const Entry& entry : functions())
    if (entry.elementwise())
      for (const Call& call : calls_of(entry))
        if (why_no_inverse(call).empty()) calls.push_back(call);
  return calls;
}

TEST(Inverse, IsTheNumberNearestToTheSolution) {
  std::size_t functions_seen = 0, checked = 0;
  for (const Call& call : invertible_calls()) {
    functions_seen += call.preset();
    const exact::Pointwise f(call);
    for (const Format format : kFormats) {
      const bool defaults = call.preset();
      const std::vector<double> y = outputs(call, format, defaults ? 400 : 60, static_cast<std::uint32_t>(checked));
      std::vector<unsigned char> x = array_of(format, y);
      invert(call, format, x.data(), x.data(), y.size(), current_target());
      const std::vector<double> found = doubles_of(format, x);
      for (std::size_t i = 0; i < y.size(); ++i, ++checked) {
        const std::string fault = wrong(call, f, format, y[i], found[i]);
        ASSERT_EQ(fault, "") << call.text() << " " << info_of(format).name << std::hexfloat << " y = " << y[i]
                             << " x = " << found[i];
      }
    }
  }
  EXPECT_GE(functions_seen, 25u);
  RecordProperty("checked", std::to_string(checked));
}

TEST(Inverse, SameBitsOnEveryTarget) {
  for (const Call& call : invertible_calls()) {
    if (!call.preset()) continue;
    for (const Format format : {Format::f32, Format::f64}) {
      const std::vector<double> y = outputs(call, format, 1000, 5);
      const std::vector<unsigned char> in = array_of(format, y);
      std::vector<unsigned char> want(in.size()), got(in.size());
      invert(call, format, in.data(), want.data(), y.size(), supported_targets().front());
      for (const Target& target : supported_targets()) {
        invert(call, format, in.data(), got.data(), y.size(), target);
        EXPECT_EQ(got, want) << call.text() << " " << target.name;
      }
    }
  }
}

double inverse_of(const char* function, double y, Format format = Format::f64) {
  std::vector<unsigned char> x = array_of(format, {y});
  invert(parse_function(function), format, x.data(), x.data(), 1, current_target());
  return doubles_of(format, x)[0];
}
bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

TEST(Inverse, KnownValues) {
  EXPECT_TRUE(same_bits(inverse_of("sigmoid", 0.5), 0.0));
  EXPECT_EQ(inverse_of("sigmoid", 0.75), 0x1.193ea7aad030bp0);  // log 3
  EXPECT_EQ(inverse_of("exp", 10), 0x1.26bb1bbb55516p1);
  EXPECT_TRUE(same_bits(inverse_of("exp", 1), 0.0));
  EXPECT_EQ(inverse_of("tanh", 0.5), 0x1.193ea7aad030bp-1);
  EXPECT_TRUE(same_bits(inverse_of("tanh", -0.0), -0.0));
  EXPECT_TRUE(same_bits(inverse_of("affine:alpha=-2", 0.0), -0.0));
  EXPECT_EQ(inverse_of("affine:alpha=-2,beta=1", 5), -2);
  EXPECT_EQ(inverse_of("leaky_relu:negative_slope=0.25", -3), -12);
  EXPECT_EQ(inverse_of("softsign", 0.75), 3);
  EXPECT_EQ(inverse_of("expm1", 0x1p-1074), 0x1p-1074);
  EXPECT_EQ(inverse_of("squareplus", 2), 1.5);  // y - b/(4y)
  EXPECT_EQ(inverse_of("exp", 0), -kInfinity);
  EXPECT_EQ(inverse_of("sigmoid", 1), kInfinity);
  EXPECT_TRUE(std::isnan(inverse_of("sigmoid", 0x1.0000000000001p0)));
  EXPECT_TRUE(std::isnan(inverse_of("elu", -1.5)));
  EXPECT_EQ(inverse_of("elu", -1), -kInfinity);
  EXPECT_EQ(inverse_of("arctan", 0x1.921fb6p0, Format::f32), kInfinity);  // pi/2, rounded up
  EXPECT_EQ(inverse_of("arctan", 0x1.921fb54442d18p0), 0x1.d02967c31cdb5p53);
  EXPECT_EQ(inverse_of("identity", kInfinity), kInfinity);
}

TEST(Inverse, TellsWhyThereIsNone) {
  const auto why = [](const char* function) { return why_no_inverse(parse_function(function)); };
  EXPECT_EQ(why("relu"), "relu has no inverse: constant for x <= 0");
  EXPECT_EQ(why("leaky_relu:negative_slope=0"), "leaky_relu:negative_slope=0 has no inverse: that needs s > 0");
  EXPECT_EQ(why("scaled_tanh:beta=0"), "scaled_tanh:beta=0 has no inverse: that needs alpha*beta != 0");
  EXPECT_EQ(why("silu"), "silu has no inverse: two inputs share an output on the non-monotone part");
  EXPECT_EQ(why("rrelu"), "");
  EXPECT_EQ(why("affine:alpha=-1"), "");
  EXPECT_NE(why("affine:alpha=0"), "");
  double x = 1;
  EXPECT_THROW(invert(parse_function("relu"), Format::f64, &x, &x, 1, current_target()), NotPossible);
}

// ---- backward from the output

TEST(FromOutput, IsRoundedOnceAsAFunctionOfTheOutput) {
  std::size_t functions_seen = 0;
  std::mt19937_64 generator(3);
  std::normal_distribution<double> normal;
  for (const Entry& entry : functions()) {
    if (!entry.elementwise()) continue;
    for (const Call& call : calls_of(entry)) {
      if (!why_no_backward_from_output(call).empty()) continue;
      functions_seen += call.preset();
      const Constants parameters = constants(call);
      const big::Evaluate slope = evaluator(call, Part::slope_from_output);
      for (const Format format : kFormats) {
        // What f attains, and no NaN.
        std::vector<double> x(150), g(x.size());
        for (double& each : x) each = normal(generator) * (generator() % 2 == 0 ? 1 : 20);
        for (double& each : g) each = round_to(format, normal(generator));
        std::vector<unsigned char> y = array_of(format, x), upstream = array_of(format, g), dx = y;
        call.apply(Order::value, format, y.data(), y.data(), x.size(), current_target());
        const std::vector<double> output = doubles_of(format, y);
        backward_from_output(call, format, y.data(), upstream.data(), dx.data(), x.size(), current_target());
        for (const Target& target : supported_targets()) {
          std::vector<unsigned char> again = y;
          backward_from_output(call, format, again.data(), upstream.data(), again.data(), x.size(), target);
          EXPECT_EQ(again, dx) << call.text() << " " << target.name;
        }
        const std::vector<double> got = doubles_of(format, dx);
        for (std::size_t i = 0; i < x.size(); ++i) {
          if (!std::isfinite(output[i])) continue;
          const big::Big want = big::Big(g[i]) * slope(big::Big(output[i]), parameters.data());
          const FormatInfo& info = info_of(format);
          // 256 bits do not tell a quotient from the tie that it is.
          const big::Big little = scale(want, -200);
          const double above = (want + little).rounded(info.precision, info.least_exponent);
          const double below = (want - little).rounded(info.precision, info.least_exponent);
          ASSERT_TRUE(got[i] == above || got[i] == below)
              << call.text() << " " << info.name << std::hexfloat << " y = " << output[i] << " g = " << g[i];
        }
      }
    }
  }
  EXPECT_GE(functions_seen, 35u);
}

TEST(FromOutput, FastTierIsWithinThreeUnits) {
  std::size_t seen = 0;
  std::mt19937_64 generator(4);
  std::normal_distribution<float> normal;
  for (const Entry& entry : functions()) {
    if (!entry.elementwise()) continue;
    Call call = parse_function(entry.info->name);
    if (!why_no_backward_from_output(call).empty()) continue;
    std::vector<float> y(1 << 16), g(y.size()), exact(y.size()), fast(y.size());
    for (float& each : y) each = normal(generator) * (generator() % 2 == 0 ? 1.0f : 10.0f);
    for (float& each : g) each = normal(generator);
    y[0] = 0, y[1] = -0.0f, y[2] = 1e-30f, y[3] = -1e-30f, y[4] = 1e-6f, y[5] = -1e-6f;
    call.evaluate(Order::value, y.data(), y.data(), y.size());
    backward_from_output(call, Format::f32, y.data(), g.data(), exact.data(), y.size(), current_target());
    call.tier = Tier::fast;
    std::vector<float> first;
    for (const Target& target : supported_targets()) {
      if (!kernels(call, target).fast_backward_from_output) continue;
      backward_from_output(call, Format::f32, y.data(), g.data(), fast.data(), y.size(), target);
      ++seen;
      if (first.empty()) first = fast;
      for (std::size_t i = 0; i < y.size(); ++i) {
        const float unit = std::ldexp(1.0f, std::max(exact[i] == 0 ? -126 : std::ilogb(exact[i]), -126) - 23);
        ASSERT_LE(std::fabs(fast[i] - exact[i]), 3 * unit) << call.text() << " " << target.name << " y = " << y[i];
        ASSERT_EQ(fast[i], first[i]) << call.text() << " " << target.name;
      }
    }
  }
  if (current_target().bit != compiled_targets().back().bit) {
    EXPECT_GE(seen, 5u);
  }
}

TEST(FromOutput, TellsWhyThereIsNone) {
  const auto why = [](const char* function, Kinks kinks = Kinks::actfun) {
    Call call = parse_function(function);
    call.choose(kinks);
    return why_no_backward_from_output(call);
  };
  EXPECT_EQ(why("silu"),
            "silu has no backward pass from its output: two inputs share an output on the non-monotone part");
  EXPECT_EQ(why("elu:alpha=-1"), "elu:alpha=-1 has no backward pass from its output: that needs alpha >= 0");
  EXPECT_NE(why("prelu:weight=-0.5"), "");
  EXPECT_NE(why("threshold:value=2"), "");
  EXPECT_EQ(why("threshold:value=1"), "");
  EXPECT_NE(why("hardtanh", Kinks::jax), "");
  EXPECT_EQ(why("relu", Kinks::jax), "");
}

// ---- from bits

std::vector<double> inputs_for_bits(const Info& info, Format format, std::size_t n) {
  std::mt19937_64 generator(17);
  std::normal_distribution<double> normal;
  std::vector<double> x = {0.0, -0.0, kInfinity, -kInfinity};
  for (const Kink& kink : info.kinks)
    if (double at = 0; parse_number(kink.x, at))
      for (const double each : {round_to(format, at), -round_to(format, at)})
        x.insert(x.end(), {each, neighbour(format, each, true), neighbour(format, each, false)});
  while (x.size() < n)
    x.push_back(generator() % 4 == 0 ? std::ldexp(normal(generator), static_cast<int>(generator() % 60) - 50)
                                     : normal(generator) * 3);
  for (double& each : x) each = round_to(format, each);
  return x;
}

TEST(Bits, OfTwoSlopesGiveTheBackwardPassFromTheInput) {
  std::size_t functions_seen = 0;
  for (const Entry& entry : functions()) {
    if (!entry.elementwise()) continue;
    for (Call call : calls_of(entry))
      for (std::size_t framework = 0; framework < kKinksCount; ++framework) {
        if (!call.knows(static_cast<Kinks>(framework))) continue;
        call.choose(static_cast<Kinks>(framework));
        if (bits_need_output(call) || !why_no_bits(call).empty()) continue;
        functions_seen += call.preset();
        for (const Format format : kFormats) {
          const std::vector<double> x = inputs_for_bits(call.info(), format, 2500);
          std::vector<double> g = x;
          std::rotate(g.begin(), g.begin() + 7, g.end());
          const std::vector<unsigned char> in = array_of(format, x), upstream = array_of(format, g);
          std::vector<unsigned char> want(in.size()), y = in, got = upstream, value(in.size());
          std::vector<std::uint8_t> bits((x.size() + 7) / 8, 0xff);
          call.multiply(Part::slope, format, in.data(), upstream.data(), want.data(), x.size(), current_target());
          call.apply(Order::value, format, in.data(), value.data(), x.size(), current_target());
          value_and_bits(call, format, y.data(), y.data(), bits.data(), x.size(), current_target());
          EXPECT_EQ(y, value) << call.text();
          backward_from_bits(call, format, nullptr, bits.data(), got.data(), got.data(), x.size(), current_target());
          const std::vector<double> a = doubles_of(format, got), b = doubles_of(format, want);
          for (std::size_t i = 0; i < x.size(); ++i)
            ASSERT_TRUE(same_bits(a[i], b[i]) || (std::isnan(a[i]) && std::isnan(b[i])))
                << call.text() << " " << name_of(call.kinks) << " " << info_of(format).name << " x = " << x[i]
                << " g = " << g[i] << ": " << a[i] << ", not " << b[i];
        }
      }
  }
  EXPECT_GE(functions_seen, 12u);
}

TEST(Bits, OfBranchesComeNearTheBackwardPassFromTheInput) {
  std::size_t functions_seen = 0;
  for (const Entry& entry : functions()) {
    if (!entry.elementwise()) continue;
    for (const Call& call : calls_of(entry)) {
      if (!bits_need_output(call) || !why_no_bits(call).empty()) continue;
      functions_seen += call.preset();
      for (const Format format : kFormats) {
        const std::vector<double> x = inputs_for_bits(call.info(), format, call.preset() ? 2500 : 300);
        const std::size_t n = x.size();
        const std::vector<unsigned char> in = array_of(format, x), ones = array_of(format, std::vector<double>(n, 1.0));
        std::vector<unsigned char> y(in.size()), dx(in.size()), slopes(in.size());
        std::vector<std::uint8_t> bits((n + 7) / 8);
        value_and_bits(call, format, in.data(), y.data(), bits.data(), n, current_target());
        backward_from_bits(call, format, y.data(), bits.data(), ones.data(), dx.data(), n, current_target());
        for (const Target& target : supported_targets()) {
          std::vector<unsigned char> again = y;
          backward_from_bits(call, format, again.data(), bits.data(), ones.data(), again.data(), n, target);
          EXPECT_EQ(again, dx) << call.text() << " " << target.name;
        }
        call.apply(Order::slope, format, in.data(), slopes.data(), n, current_target());
        const std::vector<double> got = doubles_of(format, dx), want = doubles_of(format, slopes),
                                  outputs_of = doubles_of(format, y);
        double steepest = 1;
        for (const double each : want)
          if (std::isfinite(each)) steepest = std::max(steepest, std::fabs(each));
        // y is known to half a unit: near a minimum that is x to the root of it.
        const double bound = 4 * steepest * std::sqrt(std::ldexp(1.0, -info_of(format).precision));
        for (std::size_t i = 0; i < n; ++i) {
          if (!std::isfinite(want[i]) || std::isinf(outputs_of[i])) continue;
          ASSERT_LE(std::fabs(got[i] - want[i]), bound)
              << call.text() << " " << info_of(format).name << " x = " << x[i] << ": " << got[i] << ", not " << want[i];
        }
      }
    }
  }
  EXPECT_GE(functions_seen, 10u);
}

TEST(Bits, TellWhyThereAreNone) {
  const auto why = [](const char* function) { return why_no_bits(parse_function(function)); };
  EXPECT_EQ(why("abs"), "abs has no backward pass from one bit: f' has more than two values");
  EXPECT_EQ(why("tanh"),
            "tanh has no backward pass from one bit: f' has more than two values, and f does not turn once");
  EXPECT_EQ(why("swish:beta=-1"),
            "swish:beta=-1 has no backward pass from one bit: f does not turn once with these parameters");
  for (const char* function :
       {"relu", "leaky_relu", "prelu", "hardtanh", "silu", "gelu", "gelu_tanh", "mish", "swish:beta=3"})
    EXPECT_EQ(why(function), "");
}

}  // namespace
}  // namespace actfun::tests
