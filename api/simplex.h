// SPDX-License-Identifier: Apache-2.0
// Functions onto the probability simplex along an axis of arrays. Arguments as in actfun/simplex.h, where nothing is
// checked; threads as in Call.
#pragma once

#include "api/array.h"
#include "api/registry.h"

namespace actfun {

inline constexpr double kMostAlpha = 32, kLeastTau = 1e-30, kMostTau = 1e30;

void entmax(double alpha, const actfun_array& x, const actfun_array& y, int axis, const Target& target,
            unsigned threads = 1);
void hardmax(const actfun_array& x, const actfun_array& y, int axis, const Target& target, unsigned threads = 1);
void entmax_backward(double alpha, const actfun_array& y, const actfun_array& g, const actfun_array& dx, int axis,
                     const Target& target, unsigned threads = 1);
double entmax_alpha_gradient(double alpha, const actfun_array& y, const actfun_array& g, int axis, const Target& target,
                             unsigned threads = 1);

/// y or hard may be null.
void gumbel_softmax(double tau, std::uint64_t seed, const actfun_array& x, const actfun_array* y,
                    const actfun_array* hard, int axis, const Target& target, unsigned threads = 1);
void gumbel_softmax_backward(double tau, const actfun_array& y, const actfun_array& g, const actfun_array& dx, int axis,
                             const Target& target, unsigned threads = 1);
void gumbel_noise(std::uint64_t seed, const actfun_array& noise, const Target& target, unsigned threads = 1);

}  // namespace actfun
