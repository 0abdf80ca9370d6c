// SPDX-License-Identifier: Apache-2.0
/// @file
/// Functions whose rows are points of the probability simplex, with zeros: sparsemax, entmax, hardmax, and softmax with
/// Gumbel's noise.
///
///     actfun::sparsemax(actfun::Array(x, {rows, columns}), actfun::Array(y, {rows, columns}));
///     actfun::entmax(1.5, x, y, 1);                       // of actfun::Array, along axis 1
///     actfun::entmax_backward(1.5, y, g, dx, 1);
///     actfun::gumbel_softmax(0.5, seed, x, y);            // a sample that gradients can pass
///
/// What is computed, how exactly, and what NaN and infinities do is stated in simplex.h. Everything throws
/// actfun::Error on bad arguments, with what is wrong and what is allowed.
#pragma once

#include "actfun/array.hpp"
#include "actfun/simplex.h"

namespace actfun {
namespace detail {

/// Calls f(arguments..., message, size), and throws an Error with the message unless that is OK.
template <class Function, class... Arguments>
void told(const char* call, Function f, const Arguments&... arguments) {
  char message[256] = "";
  check_told(f(arguments..., message, sizeof message), call, message);
}

}  // namespace detail

/// y_i = (x_i - tau)_+, the point of the simplex nearest to x (Martins & Astudillo 2016). y may be x.
inline void sparsemax(const Array& x, const Array& y, int axis = -1) {
  detail::told("sparsemax", actfun_sparsemax, &x, &y, axis);
}
/// y_i = ((alpha - 1) x_i - tau)_+^(1/(alpha - 1)) for alpha from 1, softmax, to 32 (Peters, Niculae & Martins 2019).
inline void entmax(double alpha, const Array& x, const Array& y, int axis = -1) {
  detail::told("entmax", actfun_entmax, alpha, &x, &y, axis);
}
/// One-hot of the first of the largest.
inline void hardmax(const Array& x, const Array& y, int axis = -1) {
  detail::told("hardmax", actfun_hardmax, &x, &y, axis);
}

/// Gradients from the output y; with a tangent in the place of g, forward mode. dx may be y or g.
inline void sparsemax_backward(const Array& y, const Array& g, const Array& dx, int axis = -1) {
  detail::told("sparsemax_backward", actfun_sparsemax_backward, &y, &g, &dx, axis);
}
inline void entmax_backward(double alpha, const Array& y, const Array& g, const Array& dx, int axis = -1) {
  detail::told("entmax_backward", actfun_entmax_backward, alpha, &y, &g, &dx, axis);
}
/// The gradient by alpha > 1, summed over the array.
inline double entmax_alpha_gradient(double alpha, const Array& y, const Array& g, int axis = -1) {
  double gradient = 0;
  detail::told("entmax_alpha_gradient", actfun_entmax_alpha_gradient, alpha, &y, &g, axis, &gradient);
  return gradient;
}

/// softmax((x + noise) / tau), noise i by seed and i alone (Jang, Gu & Poole 2017).
inline void gumbel_softmax(double tau, std::uint64_t seed, const Array& x, const Array& y, int axis = -1) {
  detail::told("gumbel_softmax", actfun_gumbel_softmax, tau, seed, &x, &y, nullptr, axis);
}
/// The same, and the one-hot of its largest to `hard`, for a straight-through estimate: gradients take y.
inline void gumbel_softmax(double tau, std::uint64_t seed, const Array& x, const Array& y, const Array& hard,
                           int axis = -1) {
  detail::told("gumbel_softmax", actfun_gumbel_softmax, tau, seed, &x, &y, &hard, axis);
}
/// The gradient by x from the soft y. dx may be y or g.
inline void gumbel_softmax_backward(double tau, const Array& y, const Array& g, const Array& dx, int axis = -1) {
  detail::told("gumbel_softmax_backward", actfun_gumbel_softmax_backward, tau, &y, &g, &dx, axis);
}
/// What gumbel_softmax adds.
inline void gumbel_noise(std::uint64_t seed, const Array& noise) {
  detail::told("gumbel_noise", actfun_gumbel_noise, seed, &noise);
}

}  // namespace actfun
