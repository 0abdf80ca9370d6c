// SPDX-License-Identifier: Apache-2.0
// Backward passes that keep one bit an element in the place of the input.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <vector>

#include "api/expression.h"
#include "api/inverse.h"
#include "api/kinks.h"
#include "api/parts.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"
#include "backends/cpu/inverse.h"

namespace actfun {
namespace {

constexpr std::size_t kTile = 1024;  // a multiple of 8
constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

bool bit(const std::uint8_t* bits, std::size_t i) { return bits[i / 8] >> (i % 8) & 1; }

/// n bits, set(i) each.
template <class Set>
void pack(std::uint8_t* bits, std::size_t n, const Set& set) {
  for (std::size_t i = 0; i < n; i += 8) {
    unsigned byte = 0;
    for (std::size_t k = 0; k < std::min<std::size_t>(8, n - i); ++k) byte |= (set(i + k) ? 1u : 0u) << k;
    bits[i / 8] = static_cast<std::uint8_t>(byte);
  }
}

/// For each element of an array of a format whether it has this code.
void pack_equal(Format format, const void* array, std::uint64_t code, std::uint8_t* bits, std::size_t n) {
  const auto compare = [&](auto wanted) {
    pack(bits, n, [&](std::size_t i) {
      auto found = wanted;
      std::memcpy(&found, static_cast<const char*>(array) + i * sizeof found, sizeof found);
      return found == wanted;
    });
  };
  switch (info_of(format).bytes) {
    case 1:
      return compare(static_cast<std::uint8_t>(code));
    case 2:
      return compare(static_cast<std::uint16_t>(code));
    case 4:
      return compare(static_cast<std::uint32_t>(code));
    default:
      return compare(code);
  }
}

// ---- f' has two values

bool piecewise_linear(const Info& info) { return info.second_derivative == "0" && !info.kinks.empty(); }

/// The values that f' takes by the call's convention.
std::set<long double> slopes(const Call& call) {
  std::set<long double> all;
  for (std::size_t i = 0; i < call.info().kinks.size(); ++i) {
    const OneSided& slope = call.info().kinks[i].slope;
    for (const std::string_view text : {slope.left, slope.right, call.slope_at(i)})
      if (const auto value = evaluate(text, call)) all.insert(*value);
  }
  return all;
}

/// A number of the format where f' is this double; NaN if there seems to be none.
double input_with_slope(const Call& call, Format format, double slope, const Target& target) {
  const FormatInfo& info = info_of(format);
  std::vector<double> places = {0, 1, -1};
  double last = 0;
  for (const Kink& kink : call.info().kinks) {
    const auto x = evaluate(kink.x, call);
    if (!x) continue;
    const auto at = static_cast<double>(*x);
    const double step = std::ldexp(std::max(std::fabs(at), std::ldexp(1.0, info.least_exponent)), 2 - info.precision);
    places.insert(places.end(), {at, at - step, at + step, std::midpoint(last, at), 2 * at - 1, 2 * at + 1});
    last = at;
  }
  for (const double place : places) {
    const double x = round_to(format, place);
    double found = x;
    call.apply(Order::slope, Format::f64, &found, &found, 1, target);
    if (found == slope) return x;
  }
  return kNan;
}

class TwoSlopes {
 public:
  TwoSlopes(const Call& call, Format format, const Target& target) : call_(call), format_(format), target_(target) {
    const auto all = slopes(call);
    low_ = static_cast<double>(*all.begin()), high_ = static_cast<double>(*all.rbegin());
  }

  /// For each x whether f' is the larger value.
  void tell(const void* x, std::uint8_t* bits, std::size_t n) const {
    const auto code_of = [&](double slope) { return encode(format_, round_to(format_, slope), Overflow::saturate); };
    alignas(8) double slope[kTile];  // or narrower numbers
    if (code_of(low_) != code_of(high_)) {
      call_.apply(Order::slope, format_, x, slope, n, target_);
      pack_equal(format_, slope, code_of(high_), bits, n);
    } else {  // only doubles tell them apart
      convert(format_, x, Format::f64, slope, n, target_.bit);
      call_.apply(Order::slope, Format::f64, slope, slope, n, target_);
      pack(bits, n, [&](std::size_t i) { return slope[i] == high_; });
    }
  }

  /// dx of inputs that have these slopes. n <= kTile a call but for floats.
  void backward(const std::uint8_t* bits, const void* g, void* dx, std::size_t n) {
    const std::size_t bytes = info_of(format_).bytes;
    if (format_ == Format::f32 && is_float(low_) && is_float(high_))
      return multiply(bits, static_cast<const float*>(g), static_cast<float*>(dx), n);
    if (!inputs_) inputs_ = {input(low_), input(high_)};
    double x[kTile];  // or narrower numbers
    for (std::size_t i = 0; i < n; ++i)
      std::memcpy(reinterpret_cast<char*>(x) + i * bytes, &(*inputs_)[bit(bits, i)], bytes);  // little-endian
    call_.multiply(Part::slope, format_, x, g, dx, n, target_);
  }

 private:
  static bool is_float(double x) { return static_cast<double>(static_cast<float>(x)) == x; }
  void multiply(const std::uint8_t* bits, const float* g, float* dx, std::size_t n) const {
    const DefaultFloatEnvironment environment;
    const float factors[] = {static_cast<float>(low_), static_cast<float>(high_)};
    for (std::size_t i = 0; i < n; ++i) dx[i] = g[i] * factors[bit(bits, i)];
  }
  std::uint64_t input(double slope) const {
    return encode(format_, input_with_slope(call_, format_, slope, target_), Overflow::saturate);
  }

  const Call& call_;
  Format format_;
  const Target& target_;
  double low_, high_;
  std::optional<std::array<std::uint64_t, 2>> inputs_;  ///< with the one and the other slope, in the format
};

// ---- f turns once

const Extremum* only_extremum(const Info& info) {
  const Extremum* only = nullptr;
  for (const Extremum& extremum : info.extrema)
    if (extremum.order == 0) {
      if (only) return nullptr;
      only = &extremum;
    }
  for (const Kink& kink : info.kinks)
    if (kink.order < 2) return nullptr;
  return only;
}

/// Where f turns, once; NaN if it does not with these parameters. The record knows for the defaults.
double turn(const Call& call, const Target& target) {
  const Extremum* extremum = only_extremum(call.info());
  double x = kNan;
  if (!extremum || call.info().parameters.empty()) {
    if (extremum) parse_number(extremum->x, x);
    return x;
  }
  // f' is positive on the right of a minimum, and nowhere on its left.
  const Constants parameters = constants(call);
  const auto rises = [&](double at) {
    double slope, error;
    kernels(call, target).raw[static_cast<int>(Part::slope)](&at, &slope, &error, 1, parameters.data());
    return slope > 0;
  };
  double left = -0x1p100, right = 0x1p100;
  if (extremum->type != "min" || rises(left) || !rises(right)) return kNan;
  while (right - left > std::max(0x1p-30 * std::fabs(left), 0x1p-100)) {
    const double middle = left + (right - left) / 2;
    (rises(middle) ? right : left) = middle;
  }
  if (!rises(0) && rises(0x1p-100)) return 0;
  // Newton's method on 256 bits: the same double whatever the instruction set.
  big::Big root(right);
  for (int steps = 0; steps < 3; ++steps)
    root = root - evaluator(call, Part::slope)(root, parameters.data()) /
                      evaluator(call, Part::curvature)(root, parameters.data());
  return root.nearest();
}

class Branches {
 public:
  Branches(const Call& call, Format format, const Target& target)
      : call_(call), format_(format), target_(target), turn_(turn(call, target)), parameters_(constants(call)) {}

  /// For each x whether it lies before f's minimum.
  void tell(const void* x, std::uint8_t* bits, std::size_t n) const {
    double at[kTile];
    convert(format_, x, Format::f64, at, n, target_.bit);
    pack(bits, n, [&](std::size_t i) { return at[i] < turn_; });
  }

  void backward(const void* y, const std::uint8_t* bits, const void* g, void* dx, std::size_t n) {
    if (!inverters_) {
      const DefaultFloatEnvironment environment;
      const Invertible f = invertible(call_, target_, parameters_);
      inverters_ = {Inverter(f, turn_, kInfinity), Inverter(f, -kInfinity, turn_)};
      at_turn_ = turn_;
      call_.apply(Order::value, Format::f64, &at_turn_, &at_turn_, 1, target_);
    }
    double output[kTile], upstream[kTile], x[kTile];
    convert(format_, y, Format::f64, output, n, target_.bit);
    convert(format_, g, Format::f64, upstream, n, target_.bit);
    // Rounded, an output near the extremum may lie beyond it.
    const bool minimum = only_extremum(call_.info())->type == "min";
    for (std::size_t i = 0; i < n; ++i)
      if (minimum ? output[i] < at_turn_ : output[i] > at_turn_) output[i] = at_turn_;
    {
      const DefaultFloatEnvironment environment;
      for (const bool before : {false, true}) {
        double of_branch[kTile];
        std::size_t count = 0;
        for (std::size_t i = 0; i < n; ++i)
          if (bit(bits, i) == before) of_branch[count++] = output[i];
        (*inverters_)[before].solve(info_of(Format::f64), of_branch, of_branch, count);
        for (std::size_t i = 0, k = 0; i < n; ++i)
          if (bit(bits, i) == before) x[i] = of_branch[k++];
      }
    }
    call_.multiply(Part::slope, Format::f64, x, upstream, x, n, target_);
    convert(Format::f64, x, format_, dx, n, target_.bit);
  }

 private:
  const Call& call_;
  Format format_;
  const Target& target_;
  double turn_, at_turn_ = 0;
  Constants parameters_;
  std::optional<std::array<Inverter, 2>> inverters_;  ///< on the right of the turn and on its left
};

/// Calls run(first, n) for tiles. What the first one prepares is there for those on other threads.
template <class Run>
void for_tiles(const Call& call, std::size_t n, const Run& run) {
  in_parts(n, kTile, call.threads, [&](std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; i += kTile) run(i, std::min(kTile, first + count - i));
  });
}

void refuse_without_bits(const Call& call) {
  if (const std::string why = why_no_bits(call); !why.empty()) throw NotPossible(why);
}

}  // namespace

bool bits_need_output(const Call& call) { return !piecewise_linear(call.info()); }

std::string why_no_bits(const Call& call) {
  const std::string begin = call.text() + " has no backward pass from one bit: ";
  if (piecewise_linear(call.info())) return slopes(call).size() <= 2 ? "" : begin + "f' has more than two values";
  const Extremum* extremum = only_extremum(call.info());
  if (!extremum) return begin + "f' has more than two values, and f does not turn once";
  if (std::isfinite(turn(call, current_target()))) return "";
  return begin + "f does not turn once with these parameters";
}

void value_and_bits(const Call& call, Format format, const void* x, void* y, std::uint8_t* bits, std::size_t n,
                    const Target& target) {
  refuse_without_bits(call);
  const auto run = [&](const auto& kind) {
    for_tiles(call, n, [&](std::size_t i, std::size_t m) { kind.tell(element_at(format, x, i), bits + i / 8, m); });
  };
  bits_need_output(call) ? run(Branches(call, format, target)) : run(TwoSlopes(call, format, target));
  call.apply(Order::value, format, x, y, n, target);
}

void backward_from_bits(const Call& call, Format format, const void* y, const std::uint8_t* bits, const void* g,
                        void* dx, std::size_t n, const Target& target) {
  refuse_without_bits(call);
  if (bits_need_output(call)) {
    Branches branches(call, format, target);
    for_tiles(call, n, [&](std::size_t i, std::size_t m) {
      branches.backward(element_at(format, y, i), bits + i / 8, element_at(format, g, i), element_at(format, dx, i), m);
    });
  } else {
    TwoSlopes slopes_of(call, format, target);
    for_tiles(call, n, [&](std::size_t i, std::size_t m) {
      slopes_of.backward(bits + i / 8, element_at(format, g, i), element_at(format, dx, i), m);
    });
  }
}

}  // namespace actfun
