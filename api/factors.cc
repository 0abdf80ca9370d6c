// SPDX-License-Identifier: Apache-2.0
#include "api/factors.h"

#include "api/kinks.h"

namespace actfun {

Factors::Factors(const Call& call, std::span<const Part> parts, const Target& target) : constants_(constants(call)) {
  std::size_t exceptions = 0;
  for (const auto& [x, slope] : other_slopes(call)) exceptions_[exceptions++] = {x, exactly(slope)};
  const Kernels& all = kernels(call, target);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto k = static_cast<std::size_t>(parts[i]);
    // A derivative with respect to a parameter has limits if f' has.
    const Order limits = k <= static_cast<std::size_t>(Part::curvature) ? static_cast<Order>(k) : Order::slope;
    Factor& f = factors_[i];
    f.raw = all.raw[k], f.each = all.each[k], f.wide = all.wide[k];
    f.big = evaluator(call, parts[i]);
    f.parameters = constants_.data();
    f.has_limits = parts[i] == Part::slope_from_output || has_limits(call, limits);
    f.target = target.bit;
    f.count = call.info().parameters.size();
    f.overflow = call.overflow;
    if (parts[i] != Part::slope) continue;
    f.exceptions = {exceptions_, exceptions};
    if (arithmetic(call) == Arithmetic::single) f.exact = all.order[k];
  }
}

Call call_of_channel(const Call& call, const Channels& shape, std::size_t channel) {
  Call own = call;
  for (std::size_t k = 0; k < call.info().parameters.size(); ++k)
    if (shape.parameters[k]) own.parameters[k] = shape.parameter(k, channel), own.rational[k] = false;
  return own;
}

bool channels_share_tiles(const Call& call, const Channels& shape) {
  if (!shape.varies()) return true;
  if (shape.inner >= kLongRow) return false;
  // A kernel for elements with parameters of their own knows neither conventions at kinks nor fractions.
  for (std::size_t k = 0; k < call.info().parameters.size(); ++k)
    if (call.rational[k] && !shape.parameters[k]) return false;
  return call.kinks == Kinks::actfun;
}

ParametersOfElements::ParametersOfElements(const Call& call, const Channels& shape) : call_(call), shape_(shape) {
  for (std::size_t k = 0; k < kMaxParameters; ++k) pointers_[k] = values_[k];
}
EachParameters ParametersOfElements::operator()(std::size_t first, std::size_t count, std::size_t start,
                                                std::size_t n) {
  for (std::size_t k = 0; k < call_.info().parameters.size(); ++k)
    for (std::size_t i = 0, c = start; i < n; c = c + 1 < first + count ? c + 1 : first) {
      const double value = (shape_.parameters[k] ? shape_.parameter(k, c) : call_.parameters[k]) + 0.0;
      for (const std::size_t end = i + shape_.inner; i < end; ++i) values_[k][i] = value;
    }
  return {pointers_};
}

}  // namespace actfun
