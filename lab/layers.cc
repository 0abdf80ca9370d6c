// SPDX-License-Identifier: Apache-2.0
#include "lab/layers.h"

#include <algorithm>

#include "tool/text.h"

namespace actfun::lab {
namespace {

/// Rows of a batch that pass through product, bias and function together: their sums stay in the cache.
constexpr Index kTile = 64;

void winners(const float* z, float* y, std::int32_t* index, Index groups, Index k) {
  maxout(z, y, index, 1, static_cast<std::size_t>(groups), static_cast<std::size_t>(k), 1);
}
void winners(const double* z, double* y, std::int32_t* index, Index groups, Index k) {
  for (Index g = 0; g < groups; ++g) {
    const double* best = std::max_element(z + g * k, z + (g + 1) * k);
    y[g] = *best;
    index[g] = static_cast<std::int32_t>(best - (z + g * k));
  }
}

template <class T>
std::span<T> all(Matrix<T>& m) {
  return {m.data(), static_cast<std::size_t>(m.size())};
}
template <class T>
std::span<const T> all(const Matrix<T>& m) {
  return {m.data(), static_cast<std::size_t>(m.size())};
}

}  // namespace

template <class T>
const Matrix<T>& Layer<T>::forward(const Matrix<T>& x) {
  if (x.cols() != weights_.cols()) tool::fail("a layer of {} inputs got {}", weights_.cols(), x.cols());
  x_ = &x;
  z_.resize(x.rows(), weights_.rows());
  y_.resize(x.rows(), out_);
  for (Index row = 0; row < x.rows(); row += kTile) {
    const Index rows = std::min(kTile, x.rows() - row);
    auto tile = z_.middleRows(row, rows);
    tile.noalias() = x.middleRows(row, rows) * weights_.transpose();
    tile.rowwise() += bias_;
    activate(row, rows);
  }
  return y_;
}

template <class T>
const Matrix<T>& Layer<T>::backward(const Matrix<T>& dy, bool wanted) {
  if (dy.rows() != y_.rows() || dy.cols() != y_.cols())
    tool::fail("a gradient of shape ({}, {}) for outputs of shape ({}, {})", dy.rows(), dy.cols(), y_.rows(),
               y_.cols());
  deactivate(dy);
  weight_gradients_.noalias() = dz_.transpose() * *x_;
  bias_gradients_ = dz_.colwise().sum();
  if (wanted)
    dx_.noalias() = dz_ * weights_;
  else
    dx_.resize(0, 0);
  return dx_;
}

template <class T>
std::vector<Learned<T>> Layer<T>::learned() {
  if (weight_gradients_.size() == 0) {  // no batch has come yet
    weight_gradients_ = Matrix<T>::Zero(weights_.rows(), weights_.cols());
    bias_gradients_ = Row<T>::Zero(bias_.size());
  }
  const auto units = static_cast<std::size_t>(bias_.size());
  return {{"W", all(weights_), all(std::as_const(weight_gradients_))},
          {"b", {bias_.data(), units}, {bias_gradients_.data(), units}}};
}

template <class T>
Dense<T>::Dense(Index in, Index out, const Call& function, Learn learn, Index share, bool centred)
    : Layer<T>(in, out, out), activation_(function, learn, out, share), centred_(centred) {}

template <class T>
std::vector<Learned<T>> Dense<T>::learned() {
  auto list = Layer<T>::learned();
  const auto groups = static_cast<std::size_t>(activation_.groups());
  for (std::size_t i = 0; i < activation_.learned().size(); ++i)
    list.push_back({std::string(activation_.call().info().parameters[activation_.learned()[i]].name),
                    all(activation_.values()).subspan(i * groups, groups),
                    all(activation_.gradients()).subspan(i * groups, groups)});
  return list;
}

template <class T>
void Dense<T>::activate(Index first_row, Index rows) {
  const Index units = this->z_.cols(), first = first_row * units;
  activation_.forward(this->z_.data() + first, this->y_.data() + first, rows);
  if (!centred_) return;
  Row<T> at_zero = Row<T>::Zero(units);
  activation_.forward(at_zero.data(), at_zero.data(), 1);
  this->y_.middleRows(first_row, rows).rowwise() -= at_zero;
}

template <class T>
void Dense<T>::deactivate(const Matrix<T>& dy) {
  this->dz_.resize(dy.rows(), dy.cols());
  activation_.backward(this->z_.data(), dy.data(), this->dz_.data(), dy.rows());
  activation_.sum_gradients(this->z_.data(), dy.data(), dy.rows());
}

template <class T>
Matrix<T> Dense<T>::slope() const {
  Matrix<T> slope(this->z_.rows(), this->z_.cols());
  activation_.slope(this->z_.data(), slope.data(), slope.rows());
  return slope;
}

template <class T>
Maxout<T>::Maxout(Index in, Index out, Index k) : Layer<T>(in, out * k, out), k_(k) {}

template <class T>
void Maxout<T>::activate(Index first_row, Index rows) {
  const Index units = this->y_.cols(), first = first_row * units;
  winners_.resize(static_cast<std::size_t>(this->y_.size()));
  winners(this->z_.data() + first * k_, this->y_.data() + first, winners_.data() + first, rows * units, k_);
}

template <class T>
void Maxout<T>::deactivate(const Matrix<T>& dy) {
  this->dz_.setZero(this->z_.rows(), this->z_.cols());
  for (Index i = 0; i < dy.size(); ++i) this->dz_.data()[i * k_ + winners_[static_cast<std::size_t>(i)]] = dy.data()[i];
}

template <class T>
Matrix<T> Maxout<T>::slope() const {
  Matrix<T> slope = Matrix<T>::Zero(this->z_.rows(), this->z_.cols());
  for (std::size_t i = 0; i < winners_.size(); ++i) slope.data()[static_cast<Index>(i) * k_ + winners_[i]] = 1;
  return slope;
}

template <class T>
std::unique_ptr<Layer<T>> make_layer(Index in, Index out, const Call& function, Learn learn, Index share,
                                     bool centred) {
  if (function.info().name == "maxout") {
    if (centred) tool::fail("maxout has no f(0) to be centred by");
    return std::make_unique<Maxout<T>>(in, out, static_cast<Index>(function.parameters[0]));
  }
  if (!function.entry->elementwise()) tool::fail("{} is no function of a hidden layer", function.text());
  return std::make_unique<Dense<T>>(in, out, function, learn, share, centred);
}

template class Layer<float>;
template class Layer<double>;
template class Dense<float>;
template class Dense<double>;
template class Maxout<float>;
template class Maxout<double>;
template std::unique_ptr<Layer<float>> make_layer(Index, Index, const Call&, Learn, Index, bool);
template std::unique_ptr<Layer<double>> make_layer(Index, Index, const Call&, Learn, Index, bool);

}  // namespace actfun::lab
