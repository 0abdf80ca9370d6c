// SPDX-License-Identifier: Apache-2.0
// The registry: every function of functions/list.def with its record and its kernels.
#include "api/registry.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

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
#define AXIS(file, Name) const RowKernel* lookup_##file(std::int64_t target);
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

// A row that is not contiguous is copied in, worked on, and copied back.
void along_axis(RowKernel kernel, const float* x, float* y, std::size_t outer, std::size_t length, std::size_t inner) {
  if (length == 0) return;
  const DefaultFloatEnvironment environment;
  if (inner == 1) {
    for (std::size_t o = 0; o < outer; ++o) kernel(x + o * length, y + o * length, length);
    return;
  }
  std::vector<float> row(length);
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t i = 0; i < inner; ++i) {
      const std::size_t start = o * length * inner + i;
      for (std::size_t j = 0; j < length; ++j) row[j] = x[start + j * inner];
      kernel(row.data(), row.data(), length);
      for (std::size_t j = 0; j < length; ++j) y[start + j * inner] = row[j];
    }
}

}  // namespace

std::span<const Entry> functions() {
  static const auto entries = [] {
    std::array<Entry, kCount> all{};
    for (std::size_t i = 0; i < kCount; ++i) all[i] = {kRecords[i], static_cast<int>(i)};
    return all;
  }();
  return entries;
}

const Kernels& kernels(const Call& call, const Target& target) {
  return call.instead ? *call.instead : *kLookups[call.entry->id](target.bit);
}

namespace {

using Constants = std::array<Constant, kMaxParameters>;
Constants constants(const Call& call) {
  Constants c;
  for (std::size_t i = 0; i < call.info().parameters.size(); ++i)
    c[i] = {call.parameters[i] + 0.0,  // + 0 makes -0 into 0
            call.rational[i] ? call.info().parameters[i].residue() : 0};
  return c;
}

bool has_limits(const Info& info, Order order) {
  const Limits* limits[] = {&info.limits, &info.derivative_limits, &info.second_derivative_limits};
  const std::string_view text = limits[static_cast<int>(order)]->lower;
  return text != "none" && text != "nan";
}

Elementwise elementwise(const Call& call, Order order, const Target& target, const Constants& parameters) {
  const auto k = static_cast<int>(order);
  const Kernels& all = kernels(call, target);
  return {all.order[k],
          all.wide[k],
          kEvaluators[call.entry->id]()->order[k],
          parameters.data(),
          has_limits(call.info(), order),
          target.bit,
          call.overflow};
}

}  // namespace

void Call::apply(Order order, Format format, const void* x, void* y, std::size_t n, const Target& target) const {
  const DefaultFloatEnvironment environment;
  const Constants parameters_of_call = constants(*this);
  run(elementwise(*this, order, target, parameters_of_call), format, x, y, n);
}
void Call::apply(Order order, const Quantization& in, const Quantization* out, const void* x, void* y, std::size_t n,
                 const Target& target) const {
  const DefaultFloatEnvironment environment;
  const Constants parameters_of_call = constants(*this);
  run(elementwise(*this, order, target, parameters_of_call), in, out, x, y, n);
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
  if (std::isnan(x) || (std::isinf(x) && !has_limits(info(), order))) return std::isnan(result) ? 0 : kInfinity;
  // 2^(2^30) stands for infinity: every limit is reached there.
  const big::Big input = std::isinf(x) ? scale(big::Big(std::copysign(1.0, x)), std::int64_t{1} << 30) : big::Big(x);
  big::Big truth = kEvaluators[entry->id]()->order[static_cast<int>(order)](input, parameters_of_call.data());
  // A rational parameter is held to 2^-107 only: what is left where it should cancel (hard_sigmoid(-3)) is no truth.
  if (std::any_of(rational.begin(), rational.end(), [](bool is) { return is; }) && result == 0 && !truth.zero() &&
      (abs(truth) < scale(abs(input), -100)).holds)
    truth = 0.0;
  if (std::isnan(result)) return kNan;

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
  kernels(*this, target).order[static_cast<int>(order)](x, y, n, constants(*this).data());
}
void Call::evaluate(Order order, const float* x, float* y, std::size_t n) const {
  evaluate(order, x, y, n, current_target());
}
void Call::evaluate_value_and_slope(const float* x, float* y, float* dy, std::size_t n, const Target& target) const {
  const DefaultFloatEnvironment environment;
  kernels(*this, target).value_and_slope(x, y, dy, n, constants(*this).data());
}

void softmax(const float* x, float* y, std::size_t outer, std::size_t length, std::size_t inner, const Target& target) {
  along_axis(*lookup_softmax(target.bit), x, y, outer, length, inner);
}
void log_softmax(const float* x, float* y, std::size_t outer, std::size_t length, std::size_t inner,
                 const Target& target) {
  along_axis(*lookup_log_softmax(target.bit), x, y, outer, length, inner);
}

void maxout(const float* x, float* y, std::int32_t* index, std::size_t outer, std::size_t groups, std::size_t k,
            std::size_t inner) {
  const DefaultFloatEnvironment environment;
  for (std::size_t g = 0; g < outer * groups; ++g)
    for (std::size_t i = 0; i < inner; ++i) {
      const float* members = x + g * k * inner + i;
      const std::size_t winner = definitions::Maxout::winner(members, k, inner);
      y[g * inner + i] = members[winner * inner];
      if (index) index[g * inner + i] = static_cast<std::int32_t>(winner);
    }
}

}  // namespace actfun
