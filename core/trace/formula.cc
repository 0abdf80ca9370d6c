// SPDX-License-Identifier: Apache-2.0
#include "core/trace/formula.h"

#include <cstddef>
#include <utility>

#include "core/arithmetic.h"
#include "core/info.h"
#include "core/language.h"
#include "core/trace/expression.h"

namespace actfun::definitions {
#include "all_functions.h"  // written by CMake
}  // namespace actfun::definitions

namespace actfun::trace {
namespace {

template <class F, std::size_t... i>
Expression traced(std::index_sequence<i...>) {
  return F::definition(Expression::symbol("x"), Expression::symbol(std::string(F::info.parameters[i].name))...);
}

template <class F>
std::string printed(Notation notation) {
  const Expression e = traced<F>(std::make_index_sequence<F::info.parameters.size()>{});
  return notation == Notation::text ? text(e) : notation == Notation::latex ? latex(e) : mathml(e);
}

using Printer = std::string (*)(Notation);
constexpr Printer printers[] = {
#define ELEMENTWISE(file, Name) printed<definitions::Name>,
#define AXIS(file, Name) nullptr,
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS
};

}  // namespace

std::string formula(int function_id, Notation notation) {
  const Printer printer = printers[function_id];
  return printer ? printer(notation) : "";
}

}  // namespace actfun::trace
