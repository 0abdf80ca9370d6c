// SPDX-License-Identifier: Apache-2.0
// The number formats that arrays come in.
#pragma once

#include <cstddef>
#include <string_view>

namespace actfun {

/// A position is the format's number in the C interface: append, never reorder.
enum class Format : int { f32, f64, f16, bf16, f8e4m3fn, f8e5m2 };

struct FormatInfo {
  std::string_view name;  ///< as the program and file formats spell it
  std::string_view description;
  std::size_t bytes;
  int precision;         ///< bits of the significand, with the implicit one
  int least_exponent;    ///< of the least normal number, 2^least_exponent
  double largest;        ///< finite number
  bool infinite = true;  ///< whether it has infinities; without, what exceeds `largest` becomes it, or NaN by choice
};

inline constexpr FormatInfo kFormats[] = {
    {"f32", "IEEE 754 binary32", 4, 24, -126, 0x1.fffffep127},
    {"f64", "IEEE 754 binary64", 8, 53, -1022, 0x1.fffffffffffffp1023},
    {"f16", "IEEE 754 binary16", 2, 11, -14, 65504.0},
    {"bf16", "bfloat16: the upper half of a binary32", 2, 8, -126, 0x1.fep127},
    {"f8e4m3fn", "8 bits, 4 of exponent; OCP OFP8 E4M3: no infinity", 1, 4, -6, 448.0, false},
    {"f8e5m2", "8 bits, 5 of exponent; OCP OFP8 E5M2", 1, 3, -14, 57344.0},
};
inline constexpr std::size_t kFormatCount = sizeof kFormats / sizeof *kFormats;

constexpr const FormatInfo& info_of(Format format) { return kFormats[static_cast<int>(format)]; }

}  // namespace actfun
