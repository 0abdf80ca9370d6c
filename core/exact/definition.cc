// SPDX-License-Identifier: Apache-2.0
#include "core/exact/definition.h"

#include <stdexcept>

#include "core/arithmetic.h"
#include "core/info.h"
#include "core/language.h"

namespace actfun::definitions {
#include "all_functions.h"  // written by CMake
}  // namespace actfun::definitions

namespace actfun::exact {
namespace {

constexpr Definition::Arithmetics (*known[])() = {
#define ELEMENTWISE(file, Name) Definition::arithmetics_of<definitions::Name>,
#define AXIS(file, Name) nullptr,
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS
};

Definition::Arithmetics find(const Call& call) {
  if (!known[call.entry->id])
    throw std::invalid_argument(call.text() + " is not elementwise: the oracle knows no definition of it");
  return known[call.entry->id]();
}

}  // namespace

Definition::Definition(const Call& call)
    : Definition(call.info(), find(call), {call.parameters, call.rational}, call.text()) {}

std::optional<Wave> Definition::wave() const {
  try {
    const Precision precision(320);
    Wave w = arithmetics_.wave(Wave::variable(), parameters_);
    if (w.frequency().zero()) return std::nullopt;
    return w;
  } catch (const NotPeriodic&) {
  } catch (const Undecided&) {
  }
  return std::nullopt;
}

}  // namespace actfun::exact
