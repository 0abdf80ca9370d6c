// SPDX-License-Identifier: Apache-2.0
// A function's struct becomes its table of evaluators on Big.
#pragma once

#include <cstddef>
#include <utility>

#include "core/big/big.h"
#include "core/info.h"

namespace actfun::big {

template <class F>
struct EvaluatorsOf {
  using Parameters = std::make_index_sequence<F::info.parameters.size()>;

  template <Part part>
  static Big evaluate(const Big& x, const Constant* p) {
    return [&]<std::size_t... i>(std::index_sequence<i...>)->Big {
      if constexpr (part == Part::value)
        return F::value(x, Big(p[i])...);
      else if constexpr (part == Part::slope)
        return F::slope(x, Big(p[i])...);
      else if constexpr (part == Part::curvature)
        return F::curvature(x, Big(p[i])...);
      else if constexpr (part == Part::slope_from_output)
        return F::slope_from_output(x, Big(p[i])...);
      else
        return F::template gradient<static_cast<int>(part) - static_cast<int>(Part::gradient)>(x, Big(p[i])...);
    }
    (Parameters());
  }
  static constexpr Evaluators evaluators = [] {
    Evaluators all{{evaluate<Part::value>, evaluate<Part::slope>, evaluate<Part::curvature>}};
    if constexpr (requires { &F::template slope_from_output<Big>; })
      all.part[static_cast<std::size_t>(Part::slope_from_output)] = evaluate<Part::slope_from_output>;
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      ((all.part[static_cast<std::size_t>(gradient_by(i))] = evaluate<gradient_by(i)>), ...);
    }
    (Parameters());
    return all;
  }();
};

}  // namespace actfun::big
