// SPDX-License-Identifier: Apache-2.0
// Layers: what a batch becomes on its way forwards, and gradients on their way back, as textbooks write them:
//
//     z_i = sum_j W_ij x_j + b_i,  y_i = f(z_i)
//     dL/dz_i = dL/dy_i f'(z_i),  dL/dW_ij = dL/dz_i x_j,  dL/db_i = dL/dz_i,  dL/dx_j = sum_i dL/dz_i W_ij
//
// summed over the batch. T is float, or double to check gradients by finite differences.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lab/activation.h"
#include "lab/gain.h"
#include "lab/matrix.h"

namespace actfun::lab {

/// Numbers that training changes, and the gradient of the loss by each.
template <class T>
struct Learned {
  std::string name;  ///< "W", "b", or a function's parameter
  std::span<T> values;
  std::span<const T> gradients;
};

template <class T>
class Layer {
 public:
  virtual ~Layer() = default;

  /// y of a batch x [samples, inputs]; x must stay where it is until `backward`.
  const Matrix<T>& forward(const Matrix<T>& x);
  const Matrix<T>& forward(Matrix<T>&& x) = delete;
  /// From dL/dy the gradients of all that the layer learns, and dL/dx unless that is not `wanted` (then empty).
  const Matrix<T>& backward(const Matrix<T>& dy, bool wanted = true);
  /// To be called after each step of an optimiser.
  virtual void settle() {}

  virtual std::vector<Learned<T>> learned();

  /// Of the last batch. `slope` is dy/dz: a maxout unit has k columns there, 1 for the winner and 0 for the others.
  const Matrix<T>& z() const { return z_; }
  const Matrix<T>& y() const { return y_; }
  virtual Matrix<T> slope() const = 0;
  const Matrix<T>& dz() const { return dz_; }

  Matrix<T>& weights() { return weights_; }
  Row<T>& bias() { return bias_; }
  const Matrix<T>& weight_gradients() const { return weight_gradients_; }

 protected:
  Layer(Index in, Index sums, Index out) : weights_(sums, in), bias_(Row<T>::Zero(sums)), out_(out) {}
  /// y of some rows from their z.
  virtual void activate(Index first_row, Index rows) = 0;
  /// dz from dy, and the gradients of the function's parameters.
  virtual void deactivate(const Matrix<T>& dy) = 0;

  Matrix<T> z_, y_, dz_;

 private:
  Matrix<T> weights_, weight_gradients_, dx_;
  Row<T> bias_, bias_gradients_;
  Index out_;
  const Matrix<T>* x_ = nullptr;
};

/// y = f(W x + b) for an elementwise f; with prelu, the PReLU layer (He et al. 2015). With `centred` the layer's
/// outputs are f(z) - f(0): the same slopes, but outputs around 0.
template <class T>
class Dense : public Layer<T> {
 public:
  Dense(Index in, Index out, const Call& function, Learn learn, Index share, bool centred = false);
  std::vector<Learned<T>> learned() override;
  void settle() override { activation_.settle(); }
  Matrix<T> slope() const override;
  Activation<T>& activation() { return activation_; }

 private:
  void activate(Index first_row, Index rows) override;
  void deactivate(const Matrix<T>& dy) override;

  Activation<T> activation_;
  bool centred_;
};

/// y_i = max_j z_ij over k linear pieces (Goodfellow et al. 2013); the gradient goes to the winner, the first on a tie.
template <class T>
class Maxout : public Layer<T> {
 public:
  Maxout(Index in, Index out, Index k);
  Matrix<T> slope() const override;

 private:
  void activate(Index first_row, Index rows) override;
  void deactivate(const Matrix<T>& dy) override;

  Index k_;
  std::vector<std::int32_t> winners_;
};

/// The layer that a function stands for: Maxout for `maxout:k=K`, otherwise Dense. Throws for other axis functions.
template <class T>
std::unique_ptr<Layer<T>> make_layer(Index in, Index out, const Call& function, Learn learn, Index share,
                                     bool centred = false);

extern template class Layer<float>;
extern template class Layer<double>;

}  // namespace actfun::lab
