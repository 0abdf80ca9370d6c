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
  template <Order order>
  static Big evaluate(const Big& x, const Constant* p) {
    return [&]<std::size_t... i>(std::index_sequence<i...>)->Big {
      if constexpr (order == Order::value)
        return F::value(x, Big(p[i])...);
      else if constexpr (order == Order::slope)
        return F::slope(x, Big(p[i])...);
      else
        return F::curvature(x, Big(p[i])...);
    }
    (std::make_index_sequence<F::info.parameters.size()>());
  }
  static constexpr Evaluators evaluators{{evaluate<Order::value>, evaluate<Order::slope>, evaluate<Order::curvature>}};
};

}  // namespace actfun::big
