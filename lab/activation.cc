// SPDX-License-Identifier: Apache-2.0
#include "lab/activation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tool/text.h"

namespace actfun::lab {
namespace {

void value_and_slope(const Call& call, const float* z, float* y, float* slope, Index n) {
  call.evaluate_value_and_slope(z, y, slope, static_cast<std::size_t>(n), current_target());
}
void value_and_slope(const Call& call, const double* z, double* y, double* slope, Index n) {
  for (const auto& [order, to] : {std::pair{Order::value, y}, {Order::slope, slope}})
    call.apply(order, Format::f64, z, to, static_cast<std::size_t>(n), current_target());
}

/// The sum of dy df/dp over all elements, for parameter p of the call: by central differences of the f64 results, whose
/// error is far below that of a float.
double parameter_gradient(const Call& call, std::size_t p, const std::vector<double>& z,
                          const std::vector<double>& dy) {
  const double value = call.parameters[p], h = 1e-4 * std::max(1.0, std::fabs(value));
  std::vector<double> above(z.size()), below(z.size());
  Call moved = call;
  moved.rational[p] = false;
  for (const auto& [at, y] : {std::pair{value + h, &above}, {value - h, &below}}) {
    moved.parameters[p] = at;
    moved.apply(Order::value, Format::f64, z.data(), y->data(), z.size(), current_target());
  }
  double sum = 0;
  for (std::size_t i = 0; i < z.size(); ++i) sum += dy[i] * ((above[i] - below[i]) / (2 * h));
  return sum;
}

/// Calls body(first element of a row's part) for the part of each row that belongs to the group.
template <class Body>
void for_parts(Index rows, Index units, Index share, Index group, Body body) {
  for (Index row = 0; row < rows; ++row) body(row * units + group * share);
}

}  // namespace

template <class T>
Activation<T>::Activation(Call call, Learn learn, Index units, Index share)
    : call_(std::move(call)), units_(units), share_(share), groups_(units / std::max<Index>(share, 1)) {
  if (!call_.entry->elementwise()) tool::fail("{} is not elementwise", call_.text());
  const auto& parameters = call_.info().parameters;
  for (std::size_t p = 0; p < parameters.size(); ++p)
    if (learn == Learn::all || (learn == Learn::learnable && parameters[p].learnable)) learned_.push_back(p);
  if (learned_.empty()) groups_ = 1, share_ = units_;
  if (share_ < 1 || units % share_ != 0) tool::fail("{} units cannot share parameters in groups of {}", units, share);
  values_.resize(static_cast<Index>(learned_.size()), groups_);
  for (std::size_t i = 0; i < learned_.size(); ++i)
    values_.row(static_cast<Index>(i)).setConstant(static_cast<T>(call_.parameters[learned_[i]]));
  gradients_ = Matrix<T>::Zero(values_.rows(), values_.cols());
}

template <class T>
Call Activation<T>::of_group(Index group) const {
  Call call = call_;
  for (std::size_t i = 0; i < learned_.size(); ++i) {
    call.parameters[learned_[i]] = static_cast<double>(values_(static_cast<Index>(i), group));
    call.rational[learned_[i]] = false;
  }
  return call;
}

template <class T>
void Activation<T>::forward(const T* z, T* y, T* slope, Index rows) const {
  if (groups_ == 1) return value_and_slope(of_group(0), z, y, slope, rows * units_);
  std::vector<T> part(static_cast<std::size_t>(rows * share_)), value(part.size()), derivative(part.size());
  for (Index group = 0; group < groups_; ++group) {
    T* next = part.data();
    for_parts(rows, units_, share_, group, [&](Index i) { next = std::copy_n(z + i, share_, next); });
    value_and_slope(of_group(group), part.data(), value.data(), derivative.data(), rows * share_);
    Index done = 0;
    for_parts(rows, units_, share_, group, [&](Index i) {
      std::copy_n(value.data() + done, share_, y + i);
      std::copy_n(derivative.data() + done, share_, slope + i);
      done += share_;
    });
  }
}

template <class T>
void Activation<T>::backward(const T* z, const T* dy, Index rows) {
  if (learned_.empty()) return;
  std::vector<double> part(static_cast<std::size_t>(rows * share_)), gradient(part.size());
  for (Index group = 0; group < groups_; ++group) {
    double *to_z = part.data(), *to_dy = gradient.data();
    for_parts(rows, units_, share_, group, [&](Index i) {
      to_z = std::copy_n(z + i, share_, to_z);
      to_dy = std::copy_n(dy + i, share_, to_dy);
    });
    for (std::size_t p = 0; p < learned_.size(); ++p)
      gradients_(static_cast<Index>(p), group) =
          static_cast<T>(parameter_gradient(of_group(group), learned_[p], part, gradient));
  }
}

template <class T>
void Activation<T>::settle() {
  constexpr double kInside = 1e-3;  // of an open end of the domain
  for (Index group = 0; group < groups_; ++group) {
    for (std::size_t i = 0; i < learned_.size(); ++i) {
      Call call = of_group(group);
      const std::size_t p = learned_[i];
      if (!std::isfinite(call.parameters[p]) || accepts(call.info(), p, call.parameters.data())) continue;
      double bound = 0;  // a number, or another parameter
      const std::string_view text = call.info().parameters[p].bound();
      if (!parse_number(text, bound))
        for (std::size_t j = 0; j < call.info().parameters.size(); ++j)
          if (call.info().parameters[j].name == text) bound = call.parameters[j];
      const bool below = call.info().parameters[p].domain.starts_with("<");
      values_(static_cast<Index>(i), group) = static_cast<T>(bound + (below ? -kInside : kInside));
    }
  }
}

template class Activation<float>;
template class Activation<double>;

}  // namespace actfun::lab
