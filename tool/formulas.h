// SPDX-License-Identifier: Apache-2.0
// The common ways to write activation functions in floats: what textbooks say and frameworks do. They are measured,
// never used.
#pragma once

#include <span>
#include <string_view>

namespace actfun::tool {

struct NaiveFormula {
  std::string_view function;  ///< at default parameters
  int order;                  ///< 0 for f, 1 for f'
  std::string_view text;
  std::string_view users;  ///< who writes it so; empty for textbooks
  float (*compute)(float x);
};

/// In floats from operation to operation, each rounded correctly, exp, tanh and so on too: what they lose is the
/// formula's fault, not a mathematical library's, and is the same on every machine.
std::span<const NaiveFormula> naive_formulas();

}  // namespace actfun::tool
