// SPDX-License-Identifier: Apache-2.0
// Elementwise functions on arrays of any format: every result is the real number rounded once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "backends/cpu/kernels.h"
#include "core/big/big.h"
#include "core/format.h"

namespace actfun {

/// What becomes of a result beyond the largest number of a format without infinities.
enum class Overflow : int { saturate, nan };

/// One function, order and set of parameters, ready to run on any format.
struct Elementwise {
  Kernels::Unary kernel;  ///< f32
  Kernels::Wide wide;     ///< where f32 leaves the rounding to a narrower format open, and f64
  big::Evaluate big;      ///< where that leaves it open, too
  const Constant* parameters;
  bool has_limits;      ///< at +-inf
  std::int64_t target;  ///< Highway's bit
  Overflow overflow = Overflow::saturate;
};

/// f on arrays of a format, in parts: everything that is done once for all of them is done before. Expects the default
/// floating-point environment, here and there.
class Runner {
 public:
  /// For n elements in all.
  Runner(const Elementwise& f, Format format, std::size_t n, Passage passage);
  /// y[i] = f(x[i]); y may be x.
  void operator()(const void* x, void* y, std::size_t n) const;

 private:
  Elementwise f_;
  Format format_;
  Passage passage_;
  std::shared_ptr<const void> table_;  ///< of all results of a narrow format; null where they are computed one by one
};

/// Integers q that stand for (q - zero_point) scale: ONNX's QuantizeLinear and DequantizeLinear, of 8 bits.
struct Quantization {
  bool is_signed;
  float scale;     ///< positive and finite
  int zero_point;  ///< in the integers' range
};
/// f of what x[i] stands for, as the integer of `out` nearest to it, ties to even, cut to the integers' range; without
/// `out` as f32. Every result is the real number rounded once.
class QuantizedRunner {
 public:
  QuantizedRunner(const Elementwise& f, const Quantization& in, const Quantization* out);
  /// In place if y holds integers.
  void operator()(const void* x, void* y, std::size_t n) const;

 private:
  static constexpr std::size_t kCodes = 256;
  std::int64_t target_;
  bool to_integers_;
  std::uint8_t integers_[kCodes];
  float floats_[kCodes];
};

/// f(x) rounded once to a format's number, given as a double: the slow way that is right for any finite x.
double evaluate_big(const Elementwise& f, Format format, double x);

/// The number of a format nearest to x, ties to even; nothing is too large.
double round_to(Format format, double x);
/// x in `format`, which must hold it exactly, and back.
std::uint64_t encode(Format format, double x, Overflow overflow);
double decode(Format format, std::uint64_t code);

/// y[i] = x[i] in another format, rounded once; what is too large saturates where there is no infinity.
void convert(Format from, const void* x, Format to, void* y, std::size_t n, std::int64_t target);

/// Arrays of the formats of 16 and of 8 bits from and to f32, on one instruction set.
struct Conversions {
  void (*widen)(const void* x, float* y, std::size_t n);
  /// Rounds to nearest even. Whether an x[i] is a tie, or next to one: for what x[i] was rounded from, another result
  /// may be right.
  bool (*narrow)(const float* x, void* y, std::size_t n, Overflow overflow);
};
const Conversions& conversions(Format format, std::int64_t target);

/// y[i] = table[x[i]] for codes of one byte or two. That of two has an entry more than there are codes, for reads of
/// two entries at a time.
void look_up(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::size_t n, std::int64_t target);
void look_up(const std::uint16_t* table, const std::uint16_t* x, std::uint16_t* y, std::size_t n, std::int64_t target,
             Passage passage);
void look_up(const float* table, const std::uint8_t* x, float* y, std::size_t n, std::int64_t target);

}  // namespace actfun
