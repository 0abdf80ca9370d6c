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
    polynomial,  ///< exactly c0 + c1 x + c2 x^2 with doubles for coefficients
    centered,    ///< lead + tail(h) h, within an absolute error
    rooted,      ///< (lead + tail(h) h^gap) h^power around 0, within a relative error, down to the least subnormal
  };
  static constexpr int kDegree = 10;

  Kind kind = Kind::none;
  int power = 0, gap = 1;  ///< power <= 4, gap <= 3: the terms that are exactly zero are not in the way of the error
  float constant = 0;
  double lead = 0, lead_low = 0;  ///< c0 of a polynomial is `lead`, c1 and c2 stand in `tail`
  double tail[kDegree] = {};
  double error = 0;       ///< centered: absolute. rooted: of `lead`, its part of the error over h^power
  double tail_error = 0;  ///< rooted: the same for `tail`, over h^(power + gap)
};

/// Consecutive floats of one sign, all three orders.
struct Piece {
  std::uint32_t first, last;  ///< bit patterns without the sign bit, both included
  double center, scale;       ///< the scale is a power of two
  Model models[3];
};

/// Pieces in ascending order that cover all finite floats of one sign but the zero.
std::vector<Piece> make_pieces(const Pointwise& pointwise, bool negative);

/// Rounds f(x[i]) for `n` inputs that lie in `piece`; n at most kBlock. Returns how many are in doubt and lists their
/// indices: those within the error bound of a rounding boundary, and for good measure those within 2^-48 of it.
inline constexpr std::size_t kBlock = 256;
std::size_t evaluate(const Piece& piece, const Model& model, const float* x, std::size_t n, float* out,
                     std::uint16_t* doubtful);

}  // namespace actfun::exact
