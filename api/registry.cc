// SPDX-License-Identifier: Apache-2.0
// The registry: every function of functions/list.def with its record and its kernels.
#include "api/registry.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "api/kinks.h"
#include "api/parts.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"
#include "core/arithmetic.h"
#include "core/language.h"

namespace actfun {

namespace definitions {
#include "all_functions.h"
}  // namespace definitions

#define ELEMENTWISE(file, Name)                      \
  const Kernels* lookup_##file(std::int64_t target); \
  namespace big {                                    \
  const Evaluators* evaluators_##file();             \
  }
#define AXIS(file, Name)
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS

namespace {

constexpr const Info* kRecords[] = {
#define ELEMENTWISE(file, Name) &definitions::Name::info,
#define AXIS ELEMENTWISE
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS
};
constexpr std::size_t kCount = std::size(kRecords);

constexpr Arithmetic kArithmetics[] = {
#define ELEMENTWISE(file, Name) arithmetic_of<definitions::Name>(),
#define AXIS ELEMENTWISE
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS
};

const Kernels* (*const kLookups[])(std::int64_t) = {
#define ELEMENTWISE(file, Name) lookup_##file,
#define AXIS(file, Name) nullptr,
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS
};

const big::Evaluators* (*const kEvaluators[])() = {
#define ELEMENTWISE(file, Name) big::evaluators_##file,
#define AXIS(file, Name) nullptr,
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS
};

}  // namespace

std::span<const Entry> functions() {
  static constexpr auto kEntries = [] {
    std::array<Entry, kCount> all{};
    for (std::size_t i = 0; i < kCount; ++i) all[i] = {kRecords[i], static_cast<int>(i)};
    return all;
  }();
  return kEntries;
}

namespace {

/// A parameter's text, read once: calls on few elements would feel it.
struct ReadParameter {
  enum { any, above, at_least, at_most } domain = any;
  bool integer = false;
  double bound = 0;
  int bound_by = -1;  ///< the parameter whose value is the bound
  Constant exact;     ///< the default, less its nearest double, and as a fraction
};

constexpr ReadParameter read(const Info& info, std::size_t i) {
  const Parameter& parameter = info.parameters[i];
  ReadParameter p;
  if (!parameter.exact.empty())
    p.exact = {0, parameter.residue(), parameter.fraction().numerator, parameter.fraction().denominator};
  std::string_view text = parameter.domain;
  if (text.starts_with("any real")) return p;
  if ((p.integer = text.starts_with("integer "))) text.remove_prefix(8);
  p.domain = text.starts_with("<=")   ? ReadParameter::at_most
             : text.starts_with(">=") ? ReadParameter::at_least
                                      : ReadParameter::above;
  for (const char c : parameter.bound())
    if (c >= '0' && c <= '9') p.bound = 10 * p.bound + (c - '0');
  for (std::size_t j = 0; j < info.parameters.size(); ++j)
    if (info.parameters[j].name == parameter.bound()) p.bound_by = static_cast<int>(j);
  return p;
}

constexpr auto kParameters = [] {
  std::array<std::array<ReadParameter, kMaxParameters>, kCount> all{};
  for (std::size_t k = 0; k < kCount; ++k)
    for (std::size_t i = 0; i < kRecords[k]->parameters.size(); ++i) all[k][i] = read(*kRecords[k], i);
  return all;
}();

}  // namespace

bool accepts(const Entry& entry, std::size_t i, const double* values) {
  const ReadParameter& p = kParameters[static_cast<std::size_t>(entry.id)][i];
  const double value = values[i], bound = p.bound_by < 0 ? p.bound : values[p.bound_by];
  if (!std::isfinite(value)) return false;
  if (p.integer && (value > 0x1p53 || value != std::trunc(value))) return false;
  switch (p.domain) {
    case ReadParameter::above:
      return value > bound;
    case ReadParameter::at_least:
      return value >= bound;
    case ReadParameter::at_most:
      return value <= bound;
    default:
      return true;
  }
}

big::Big exactly(long double x) {
  const auto high = static_cast<double>(x);
  return big::Big(high) + big::Big(static_cast<double>(x - static_cast<long double>(high)));
}

const Kernels& kernels(const Call& call, const Target& target) {
  return call.instead ? *call.instead : *kLookups[call.entry->id](target.bit);
}

Constants constants(const Call& call) {
  // One by one: zeros for all of them at first would be a string instruction, and cost more than all else here.
  const auto constant = [&](std::size_t i) -> Constant {
    if (i >= call.info().parameters.size()) return {};
    const double value = call.parameters[i] + 0.0;  // + 0 makes -0 into 0
    if (!call.rational[i]) return {value};
    const Constant& exact = kParameters[static_cast<std::size_t>(call.entry->id)][i].exact;
    return {value, exact.low, exact.numerator, exact.denominator};
  };
  static_assert(kMaxParameters == 4);
  return {constant(0), constant(1), constant(2), constant(3)};
}

big::Evaluate evaluator(const Call& call, Part part) {
  return kEvaluators[call.entry->id]()->part[static_cast<int>(part)];
}

Arithmetic arithmetic(const Call& call) { return kArithmetics[call.entry->id]; }

bool has_limits(const Call& call, Order order) {
  const Limits* limits[] = {&call.info().limits, &call.info().derivative_limits, &call.info().second_derivative_limits};
  const std::string_view text = limits[static_cast<int>(order)]->lower;
  if (text != "none" && text != "nan") return true;
  // The record is about the default parameters. What the kernel for floats says holds for all: sin(0 x) is 0.
  const float infinity = std::numeric_limits<float>::infinity();
  float limit;
  kernels(call, compiled_targets().back())
      .order[static_cast<int>(order)](&infinity, &limit, 1, constants(call).data(), Passage::near);
  return !std::isnan(limit);
}

namespace {

/// The fast tier's kernel, or null where it has none for the call.
Kernels::Unary fast_kernel(const Call& call, Order order, const Kernels& all) {
  if (call.tier != Tier::fast || order == Order::curvature || !call.default_parameters()) return nullptr;
  return all.fast[static_cast<int>(order)];
}

}  // namespace

Kernels::Unary float_kernel(const Call& call, Order order, const Target& target) {
  const Kernels& all = kernels(call, target);
  const Kernels::Unary fast = fast_kernel(call, order, all);
  return fast ? fast : all.order[static_cast<int>(order)];
}

namespace {

Elementwise elementwise(const Call& call, Order order, const Target& target, const Constants& parameters) {
  const auto k = static_cast<int>(order);
  const Kernels& all = kernels(call, target);
  return {all.order[k], all.wide[k],  evaluator(call, part_of(order)), parameters.data(), has_limits(call, order),
          target.bit,   call.overflow};
}

/// An input's bits, and the result that takes the place of the kernel's there.
struct Replacement {
  std::uint64_t input, result;
};
using Replacements = List<Replacement, 4>;  // two kinks; at zero both zeros

std::uint64_t rounded(long double y, Format format, Overflow overflow) {
  const FormatInfo& info = info_of(format);
  return encode(format, exactly(y).rounded(info.precision, info.least_exponent), overflow);
}

Replacements replacements(const Call& call, Order order, Format format) {
  Replacements list;
  if (order != Order::slope) return list;
  for (const auto& [x, slope] : other_slopes(call)) {
    const std::uint64_t code = encode(format, x, Overflow::saturate), result = rounded(slope, format, call.overflow);
    if (decode(format, code) != x) continue;  // the format lacks it
    list.items[list.count++] = {code, result};
    if (x == 0) list.items[list.count++] = {encode(format, -x, Overflow::saturate), result};
  }
  return list;
}

Replacements replacements(const Call& call, Order order, const Quantization& in, const Quantization* out) {
  Replacements list;
  if (order != Order::slope) return list;
  for (const auto& [x, slope] : other_slopes(call)) {
    std::uint64_t result = 0;
    if (out) {
      const std::int64_t least = out->is_signed ? -128 : 0;
      const std::int64_t q = (exactly(slope) / big::Big(out->scale)).nearest_integer() + out->zero_point;
      result = static_cast<std::uint8_t>(std::clamp(q, least, least + 255));
    } else {
      result = rounded(slope, Format::f32, call.overflow);
    }
    const int least = in.is_signed ? -128 : 0;
    for (int q = least; q <= least + 255; ++q)
      if ((q - in.zero_point) * static_cast<double>(in.scale) == x)
        list.items[list.count++] = {static_cast<std::uint8_t>(q), result};
  }
  return list;
}

/// run(i, m) computes the results of the inputs i..i+m-1. Those `bytes` long at y are replaced as `all` says; Code is
/// an input's bits. In place, the inputs are gone afterwards: so in tiles, each of which is kept.
template <class Code, class Run>
void run_and_replace(const Replacements& all, const void* x, void* y, std::size_t bytes, bool in_place, std::size_t n,
                     Run run) {
  if (all.empty()) return run(0, n);
  constexpr std::size_t kTile = 1024;
  Code kept[kTile];
  const std::size_t tile = in_place ? kTile : n;
  for (std::size_t first = 0; first < n; first += tile) {
    const std::size_t m = std::min(tile, n - first);
    const auto* from = static_cast<const unsigned char*>(x) + first * sizeof(Code);
    if (in_place) from = static_cast<const unsigned char*>(std::memcpy(kept, from, m * sizeof(Code)));
    run(first, m);
    for (std::size_t i = 0; i < m; ++i) {
      Code code;
      std::memcpy(&code, from + i * sizeof(Code), sizeof(Code));
      for (const Replacement& replacement : all)
        if (code == replacement.input)
          std::memcpy(static_cast<unsigned char*>(y) + (first + i) * bytes, &replacement.result, bytes);
    }
  }
}

template <class Run>
void run_and_replace(const Replacements& all, Format format, const void* x, void* y, bool in_place, std::size_t n,
                     Run run) {
  const std::size_t bytes = info_of(format).bytes;
  switch (bytes) {
    case 1:
      return run_and_replace<std::uint8_t>(all, x, y, bytes, in_place, n, run);
    case 2:
      return run_and_replace<std::uint16_t>(all, x, y, bytes, in_place, n, run);
    case 4:
      return run_and_replace<std::uint32_t>(all, x, y, bytes, in_place, n, run);
    default:
      return run_and_replace<std::uint64_t>(all, x, y, bytes, in_place, n, run);
  }
}

void evaluate_many(const Call& call, Order order, Kernels::Unary kernel, const Constant* p, const float* x, float* y,
                   std::size_t n) {
  const Passage passage = passage_of(x, y, n * sizeof(float));
  const Replacements all = replacements(call, order, Format::f32);
  in_parts(n, tile_of(Format::f32), call.threads, [&](std::size_t first, std::size_t count) {
    const float* from = x + first;
    float* to = y + first;
    reads(from, count * sizeof(float)), writes(to, count * sizeof(float));
    run_and_replace(all, Format::f32, from, to, x == y, count,
                    [&](std::size_t i, std::size_t m) { kernel(from + i, to + i, m, p, passage); });
  });
}

}  // namespace

bool Call::has_fast_kernel(Order order, const Target& target) const {
  return fast_kernel(*this, order, kernels(*this, target));
}

void Call::apply(Order order, Format format, const void* x, void* y, std::size_t n, const Target& target) const {
  if (format == Format::f32) return evaluate(order, static_cast<const float*>(x), static_cast<float*>(y), n, target);
  const DefaultFloatEnvironment environment;
  const Constants parameters_of_call = constants(*this);
  const std::size_t bytes = info_of(format).bytes;
  const Runner run(elementwise(*this, order, target, parameters_of_call), format, n, passage_of(x, y, n * bytes));
  const Replacements all = replacements(*this, order, format);
  in_parts(n, tile_of(format), threads, [&](std::size_t first, std::size_t count) {
    const void* from = element_at(format, x, first);
    void* to = element_at(format, y, first);
    reads(from, count * bytes), writes(to, count * bytes);
    run_and_replace(all, format, from, to, x == y, count, [&](std::size_t i, std::size_t m) {
      run(element_at(format, from, i), element_at(format, to, i), m);
    });
  });
}
void Call::apply(Order order, const Quantization& in, const Quantization* out, const void* x, void* y, std::size_t n,
                 const Target& target) const {
  const DefaultFloatEnvironment environment;
  const Constants parameters_of_call = constants(*this);
  const QuantizedRunner run(elementwise(*this, order, target, parameters_of_call), in, out);
  const std::size_t bytes = out ? 1 : sizeof(float);
  const Replacements all = replacements(*this, order, in, out);
  in_parts(n, tile_of(Format::f8e5m2), threads, [&](std::size_t first, std::size_t count) {
    const auto* from = static_cast<const unsigned char*>(x) + first;
    auto* to = static_cast<unsigned char*>(y) + first * bytes;
    reads(from, count), writes(to, count * bytes);
    run_and_replace<std::uint8_t>(all, from, to, bytes, x == y, count,
                                  [&](std::size_t i, std::size_t m) { run(from + i, to + i * bytes, m); });
  });
}
double Call::evaluate_big(Order order, Format format, double x) const {
  const DefaultFloatEnvironment environment;
  const Constants parameters_of_call = constants(*this);
  return actfun::evaluate_big(elementwise(*this, order, compiled_targets().back(), parameters_of_call), format, x);
}

double Call::error_in_ulp(Order order, Format format, double x, double result) const {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();
  const DefaultFloatEnvironment environment;
  const Constants parameters_of_call = constants(*this);
  if (std::isnan(x) || (std::isinf(x) && !has_limits(*this, order))) return std::isnan(result) ? 0 : kInfinity;
  // 2^(2^30) stands for infinity: every limit is reached there.
  const big::Big input = std::isinf(x) ? scale(big::Big(std::copysign(1.0, x)), std::int64_t{1} << 30) : big::Big(x);
  const auto true_at = [&](const big::Big& at) {
    return evaluator(*this, part_of(order))(at, parameters_of_call.data());
  };
  big::Big truth = true_at(input);
  if (std::isnan(result)) return kNan;
  // exp(exp(x)) has no exponent left there to vanish against; for such, infinity is near.
  if (std::isinf(x) && std::isfinite(result) && std::isinf(truth.nearest()))
    truth = true_at(big::Big(std::copysign(0x1p50, x)));

  const FormatInfo& in = info_of(format);
  const double nearest = truth.rounded(in.precision, in.least_exponent);
  if (std::fabs(nearest) > in.largest) {  // an infinity, or what the format has for it
    const double expected = std::copysign(in.infinite ? kInfinity : in.largest, nearest);
    return result == expected ? 0 : std::copysign(kInfinity, result - expected);
  }
  if (std::isinf(result)) return result;
  const std::int64_t exponent =
      truth.zero() ? in.least_exponent : std::max<std::int64_t>(truth.exponent(), in.least_exponent);
  return scale(big::Big(result) - truth, in.precision - 1 - exponent).nearest();
}

void Call::evaluate(Order order, const float* x, float* y, std::size_t n, const Target& target) const {
  const DefaultFloatEnvironment environment;
  const Kernels::Unary kernel = float_kernel(*this, order, target);
  const Constants parameters_of_call = constants(*this);
  if (kinks == Kinks::actfun && n / kTilesToShare < tile_of(Format::f32)) {  // few elements feel every question
    reads(x, n * sizeof(float)), writes(y, n * sizeof(float));
    return kernel(x, y, n, parameters_of_call.data(), Passage::near);
  }
  evaluate_many(*this, order, kernel, parameters_of_call.data(), x, y, n);
}
void Call::evaluate(Order order, const float* x, float* y, std::size_t n) const {
  evaluate(order, x, y, n, current_target());
}
void Call::evaluate_value_and_slope(const float* x, float* y, float* dy, std::size_t n, const Target& target) const {
  const DefaultFloatEnvironment environment;
  const Constants parameters_of_call = constants(*this);
  const Constant* p = parameters_of_call.data();
  const Kernels::Pair kernel = kernels(*this, target).value_and_slope;
  const bool fast = has_fast_kernel(Order::value, target) || has_fast_kernel(Order::slope, target);
  const auto run_pair = [&](const float* from, float* to, float* slope, std::size_t m) {
    if (!fast) return kernel(from, to, slope, m, p);
    // One after the other, in tiles that stay in a cache; of inputs that may be written over.
    constexpr std::size_t kTile = 1024;
    float inputs[kTile];
    for (std::size_t i = 0; i < m; i += kTile) {
      const std::size_t size = std::min(kTile, m - i);
      std::copy_n(from + i, size, inputs);
      float_kernel(*this, Order::value, target)(inputs, to + i, size, p, Passage::near);
      float_kernel(*this, Order::slope, target)(inputs, slope + i, size, p, Passage::near);
    }
  };
  const Replacements all = replacements(*this, Order::slope, Format::f32);
  in_parts(n, tile_of(Format::f32), threads, [&](std::size_t first, std::size_t count) {
    const float* from = x + first;
    float *to = y + first, *slope = dy + first;
    const std::size_t bytes = count * sizeof(float);
    reads(from, bytes), writes(to, bytes), writes(slope, bytes);
    run_and_replace(all, Format::f32, from, slope, x == y || x == dy, count,
                    [&](std::size_t i, std::size_t m) { run_pair(from + i, to + i, slope + i, m); });
  });
}

}  // namespace actfun
