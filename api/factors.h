// SPDX-License-Identifier: Apache-2.0
// What products.h multiplies by: parts of a function with its parameters and conventions.
#pragma once

#include <span>

#include "api/kinks.h"
#include "api/parts.h"
#include "backends/cpu/products.h"

namespace actfun {

/// Parts of a call that are multiplied, ready to run.
class Factors {
 public:
  Factors(const Call& call, std::span<const Part> parts, const Target& target) : constants_(constants(call)) {
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
  Factors(const Factors&) = delete;
  Factors& operator=(const Factors&) = delete;
  const Factor& operator[](std::size_t i) const { return factors_[i]; }

 private:
  Constants constants_;
  Exception exceptions_[2];
  Factor factors_[kParts];
};

}  // namespace actfun
