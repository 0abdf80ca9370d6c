// SPDX-License-Identifier: Apache-2.0
// The oracle: the correctly rounded f32 result (nearest, ties to even) of f, f' and f'' of any elementwise function
// with any parameters, for all 2^32 inputs, from the function's `definition` alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/exact/periodic.h"
#include "core/exact/pointwise.h"
#include "core/exact/taylor_model.h"

namespace actfun::exact {

/// Building one takes a second or so; then all its members may be called from any thread.
class Oracle {
 public:
  explicit Oracle(const Call& call) : Oracle(Definition(call)) {}
  explicit Oracle(Definition definition);

  float round(float x, Order order) const;
  /// For the `count` consecutive bit patterns from `first` on. `asked`, if given, receives those that MPFR decided.
  void round_block(std::uint32_t first, std::size_t count, Order order, float* out,
                   std::vector<std::uint32_t>* asked = nullptr) const;
  /// `out` must not be x.
  void round_array(const float* x, float* out, std::size_t n, Order order) const;
  /// The double nearest to the true value, or one of its neighbours.
  double value(float x, Order order) const { return pointwise_.value(x, order); }

  const Pointwise& pointwise() const { return pointwise_; }
  const std::vector<Piece>& pieces(bool negative) const { return pieces_[negative]; }

 private:
  const Piece& piece_of(std::uint32_t magnitude, bool negative) const;
  void round_in(const Piece& piece, const float* x, std::size_t n, Order order, float* out,
                std::vector<std::uint32_t>* asked) const;

  Pointwise pointwise_;
  std::optional<Periodic> periodic_;
  std::vector<Piece> pieces_[2];
  float zero_[2][3], infinity_[2][3];
};

}  // namespace actfun::exact
