// SPDX-License-Identifier: Apache-2.0
// Names that the files in functions/ use with an explicit template argument. C++ looks such a name up where the
// template is written, so it has to be declared before the file is included; everything else is found through the
// type of its argument (intervals, Taylor series, expressions, lanes).
#pragma once

namespace actfun {

/// The circle constant as an X: exact, enclosed, printed or rounded, as X sees fit.
template <class X>
X pi() {
  return X::pi();
}

/// Where a formula of the fast tier gains by mixing the instructions of several vectors, which takes registers:
/// measured, function by function (see ACTFUN_INTERLEAVED).
enum class Interleaved { everywhere, in_32_registers, in_16_registers };

}  // namespace actfun
