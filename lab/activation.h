// SPDX-License-Identifier: Apache-2.0
// An elementwise function as a part of a layer, with the parameters that training changes.
#pragma once

#include <string_view>
#include <vector>

#include "api/registry.h"
#include "lab/matrix.h"

namespace actfun::lab {

/// Which of a function's parameters are trained: none, those that its record calls learnable, or all.
enum class Learn { none, learnable, all };
inline constexpr std::string_view kLearn[] = {"none", "learnable", "all"};

/// T is float or double. Units come in groups of `share` neighbours; a group has one value of each learned parameter:
/// share = units is one per layer, share = 1 one per element, what lies between one per channel.
template <class T>
class Activation {
 public:
  /// Throws when the function is not elementwise or `share` does not divide `units`.
  Activation(Call call, Learn learn, Index units, Index share);

  /// y = f(z) of `rows` rows; y may be z.
  void forward(const T* z, T* y, Index rows) const;
  /// dz = dy f'(z), rounded once, and f'(z) alone.
  void backward(const T* z, const T* dy, T* dz, Index rows) const;
  void slope(const T* z, T* slope, Index rows) const;
  /// The gradients of the parameters from dL/dy, summed over rows and groups in an order that is always the same.
  void sum_gradients(const T* z, const T* dy, Index rows);
  /// Brings parameters that a step took out of their domain back to its edge.
  void settle();

  const Call& call() const { return call_; }
  /// The learned parameters' places in the record.
  const std::vector<std::size_t>& learned() const { return learned_; }
  Index groups() const { return groups_; }
  /// One row a learned parameter, one column a group.
  Matrix<T>& values() { return values_; }
  const Matrix<T>& gradients() const { return gradients_; }

 private:
  Channels shape(Index rows) const;

  Call call_;
  Index units_, share_, groups_;
  std::vector<std::size_t> learned_;
  Matrix<T> values_, gradients_;
};

extern template class Activation<float>;
extern template class Activation<double>;

}  // namespace actfun::lab
