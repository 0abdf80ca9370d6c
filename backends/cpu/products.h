// SPDX-License-Identifier: Apache-2.0
// g f(x), rounded once: backward passes, and the terms of the derivatives with respect to parameters. f' is never a
// float on its way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "backends/cpu/formats.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/sum.h"
#include "core/big/big.h"
#include "core/format.h"

namespace actfun {

/// What a convention puts in the place of f(x).
struct Exception {
  double x;
  big::Big y;
};

/// One part of a function, with its parameters: what is multiplied.
struct Factor {
  Kernels::Raw raw = nullptr;
  Kernels::Each each = nullptr;
  Kernels::Wide wide = nullptr;
  big::Evaluate big = nullptr;
  const Constant* parameters = nullptr;
  bool has_limits = true;  ///< at +-inf
  std::int64_t target;     ///< Highway's bit
  std::size_t count = 0;   ///< of parameters
  std::span<const Exception> exceptions{};
  Kernels::Unary exact = nullptr;  ///< f as floats, where they hold it exactly or it overflows: relu'
  Overflow overflow = Overflow::saturate;
};

/// Elements that are worked on at a time, in L1.
inline constexpr std::size_t kProductTile = 512;

/// Parameters for each element of a tile: parameter k is values[k][i]. Without values they are the factor's own.
struct EachParameters {
  const double* const* values = nullptr;
};

/// n <= kProductTile numbers of a format as doubles, or, if it is no f64, as floats.
void load(Format format, const void* x, double* y, std::size_t n, std::int64_t target);
void load(Format format, const void* x, float* y, std::size_t n, std::int64_t target);

/// y[i] = a[i] b[i] f(x[i]) in `format`, rounded once, for n <= kProductTile numbers of it; b may be null, for 1. Zeros
/// have the product's sign; an infinite a or b makes an infinity, or NaN beside an f(x) of 0; an infinite x stands for
/// the limit there. Every NaN is the same. Expects the default floating-point environment.
void multiply(const Factor& f, Format format, const double* x, const double* a, const double* b, void* y, std::size_t n,
              EachParameters each = {});

/// The first of these for n <= kProductTile floats by `exact` alone: one product. False, and nothing written, where
/// that does not do.
bool multiply_exact(const Factor& f, const float* x, const float* a, float* y, std::size_t n);

/// The same of arrays of `format`; a may be null, for 1.
void multiply_arrays(const Factor& f, Format format, const void* x, const void* a, void* y, std::size_t n,
                     EachParameters each = {});

/// The first of these rounded to f32's precision and least exponents, or for `Format::f64` to f64; nothing is too large
/// for a double.
void multiply(const Factor& f, Format format, const double* x, const double* a, double* y, std::size_t n,
              EachParameters each = {});

/// Adds a[i] f(x[i]), n <= kProductTile, to sum number (first + i) % sums.size(): for floats a rounded to f32's
/// precision and least exponents, for doubles to f64; nothing is too large for a double.
void multiply_and_add(const Factor& f, const double* x, const float* a, Sums& sums, std::size_t first, std::size_t n,
                      EachParameters each = {});
void multiply_and_add(const Factor& f, const double* x, const double* a, Sums& sums, std::size_t first, std::size_t n,
                      EachParameters each = {});

/// So many products are added together, or none of them.
inline constexpr std::size_t kBlock = 16;

/// The steps of this that are worth an instruction set of their own.
struct ProductSteps {
  void (*widen)(const float* x, double* y, std::size_t n);
  /// y[i] = a[i] f[i] as a float. Whether another f within error[i] would give another float is open[i]; the result
  /// says whether any is.
  bool (*round)(const double* a, const double* f, const double* error, float* y, std::uint32_t* open, std::size_t n);
  /// y[i] = a[i] f[i], unless any f[i] is infinite or NaN: then nothing is written, and the result is false.
  bool (*multiply)(const float* a, const float* f, float* y, std::size_t n);
  /// Adds a[i] f[i] as a float to the sum high[i] + low[i], unless another f within error[i] would give another float,
  /// or the product is none. Bit k of the result: block k has not been added, for this or a neighbour's sake. n <= 32
  /// kBlock.
  std::uint32_t (*multiply_and_add)(const float* a, const double* f, const double* error, double* high, double* low,
                                    std::size_t n);
  /// Adds x[i] to the sum high[i] + low[i], but what is huge: whether any is.
  bool (*add)(const double* x, double* high, double* low, std::size_t n);
  /// Adds another sum to each.
  void (*merge)(double* high, double* low, const double* other_high, const double* other_low, std::size_t n);
  /// See Sums.
  void (*fold)(double* high, double* low, std::size_t groups, std::size_t rows, std::size_t n);
};
const ProductSteps& product_steps(std::int64_t target);

}  // namespace actfun
