// SPDX-License-Identifier: Apache-2.0
/// @file
/// Gated linear units, y = h(gate) value: glu, geglu, swiglu and so on, and any elementwise function as the gate.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "actfun/array.hpp"
#include "actfun/gated.h"

namespace actfun {

/// Where gate and value lie in one array along an axis.
enum class GluLayout {
  gate_first = ACTFUN_GATE_FIRST,
  gate_second = ACTFUN_GATE_SECOND,
  interleaved = ACTFUN_GATE_EVEN,
  interleaved_gate_second = ACTFUN_GATE_ODD
};

/// Views of the gate and of the value in x, whose length along `axis` is even. Nothing is copied. Throws Error.
struct GateAndValue {
  Array gate, value;
};
inline GateAndValue split(const Array& x, int axis, GluLayout layout) {
  char message[256] = "";
  actfun_array gate, value;
  detail::check_told(
      actfun_glu_split(&x, axis, static_cast<std::int32_t>(layout), &gate, &value, message, sizeof message), "split",
      message);
  return {Array(gate), Array(value)};
}

/// A gated unit: what it computes, how exactly, and what NaN and infinities do stands in gated.h.
///
///     const actfun::Gated swiglu("swiglu");                       // or "clamped_swiglu:limit=5", "mish:offset=1"
///     swiglu(actfun::Array(x, {rows, 2 * n}), actfun::Array(y, {rows, n}));     // in halves along the last axis
///     swiglu(gate, value, y);                                     // from two arrays
///     swiglu.backward(x, dy, dx);                                 // both halves' gradients
///
/// All arrays are `actfun::Array`s of one format. Everything throws Error on bad arguments, naming the array.
class Gated {
 public:
  struct Options {
    Tier tier = Tier::exact;
    unsigned threads = 0;  ///< at most so many; 0: actfun_threads()
    Kinks kinks = Kinks::actfun;
  };

  /// NAME[@PRESET][:parameter=value,...] as actfun_glu_find reads it. Throws Error, which tells what is allowed.
  explicit Gated(const std::string& text) : Gated(text, Options{}) {}
  Gated(const std::string& text, const Options& options) {
    char message[512] = "";
    detail::check_told(actfun_glu_find(text.c_str(), &unit_, message, sizeof message), "Gated", message);
    detail::set_kinks(unit_.gate, options.kinks);
    unit_.gate.tier = static_cast<std::uint8_t>(options.tier);
    unit_.gate.threads = options.threads;
  }

  /// y = f(gate, value), times `scale` where there is one: of the same shape, but 1 along some axes. y may be gate or
  /// value.
  void operator()(const Array& gate, const Array& value, const Array& y) const { apply(gate, value, nullptr, y); }
  void operator()(const Array& gate, const Array& value, const Array& y, const Array& scale) const {
    apply(gate, value, &scale, y);
  }
  /// Both from one array, split along `axis` in the preset's layout or in another.
  void operator()(const Array& x, const Array& y, int axis = -1) const { (*this)(x, y, axis, layout()); }
  void operator()(const Array& x, const Array& y, int axis, GluLayout layout) const {
    const auto [gate, value] = split(x, axis, layout);
    (*this)(gate, value, y);
  }

  /// The gradients by gate and value from that by y. They may take the inputs' places.
  void backward(const Array& gate, const Array& value, const Array& dy, const Array& dgate, const Array& dvalue) const {
    differentiate(gate, value, nullptr, dy, dgate, dvalue, nullptr, -1);
  }
  /// With a scale, and its gradient: the sums over `axis`, along which scale and dscale have length 1.
  void backward(const Array& gate, const Array& value, const Array& scale, const Array& dy, const Array& dgate,
                const Array& dvalue, const Array& dscale, int axis = -1) const {
    differentiate(gate, value, &scale, dy, dgate, dvalue, &dscale, axis);
  }
  /// Both in one array of x's shape and layout. dx may be x.
  void backward(const Array& x, const Array& dy, const Array& dx, int axis = -1) const {
    backward(x, dy, dx, axis, layout());
  }
  void backward(const Array& x, const Array& dy, const Array& dx, int axis, GluLayout layout) const {
    const auto [gate, value] = split(x, axis, layout);
    const auto [dgate, dvalue] = split(dx, axis, layout);
    backward(gate, value, dy, dgate, dvalue);
  }

  /// The preset's.
  GluLayout layout() const { return static_cast<GluLayout>(unit_.layout); }
  const actfun_gated& handle() const { return unit_; }

 private:
  void apply(const Array& gate, const Array& value, const Array* scale, const Array& y) const {
    char message[256] = "";
    detail::check_told(actfun_glu(&unit_, &gate, &value, scale, &y, message, sizeof message), "Gated", message);
  }
  void differentiate(const Array& gate, const Array& value, const Array* scale, const Array& dy, const Array& dgate,
                     const Array& dvalue, const Array* dscale, int axis) const {
    char message[256] = "";
    detail::check_told(
        actfun_glu_backward(&unit_, &gate, &value, scale, &dy, &dgate, &dvalue, dscale, axis, message, sizeof message),
        "Gated::backward", message);
  }

  actfun_gated unit_{};
};

/// A unit at its defaults, exact: `actfun::swiglu(x, y)`, `actfun::swiglu.backward(x, dy, dx)`, with the arguments that
/// Gated takes. actfun::swiglu.with({.tier = actfun::Tier::fast}) is a Gated.
struct GatedUnit {
  const char* name;
  template <class... Arguments>
  void operator()(const Arguments&... arguments) const {
    Gated{name}(arguments...);
  }
  template <class... Arguments>
  void backward(const Arguments&... arguments) const {
    Gated{name}.backward(arguments...);
  }
  Gated with(const Gated::Options& options) const { return Gated(name, options); }
};
inline constexpr GatedUnit glu{"glu"}, bilinear{"bilinear"}, reglu{"reglu"}, sreglu{"sreglu"}, geglu{"geglu"},
    geglu_tanh{"geglu_tanh"}, geglu_quick{"geglu_quick"}, swiglu{"swiglu"}, clamped_swiglu{"clamped_swiglu"},
    swiglu_step{"swiglu_step"}, situ_glu{"situ_glu"}, fatrelu_glu{"fatrelu_glu"};

}  // namespace actfun
