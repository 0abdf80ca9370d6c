// SPDX-License-Identifier: Apache-2.0
// How gradients change what a network has learned.
#pragma once

#include <cmath>
#include <string_view>
#include <vector>

#include "lab/layers.h"

namespace actfun::lab {

enum class Method { sgd, adam };
inline constexpr std::string_view kMethods[] = {"sgd", "adam"};

/// sgd: v <- momentum v + g, w <- w - rate v (Polyak 1964). adam: Kingma & Ba 2015 with their betas and epsilon and
/// both corrections of the bias.
template <class T>
class Optimiser {
 public:
  Optimiser(Method method, double rate, double momentum) : method_(method), rate_(rate), momentum_(momentum) {}

  void set_rate(double rate) { rate_ = rate; }

  /// One step. Always the same list, in the same order.
  void step(const std::vector<Learned<T>>& list) {
    first_.resize(list.size());
    second_.resize(list.size());
    ++steps_;
    for (std::size_t i = 0; i < list.size(); ++i) method_ == Method::sgd ? sgd(list[i], i) : adam(list[i], i);
  }

 private:
  void sgd(const Learned<T>& learned, std::size_t i) {
    first_[i].resize(learned.values.size());
    const T rate = static_cast<T>(rate_), momentum = static_cast<T>(momentum_);
    for (std::size_t k = 0; k < learned.values.size(); ++k) {
      T& v = first_[i][k];
      v = momentum * v + learned.gradients[k];
      learned.values[k] -= rate * v;
    }
  }
  void adam(const Learned<T>& learned, std::size_t i) {
    constexpr double kBeta1 = 0.9, kBeta2 = 0.999;
    constexpr T kEpsilon = T(1e-8);
    first_[i].resize(learned.values.size());
    second_[i].resize(learned.values.size());
    const T rate = static_cast<T>(rate_ / (1 - std::pow(kBeta1, steps_))), beta1 = T(kBeta1), beta2 = T(kBeta2);
    const T correction = static_cast<T>(1 / (1 - std::pow(kBeta2, steps_)));
    for (std::size_t k = 0; k < learned.values.size(); ++k) {
      const T g = learned.gradients[k];
      T &m = first_[i][k], &v = second_[i][k];
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      learned.values[k] -= rate * m / (std::sqrt(v * correction) + kEpsilon);
    }
  }

  Method method_;
  double rate_, momentum_;
  int steps_ = 0;
  std::vector<std::vector<T>> first_, second_;
};

}  // namespace actfun::lab
