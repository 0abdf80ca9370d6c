// SPDX-License-Identifier: Apache-2.0
// How a function's lane templates reach the correctly rounded float. A function file names one of these as
// `arithmetic`; without it, `tested` holds.
#pragma once

namespace actfun {

enum class Arithmetic {
  tested,  ///< on doubles within 2^-41; a result too near a rounding boundary is done again on double-doubles
  exact,   ///< on doubles, exact or rounded to odd: nothing to test
  single,  ///< on floats, exact or rounded once
};

template <class F>
constexpr Arithmetic arithmetic_of() {
  if constexpr (requires { F::arithmetic; })
    return F::arithmetic;
  else
    return Arithmetic::tested;
}

}  // namespace actfun
