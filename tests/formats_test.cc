// SPDX-License-Identifier: Apache-2.0
// Arrays of every format: codes, in place, lengths, tables against direct computation, f64, quantised integers. What
// is right comes from 256-bit arithmetic here; certificates_test has the oracle's word for it.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "tests/inputs.h"

namespace actfun::tests {
namespace {

constexpr Format kNarrow[] = {Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2};

std::size_t codes(Format format) { return std::size_t{1} << (8 * info_of(format).bytes); }

/// All codes of a narrow format, as an array of it.
std::vector<std::uint8_t> all_codes(Format format) {
  const std::size_t bytes = info_of(format).bytes;
  std::vector<std::uint8_t> x(codes(format) * bytes);
  for (std::size_t i = 0; i < codes(format); ++i) std::memcpy(&x[i * bytes], &i, bytes);
  return x;
}
std::uint64_t code_at(Format format, const std::vector<std::uint8_t>& x, std::size_t i) {
  std::uint64_t code = 0;
  std::memcpy(&code, &x[i * info_of(format).bytes], info_of(format).bytes);
  return code;
}
std::string text(Format format) { return std::string(info_of(format).name); }

TEST(Codes, AreTheFormatsNumbers) {
  EXPECT_EQ(decode(Format::f16, 0x7bff), 65504);
  EXPECT_EQ(decode(Format::f16, 1), 0x1p-24);
  EXPECT_EQ(decode(Format::bf16, 0x3f80), 1);
  EXPECT_EQ(decode(Format::f8e4m3fn, 0x7e), 448);
  EXPECT_EQ(decode(Format::f8e4m3fn, 0x01), 0x1p-9);
  EXPECT_TRUE(std::isnan(decode(Format::f8e4m3fn, 0x7f)));
  EXPECT_EQ(decode(Format::f8e5m2, 0x7b), 57344);
  EXPECT_TRUE(std::isinf(decode(Format::f8e5m2, 0xfc)));
  for (const Format format : kNarrow)
    for (std::uint64_t code = 0; code < codes(format); ++code)
      if (const double x = decode(format, code); !std::isnan(x)) {
        EXPECT_EQ(encode(format, x, Overflow::saturate), code) << text(format) << " " << x;
      }
}

// Of neighbouring codes, the nearer number, and of a tie the even code.
TEST(Codes, RoundToNearestEven) {
  for (const Format format : kNarrow)
    for (std::uint64_t code = 0;; ++code) {
      const double a = decode(format, code), b = decode(format, code + 1);
      if (!std::isfinite(b)) break;
      const auto middle = static_cast<float>((a + b) / 2);
      ASSERT_EQ(static_cast<double>(middle), (a + b) / 2);
      const float inputs[] = {std::nextafter(middle, 0.0f), middle, std::nextafter(middle, HUGE_VALF)};
      const std::uint64_t want[] = {code, code + (code & 1), code + 1};
      for (const float sign : {1.0f, -1.0f})
        for (int i = 0; i < 3; ++i) {
          const std::uint64_t sign_bit = sign < 0 ? codes(format) / 2 : 0;
          const double x = static_cast<double>(sign * inputs[i]);
          EXPECT_EQ(encode(format, x, Overflow::saturate), want[i] | sign_bit) << text(format) << " " << x;
          for (const Target& target : supported_targets()) {
            const float y = sign * inputs[i];
            std::uint16_t narrowed = 0;
            const bool open = conversions(format, target.bit).narrow(&y, &narrowed, 1, Overflow::saturate);
            EXPECT_TRUE(open || i != 1) << text(format) << " " << x << " " << target.name;
            EXPECT_EQ(narrowed, want[i] | sign_bit) << text(format) << " " << x << " " << target.name;
          }
        }
    }
}

TEST(Codes, Overflow) {
  EXPECT_EQ(encode(Format::f8e4m3fn, 1e6, Overflow::saturate), 0x7eu);
  EXPECT_EQ(encode(Format::f8e4m3fn, -1e6, Overflow::saturate), 0xfeu);
  EXPECT_EQ(encode(Format::f8e4m3fn, 1e6, Overflow::nan), 0x7fu);
  EXPECT_EQ(encode(Format::f8e4m3fn, 464, Overflow::nan), 0x7eu);  // a tie, to even
  EXPECT_EQ(encode(Format::f8e4m3fn, 465, Overflow::nan), 0x7fu);
  EXPECT_EQ(encode(Format::f8e5m2, 1e6, Overflow::saturate), 0x7cu);
  EXPECT_EQ(encode(Format::f16, 65520, Overflow::saturate), 0x7c00u);
  EXPECT_EQ(encode(Format::bf16, 3.4e38, Overflow::saturate), 0x7f80u);
}

class Formats : public testing::TestWithParam<const Entry*> {
 protected:
  Call call() const { return parse_function(GetParam()->info->name); }
};

TEST_P(Formats, NarrowResultsAreRoundedOnce) {
  for (const Format format : {Format::f16, Format::f8e4m3fn, Format::f8e5m2})
    for (const Order order : kOrders) {
      const std::vector<std::uint8_t> x = all_codes(format);
      std::vector<std::uint8_t> y(x.size());
      call().apply(order, format, x.data(), y.data(), codes(format), current_target());
      for (std::size_t i = 0; i < codes(format); i += format == Format::f16 ? 13 : 1) {
        const double in = decode(format, i);
        if (!std::isfinite(in)) continue;
        const double want = call().evaluate_big(order, format, in);
        const double got = decode(format, code_at(format, y, i));
        EXPECT_EQ(code_at(format, y, i) & (codes(format) / 2 - 1),
                  encode(format, want, Overflow::saturate) & (codes(format) / 2 - 1))
            << call().text() << " " << name(order) << " " << text(format) << " " << in << ": " << got << ", not "
            << want;
      }
    }
}

TEST_P(Formats, TablesHoldWhatIsComputedDirectly) {
  for (const Format format : kNarrow) {
    const std::size_t bytes = info_of(format).bytes, n = (std::size_t{1} << 18) + 37;
    std::vector<std::uint8_t> x(n * bytes), y(n * bytes), z(n * bytes);
    std::mt19937 generator(7);
    for (auto& byte : x) byte = static_cast<std::uint8_t>(generator());
    call().apply(Order::value, format, x.data(), y.data(), n, current_target());
    constexpr std::size_t kPiece = 97;  // too short for a table
    for (std::size_t i = 0; i < n; i += kPiece)
      call().apply(Order::value, format, &x[i * bytes], &z[i * bytes], std::min(kPiece, n - i), current_target());
    EXPECT_EQ(y, z) << call().text() << " " << text(format);
    call().apply(Order::value, format, x.data(), x.data(), n, current_target());
    EXPECT_EQ(x, z) << call().text() << " " << text(format) << " in place";
  }
}

TEST_P(Formats, DoublesAreRoundedOnce) {
  std::vector<double> x = {0.0, -0.0, 5e-324, -5e-324, 1e-300, -1e-300, 1e300, -1e300, 700, -700, -745, -38.4, 40, -40};
  for (const Extremum& extremum : GetParam()->info->extrema)  // the roots of derivatives
    for (double root = std::strtod(std::string(extremum.x).c_str(), nullptr), i = 0; i < 3; ++i)
      x.push_back(i == 0 ? root : std::nextafter(root, i == 1 ? -HUGE_VAL : HUGE_VAL));
  std::mt19937_64 generator(11);
  for (int i = 0; i < 300; ++i) {
    const double magnitude =
        std::ldexp(1 + static_cast<double>(generator() >> 12) * 0x1p-52, static_cast<int>(generator() % 40) - 30);
    x.push_back(generator() & 1 ? magnitude : -magnitude);
  }
  for (const Order order : kOrders)
    for (const Target& target : supported_targets()) {
      std::vector<double> y(x.size());
      call().apply(order, Format::f64, x.data(), y.data(), x.size(), target);
      for (std::size_t i = 0; i < x.size(); ++i)
        EXPECT_EQ(y[i], call().evaluate_big(order, Format::f64, x[i]))
            << call().text() << " " << name(order) << " " << std::hexfloat << x[i] << " " << target.name;
      std::vector<double> in_place = x;
      call().apply(order, Format::f64, in_place.data(), in_place.data(), x.size(), target);
      for (std::size_t i = 0; i < x.size(); ++i)
        EXPECT_EQ(std::bit_cast<std::uint64_t>(in_place[i]), std::bit_cast<std::uint64_t>(y[i]));
    }
}

// A double that is a float, rounded to float afterwards, is the float's result; signs of zeros and limits, too.
TEST_P(Formats, DoublesAgreeWithFloats) {
  const std::vector<float> x = special_inputs();
  std::vector<double> wide(x.begin(), x.end()), y(x.size());
  std::vector<float> z(x.size());
  for (const Order order : kOrders) {
    call().apply(order, Format::f64, wide.data(), y.data(), x.size(), current_target());
    call().evaluate(order, x.data(), z.data(), x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto rounded = static_cast<float>(y[i]);
      EXPECT_TRUE(same(rounded, z[i]) || std::abs(static_cast<double>(rounded) - static_cast<double>(z[i])) <=
                                             std::ldexp(std::abs(static_cast<double>(z[i])), -23))
          << call().text() << " " << name(order) << " " << std::hexfloat << x[i] << ": " << y[i] << ", " << z[i];
      if (z[i] == 0 && y[i] == 0) {
        EXPECT_EQ(std::signbit(y[i]), std::signbit(z[i])) << call().text() << " " << x[i];
      }
    }
  }
}

TEST_P(Formats, QuantisedResultsAreRoundedOnce) {
  struct Case {
    Quantization in, out;
  };
  const Case cases[] = {{{true, 0.05f, 3}, {true, 0.03f, -5}},  {{false, 0x1p-4f, 128}, {false, 0x1p-5f, 7}},
                        {{true, 0.25f, 0}, {false, 0.125f, 0}}, {{false, 1.0f, 0}, {true, 2.0f, 0}},
                        {{true, 1e-30f, 0}, {true, 1e-31f, 0}}, {{false, 1e30f, 100}, {true, 1e28f, 0}}};
  std::uint8_t x[256];
  for (int i = 0; i < 256; ++i) x[i] = static_cast<std::uint8_t>(i);
  const auto integer = [](const Quantization& q, std::uint8_t code) {
    return q.is_signed ? static_cast<int>(static_cast<std::int8_t>(code)) : static_cast<int>(code);
  };
  for (const auto& [in, out] : cases)
    for (const Order order : kOrders) {
      std::uint8_t y[256];
      float floats[256];
      call().apply(order, in, &out, x, y, 256, current_target());
      call().apply(order, in, nullptr, x, floats, 256, current_target());
      for (std::size_t i = 0; i < 256; ++i) {
        const double real = (integer(in, x[i]) - in.zero_point) * static_cast<double>(in.scale);
        // In long double, from the double nearest to f: a tie can be told unless the quotient is nearly one.
        const long double f = static_cast<long double>(call().evaluate_big(order, Format::f64, real));
        const long double q = f / static_cast<long double>(out.scale);
        const int least = out.is_signed ? -128 : 0;
        const long double want = std::clamp<long double>(std::nearbyintl(q) + out.zero_point, least, least + 255);
        const bool tie = std::abs(std::abs(q - std::nearbyintl(q)) - 0.5L) < 1e-13L;
        EXPECT_NEAR(static_cast<double>(integer(out, y[i])), static_cast<double>(want), tie ? 1 : 0)
            << call().text() << " " << name(order) << " " << real;
        EXPECT_EQ(floats[i], static_cast<float>(call().evaluate_big(order, Format::f32, real)));
      }
    }
}

TEST(Quantised, TiesGoToEven) {
  const Quantization in{true, 1.0f, 0}, out{true, 2.0f, 0};  // q / 2
  const std::int8_t x[] = {1, 3, 5, -1, -3, -5, 127, -128};
  const std::int8_t want[] = {0, 2, 2, 0, -2, -2, 64, -64};
  std::int8_t y[8];
  parse_function("identity").apply(Order::value, in, &out, x, y, 8, current_target());
  for (int i = 0; i < 8; ++i) EXPECT_EQ(y[i], want[i]) << static_cast<int>(x[i]);
}

TEST(HardSigmoid, DefaultIsExactlyOneSixth) {
  const double x = 2.7;
  const double exact = parse_function("hard_sigmoid").evaluate_big(Order::slope, Format::f64, x);
  EXPECT_EQ(exact, 1.0 / 6);
  const float y = -0x1.7ffffep1f;  // just right of the kink at -3
  const auto at = [&](const char* text) {
    return parse_function(text).evaluate_big(Order::value, Format::f64, static_cast<double>(y));
  };
  EXPECT_NE(at("hard_sigmoid"), at("hard_sigmoid:alpha=0.16666666666666666"));
  EXPECT_EQ(at("hard_sigmoid"), (static_cast<double>(y) + 3) / 6);
  EXPECT_TRUE(parse_function("hard_sigmoid").preset());
  EXPECT_FALSE(parse_function("hard_sigmoid:alpha=0.16666666666666666").preset());
}

std::vector<const Entry*> elementwise() {
  std::vector<const Entry*> entries;
  for (const Entry& entry : functions())
    if (entry.elementwise()) entries.push_back(&entry);
  return entries;
}
INSTANTIATE_TEST_SUITE_P(Function, Formats, testing::ValuesIn(elementwise()),
                         [](const auto& test) { return std::string(test.param->info->name); });

}  // namespace
}  // namespace actfun::tests
