// SPDX-License-Identifier: Apache-2.0
// The common ways to write activation functions in floats: what textbooks say and frameworks do. They are measured,
// never used.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace actfun::tool {

struct NaiveFormula {
  /// `F` is a function object without state, float to float.
  template <class F>
  constexpr NaiveFormula(std::string_view name, int derivative, std::string_view spelling, std::string_view who, F)
      : function(name), order(derivative), text(spelling), users(who), compute(loop<F>) {}

  std::string_view function;  ///< at default parameters
  int order;                  ///< 0 for f, 1 for f'
  std::string_view text;
  std::string_view users;  ///< who writes it so
  void (*compute)(const float* x, float* y, std::size_t n);

 private:
  template <class F>
  static void loop(const float* x, float* y, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) y[i] = F()(x[i]);
  }
};

/// In floats from operation to operation, each rounded correctly, exp, tanh and so on too: what they lose is the
/// formula's fault, not a mathematical library's, and is the same on every machine. Those that lose nothing are not
/// among them.
std::span<const NaiveFormula> naive_formulas();
/// All, with the C library's exp, tanh and so on for floats, in a loop that is as fast as these are.
std::span<const NaiveFormula> libm_formulas();

}  // namespace actfun::tool
