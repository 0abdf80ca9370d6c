// SPDX-License-Identifier: Apache-2.0
// Bit patterns of the formats narrower than f32, in operations that compilers vectorise.
#pragma once

#include <bit>
#include <cstdint>

#include "core/format.h"

namespace actfun {

template <Format format>
struct Code {
  static constexpr FormatInfo kInfo = info_of(format);
  static constexpr int kShift = 24 - kInfo.precision;  ///< bits that a float has more
  static constexpr int kSignBit = 8 * static_cast<int>(kInfo.bytes) - 1;
  static constexpr std::uint32_t kSign = 1u << kSignBit;
  static constexpr std::uint32_t kInfinity = 0x7f800000;
  /// The magnitudes of infinity and NaN, or, without an infinity, of NaN alone: all ones.
  static constexpr std::uint32_t kSpecial =
      kInfo.infinite ? (kSign - 1) & ~((1u << (kInfo.precision - 1)) - 1) : kSign - 1;
  static constexpr std::uint32_t kNan = kInfo.infinite ? kSpecial | 1u << (kInfo.precision - 2) : kSpecial;
  static constexpr std::uint32_t kOverflow = kInfo.infinite ? kSpecial : kSpecial - 1;
  /// 2^least_exponent as a float's bits, and what the biased exponents differ by.
  static constexpr std::uint32_t kLeastNormal = static_cast<std::uint32_t>(kInfo.least_exponent + 127) << 23;
  static constexpr std::uint32_t kBias = (kLeastNormal >> kShift) - (1u << (kInfo.precision - 1));

  /// The float with these bits less the sign, rounded to nearest even; no NaN. `overflow` is what takes the place of
  /// magnitudes beyond the largest.
  static constexpr std::uint32_t round(std::uint32_t u, std::uint32_t overflow) {
    const std::uint32_t normal = ((u + ((1u << (kShift - 1)) - 1) + ((u >> kShift) & 1)) >> kShift) - kBias;
    std::uint32_t code = normal;
    if constexpr (kLeastNormal > 0x00800000) {
      // Below the least normal number: adding a power of two whose last place is the least subnormal number rounds.
      constexpr float kMagic = std::bit_cast<float>(kLeastNormal + (static_cast<std::uint32_t>(kShift) << 23));
      const std::uint32_t subnormal =
          std::bit_cast<std::uint32_t>(std::bit_cast<float>(u) + kMagic) - std::bit_cast<std::uint32_t>(kMagic);
      code = u < kLeastNormal ? subnormal : normal;
    }
    return u >= kInfinity || code > kOverflow ? overflow : code;
  }
  static constexpr std::uint32_t of(float x, std::uint32_t overflow = kOverflow) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(x), u = bits & 0x7fffffff, sign = bits >> 31 << kSignBit;
    return (u > kInfinity ? kNan : round(u, overflow)) | sign;
  }
  static constexpr float value(std::uint32_t code) {
    const std::uint32_t magnitude = code & (kSign - 1), sign = (code & kSign) << (31 - kSignBit);
    // The exponent's bias by a multiplication, which makes subnormal numbers normal.
    constexpr float kScale = std::bit_cast<float>(static_cast<std::uint32_t>(127 + 126 + kInfo.least_exponent) << 23);
    std::uint32_t bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude << kShift) * kScale);
    if (magnitude >= kSpecial) bits = kInfo.infinite && magnitude == kSpecial ? kInfinity : 0x7fc00000;
    return std::bit_cast<float>(bits | sign);
  }
};

}  // namespace actfun
