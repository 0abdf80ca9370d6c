// SPDX-License-Identifier: Apache-2.0
// Gated units that are products of several functions, or cut the gate's output: y = s a b with
//   a = min(h(g) [beta1 tanh(g / beta1)], step_limit),  b = v + offset, or beta2 tanh(v / beta2) + offset,
// for g and v that are cut already. As in products.h: on doubles with bounds of their errors first, and what these
// leave open on double-doubles, and then with 256 bits.
#pragma once

#include <cmath>
#include <initializer_list>
#include <optional>

#include "api/factors.h"
#include "api/gated_table.h"

namespace actfun {

class GatedComposite {
 public:
  /// `value` and `slope` are h and h'.
  GatedComposite(const Factor& value, const Factor& slope, const GatedExtras& extras, Format format,
                 const Target& target);
  GatedComposite(const GatedComposite&) = delete;
  GatedComposite& operator=(const GatedComposite&) = delete;

  /// y = s a b for n <= kProductTile elements, rounded once; s may be null, for 1.
  void value(const double* g, const double* v, const double* s, void* y, std::size_t n) const;
  /// dg = dy s a' b, where a' is 0 if a is cut, and dv = dy s a b', each rounded once; unless null, terms = dy a b,
  /// rounded to f32's precision, or f64's if that is the format.
  void gradients(const double* g, const double* v, const double* s, const double* dy, void* dg, void* dv, double* terms,
                 std::size_t n) const;

 private:
  /// beta tanh(x / beta), and its slope.
  class SoftLimit {
   public:
    SoftLimit(double beta, const Target& target);
    /// One of these at x by 256 bits.
    big::Big big(const Factor& f, double x) const;
    bool saturated(double x) const { return std::fabs(x) > 128 * beta_; }
    Factor value, slope;

   private:
    double beta_;
    Constants constants_;
    Factors factors_;
  };
  struct Element {
    double g, v, s, dy;
  };
  /// What is a product of two sides: y and the terms are a b, dg is a' b, dv is a b'.
  enum class Product { value, by_gate, by_value, term };
  template <class N>
  struct Sides {
    N a, a_slope, b, b_slope;
    N of(Product which) const;
  };
  template <class N, class Evaluate>
  Sides<N> sides(const Element& at, bool slopes, const Evaluate& evaluate) const;
  struct Tile {
    const double *g, *v, *s, *dy;
    std::size_t n;
  };
  struct Output {
    Product which;
    void* to;
    Format format;
    bool scaled;
  };
  void run(const Tile& in, std::initializer_list<Output> outputs, bool slopes) const;
  /// The soft limit that f belongs to, or null.
  const SoftLimit* soft_limit_with(const Factor& f) const;
  big::Big big(const Factor& f, double x) const;
  double again(Product which, const Element& at, const FormatInfo& format) const;
  double by_256_bits(Product which, const Element& at, const FormatInfo& format) const;

  Factor h_, slope_of_h_;
  std::optional<SoftLimit> soft_gate_, soft_value_;
  GatedExtras extras_;
  Format format_;
  Overflow overflow_;
};

}  // namespace actfun
