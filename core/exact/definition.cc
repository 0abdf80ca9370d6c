// SPDX-License-Identifier: Apache-2.0
#include "core/exact/definition.h"

#include <cstddef>
#include <stdexcept>
#include <utility>

#include "core/arithmetic.h"
#include "core/info.h"
#include "core/language.h"

namespace actfun::definitions {
#include "all_functions.h"  // written by CMake
}  // namespace actfun::definitions

namespace actfun::exact {
namespace {

template <class F>
Series evaluate(const Series& x, const Definition::Parameters& p) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) { return F::definition(x, Series(p[i])...); }
  (std::make_index_sequence<F::info.parameters.size()>{});
}

using Evaluate = Series (*)(const Series&, const Definition::Parameters&);
constexpr Evaluate evaluators[] = {
#define ELEMENTWISE(file, Name) evaluate<definitions::Name>,
#define AXIS(file, Name) nullptr,
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS
};

}  // namespace

Definition::Definition(const Call& call)
    : evaluate_(evaluators[call.entry->id]), parameters_(call.parameters), name_(call.text()) {
  if (!evaluate_) throw std::invalid_argument(name_ + " is not elementwise: the oracle knows no definition of it");
}

}  // namespace actfun::exact
