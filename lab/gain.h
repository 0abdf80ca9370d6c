// SPDX-License-Identifier: Apache-2.0
// How a function scales signals and gradients, and the random weights that keep both from vanishing and exploding.
#pragma once

#include <string_view>

#include "api/registry.h"
#include "lab/matrix.h"
#include "lab/random.h"

namespace actfun::lab {

/// E[f(z)^2] and E[f'(z)^2] of a normal z, by default a standard one: a layer whose sums have variance 1 multiplies the
/// second moment of what passes forwards and backwards by n Var[W] times these (He et al. 2015).
struct Moments {
  double value, slope;
  /// What keeps the gradient's size: 1/sqrt(E[f'^2]); infinite for a function that passes no gradient.
  double gain() const;
};
/// By quadrature over the library's f64 results, to about 12 digits, for an elementwise function; a maxout unit passes
/// the gradient to its winner, which counts as slope 1 of a standard normal. Throws for other axis functions.
Moments moments(const Call& call, double deviation = 1);

/// The variance of the weights of a layer with `in` inputs and `out` outputs, for g the gain of the function that makes
/// its inputs (1 for data): he g^2/in (He et al. 2015), glorot 2 g^2/(in + out) (Glorot & Bengio 2010), lecun 1/in
/// whatever the function (LeCun et al. 1998).
enum class Initialiser { he, glorot, lecun };
inline constexpr std::string_view kInitialisers[] = {"he", "glorot", "lecun"};
double weight_variance(Initialiser initialiser, double gain, Index in, Index out);

/// Fills the weights with normal numbers of this variance.
template <class T>
void randomise(Matrix<T>& weights, double variance, Random& random) {
  for (Index i = 0; i < weights.size(); ++i) weights.data()[i] = static_cast<T>(std::sqrt(variance) * random.normal());
}

}  // namespace actfun::lab
