// SPDX-License-Identifier: Apache-2.0
#include "lab/activation.h"

#include <array>
#include <cmath>
#include <type_traits>

#include "tool/text.h"

namespace actfun::lab {
namespace {

template <class T>
constexpr Format kFormat = std::is_same_v<T, float> ? Format::f32 : Format::f64;

/// The V of a parameter's domain: a number, or another parameter.
double bound_of(const Call& call, std::size_t p) {
  const auto& parameters = call.info().parameters;
  const std::string_view text = parameters[p].bound();
  double bound = 0;
  if (!parse_number(text, bound))
    for (std::size_t j = 0; j < parameters.size(); ++j)
      if (parameters[j].name == text) bound = call.parameters[j];
  return bound;
}

}  // namespace

template <class T>
Activation<T>::Activation(Call call, Learn learn, Index units, Index share)
    : call_(std::move(call)), units_(units), share_(share) {
  if (!call_.entry->elementwise()) tool::fail("{} is not elementwise", call_.text());
  const auto& parameters = call_.info().parameters;
  for (std::size_t p = 0; p < parameters.size(); ++p)
    if (learn == Learn::all || (learn == Learn::learnable && parameters[p].learnable)) learned_.push_back(p);
  if (learned_.empty()) share_ = units_;
  if (share_ < 1 || units % share_ != 0) tool::fail("{} units cannot share parameters in groups of {}", units, share);
  groups_ = units / share_;
  values_.resize(static_cast<Index>(learned_.size()), groups_);
  for (std::size_t i = 0; i < learned_.size(); ++i)
    values_.row(static_cast<Index>(i)).setConstant(static_cast<T>(call_.parameters[learned_[i]]));
  gradients_ = Matrix<T>::Zero(values_.rows(), values_.cols());
}

template <class T>
Channels Activation<T>::shape(Index rows) const {
  Channels channels{.outer = static_cast<std::size_t>(rows),
                    .channels = static_cast<std::size_t>(groups_),
                    .inner = static_cast<std::size_t>(share_),
                    .format = kFormat<T>};
  for (std::size_t i = 0; i < learned_.size(); ++i)
    channels.parameters[learned_[i]] = values_.data() + static_cast<Index>(i) * groups_;
  return channels;
}

template <class T>
void Activation<T>::forward(const T* z, T* y, Index rows) const {
  call_.multiply(Part::value, kFormat<T>, shape(rows), z, nullptr, y, current_target());
}

template <class T>
void Activation<T>::backward(const T* z, const T* dy, T* dz, Index rows) const {
  call_.multiply(Part::slope, kFormat<T>, shape(rows), z, dy, dz, current_target());
}

template <class T>
void Activation<T>::slope(const T* z, T* slope, Index rows) const {
  call_.multiply(Part::slope, kFormat<T>, shape(rows), z, nullptr, slope, current_target());
}

template <class T>
void Activation<T>::sum_gradients(const T* z, const T* dy, Index rows) {
  if (learned_.empty()) return;
  Matrix<double> sums(gradients_.rows(), gradients_.cols());
  std::array<double*, kMaxParameters> to{};
  for (std::size_t i = 0; i < learned_.size(); ++i) to[learned_[i]] = sums.data() + static_cast<Index>(i) * groups_;
  call_.parameter_gradients(kFormat<T>, shape(rows), z, dy, to.data(), current_target());
  gradients_ = sums.template cast<T>();
}

template <class T>
void Activation<T>::settle() {
  constexpr double kInside = 1e-3;  // of an open end of the domain
  for (Index group = 0; group < groups_; ++group) {
    Call call = call_;
    for (std::size_t i = 0; i < learned_.size(); ++i)
      call.parameters[learned_[i]] = static_cast<double>(values_(static_cast<Index>(i), group));
    for (std::size_t i = 0; i < learned_.size(); ++i) {
      const std::size_t p = learned_[i];
      if (!std::isfinite(call.parameters[p]) || accepts(call.info(), p, call.parameters.data())) continue;
      const bool below = call.info().parameters[p].domain.starts_with("<");
      values_(static_cast<Index>(i), group) = static_cast<T>(bound_of(call, p) + (below ? -kInside : kInside));
    }
  }
}

template class Activation<float>;
template class Activation<double>;

}  // namespace actfun::lab
