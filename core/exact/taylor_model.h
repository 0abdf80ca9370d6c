// SPDX-License-Identifier: Apache-2.0
// The filter before MPFR: on short pieces of the real line a function is a polynomial with a proven error bound,
// evaluated in double with the leading coefficient and the sum in double-double. All but a few hundred of the 2^32
// inputs are rounded by it. docs/design/oracle.md derives the bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/exact/pointwise.h"

namespace actfun::exact {

/// How f, f' or f'' is computed on one piece, with h = (x - center) * scale, which is at most 1.
struct Model {
  enum class Kind : std::uint8_t {
    none,        ///< too few points to bother, or no good expansion: ask MPFR
    constant,    ///< every value rounds to `constant`
    polynomial,  ///< c0 + c1 x + c2 x^2 with doubles for coefficients, exactly, or plus what only tips ties
    fraction,    ///< exactly (c0 + c1 x + c2 x^2) / divisor, coefficients of two doubles
    centered,    ///< lead + tail(h) h, within an absolute error
    tail,        ///< c0 + c1 |x| + t^power (b0 + b1 t + ...) with t = 1/|x|: b in `tail`, c1 in `slope`
    periodic,    ///< by class Periodic
    rooted,      ///< (lead + tail(h) h^gap) h^power around 0, within a relative error, down to the least subnormal
  };
  static constexpr int kDegree = 10;

  Kind kind = Kind::none;
  int power = 0, gap = 1;  ///< power <= 4, gap <= 3: the terms that are exactly zero are not in the way of the error
  float constant = 0;
  /// c0 of a polynomial is `lead`, and c1 and c2 stand in `tail`. What tips its ties is `lead_low`. A fraction's c1 and
  /// c2 are followed by the low parts of c0, c1 and c2, and by the divisor.
  double lead = 0, lead_low = 0;
  double tail[kDegree] = {};
  double slope = 0;
  double error = 0;         ///< centered: absolute. rooted: of `lead`, its part of the error over h^power
  double tail_error = 0;    ///< rooted: the same for `tail`, over h^(power + gap)
  double margin = 0x1p-48;  ///< what is so near to a midpoint, relatively, is left to MPFR to find the hardest inputs
};

/// Consecutive floats of one sign, all three orders.
struct Piece {
  std::uint32_t first, last;  ///< bit patterns without the sign bit, both included
  double center, scale;       ///< the scale is a power of two
  Model models[3];
};

/// Pieces in ascending order that cover the floats of one sign from the least subnormal up to `last`.
std::vector<Piece> make_pieces(const Pointwise& pointwise, bool negative, std::uint32_t last);

/// Rounds f(x[i]) for `n` inputs that lie in `piece`; n at most kBlock. Returns how many are in doubt and lists their
/// indices: those within the error bound of a rounding boundary, and for good measure those within 2^-48 of it.
inline constexpr std::size_t kBlock = 256;
std::size_t evaluate(const Piece& piece, const Model& model, const float* x, std::size_t n, float* out,
                     std::uint16_t* doubtful);

}  // namespace actfun::exact
