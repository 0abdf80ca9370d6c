// SPDX-License-Identifier: Apache-2.0
// Rows onto the probability simplex: sparsemax, entmax, hardmax, softmax with Gumbel noise, and their gradients.
#pragma once

#include <cstddef>
#include <cstdint>

namespace actfun {

/// What `entmax` and `gumbel_softmax` want in `room`, in doubles, for a row of n.
constexpr std::size_t simplex_room(std::size_t n) { return n + 16; }

/// Rows of n >= 1 numbers side by side, T = float or double, with the same bits on every instruction set. Outputs may
/// be inputs. Expects the default floating-point environment.
template <class T>
struct SimplexRows {
  /// y_i = ((alpha - 1) x_i - tau)_+^(1/(alpha - 1)), where tau makes the sum 1; softmax for alpha = 1.
  void (*entmax)(double alpha, const T* x, T* y, std::size_t n, double* room);
  /// 1 for the first of the largest, 0 elsewhere; NaN if one is.
  void (*hardmax)(const T* x, T* y, std::size_t n);
  /// dx_i = factor s_i (g_i - sum_j s_j g_j / sum_j s_j), s_i = y_i^(2 - alpha) where y_i > 0, else 0.
  void (*backward)(double alpha, double factor, const T* y, const T* g, T* dx, std::size_t n);
  /// The row's share of the gradient by alpha > 1: sum_i g_i dy_i/dalpha.
  double (*backward_alpha)(double alpha, const T* y, const T* g, std::size_t n);
  /// softmax of (x + noise) / tau to y, 1 for the largest of it and 0 elsewhere to `hard`; each may be null. The noise
  /// is in `room`, and lost.
  void (*gumbel_softmax)(double tau, const T* x, T* y, T* hard, std::size_t n, double* room);
};
template <class T>
const SimplexRows<T>& simplex_rows(std::int64_t target);

/// noise[j] = -log(-log(u)) for elements first, first + step, ... of a seed's sequence: u is uniform on the 2^52
/// numbers (k + 1/2) 2^-52.
using GumbelNoise = void (*)(std::uint64_t seed, std::uint64_t first, std::uint64_t step, double* noise, std::size_t n);
GumbelNoise gumbel_noise(std::int64_t target);

}  // namespace actfun
