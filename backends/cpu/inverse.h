// SPDX-License-Identifier: Apache-2.0
// x of y = f(x), where f is strictly monotone: for any such function, from its kernels for f, f' and f'' alone.
#pragma once

#include <cstddef>

#include "backends/cpu/kernels.h"
#include "core/big/big.h"
#include "core/format.h"

namespace actfun {

/// The function that is inverted, with its parameters.
struct Invertible {
  const Kernels* kernels;
  big::Evaluate value, slope;
  const Constant* parameters;
};

/// f between two ends, finite or not, between which it is strictly monotone and differentiable but for kinks at 0.
/// Expects the default floating-point environment. The result is the real number rounded once to the format, as far as
/// 256 bits tell: which instruction set has come near it first does not show.
class Inverter {
 public:
  Inverter(const Invertible& f, double lower, double upper);

  /// x[i] = the number of `format` nearest to the solution of f(x) = y[i]; x may be y. What f attains only at an end is
  /// the end, and so is what the format has for that; what f does not attain gives NaN.
  void solve(const FormatInfo& format, const double* y, double* x, std::size_t n) const;

 private:
  struct End {
    double x;
    big::Big exact;  ///< f there, or its limit, unless that is infinite
    double value;    ///< nearest to it
  };
  /// One y, and the x between `low` and `high` that has come nearest.
  struct Search {
    double y, low, high, x;
    std::size_t index;
    int steps = 0;
  };
  struct Tile;

  End end_at(double x) const;
  bool known(double y, const FormatInfo& format, double& x) const;
  const End& limit_near(double y) const;
  double step(double y, double f, double slope) const;
  bool advance(Search& s, double f, double error, double slope) const;
  void approach(Search* searches, std::size_t n) const;
  std::size_t settle(Search* searches, std::size_t n, const FormatInfo& format, double* x) const;
  double solve_big(const Search& s, const FormatInfo& format) const;

  Invertible f_;
  End lower_, upper_;
  bool increasing_;
  double at_zero_;  ///< f(0), if that is a double, else NaN
};

}  // namespace actfun
