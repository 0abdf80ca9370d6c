// SPDX-License-Identifier: Apache-2.0
// Arrays of 16- and 8-bit numbers from and to f32: plain loops, compiled for every instruction set.
#include "backends/cpu/formats.h"
#include "backends/cpu/targets.h"
#include "core/code.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/convert.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace actfun::HWY_NAMESPACE {

template <Format format, class Storage>
struct Convert {
  using C = Code<format>;

  static void widen(const void* x, float* y, std::size_t n) {
    const auto* from = static_cast<const Storage*>(x);
    for (std::size_t i = 0; i < n; ++i) y[i] = C::value(from[i]);
  }
  static bool narrow(const float* x, void* y, std::size_t n, Overflow overflow) {
    auto* to = static_cast<Storage*>(y);
    const std::uint32_t beyond = overflow == Overflow::nan && !C::kInfo.infinite ? C::kNan : C::kOverflow;
    std::uint32_t open = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint32_t bits = std::bit_cast<std::uint32_t>(x[i]), u = bits & 0x7fffffff;
      const std::uint32_t code = C::round(u, beyond);
      to[i] = static_cast<Storage>((u > C::kInfinity ? C::kNan : code) | bits >> 31 << C::kSignBit);
      // A tie is where the floats on both sides are rounded apart.
      const std::uint32_t below = C::round(u - (u > 0), beyond), above = C::round(u + 1, beyond);
      open |= u < C::kInfinity ? below ^ above : 0;
    }
    return open != 0;
  }
  static constexpr Conversions conversions{widen, narrow};
};

const Conversions* conversions_of(Format format) {
  switch (format) {
    case Format::f16:
      return &Convert<Format::f16, std::uint16_t>::conversions;
    case Format::bf16:
      return &Convert<Format::bf16, std::uint16_t>::conversions;
    case Format::f8e4m3fn:
      return &Convert<Format::f8e4m3fn, std::uint8_t>::conversions;
    case Format::f8e5m2:
      return &Convert<Format::f8e5m2, std::uint8_t>::conversions;
    default:
      return nullptr;
  }
}

}  // namespace actfun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actfun {

const Conversions& conversions(Format format, std::int64_t target) {
  switch (target) {
#define ACTFUN_CASE(name, description) \
  case HWY_##name:                     \
    return *N_##name::conversions_of(format);
    ACTFUN_TARGETS(ACTFUN_CASE)
#undef ACTFUN_CASE
    default:
      return *N_SCALAR::conversions_of(format);
  }
}

}  // namespace actfun
#endif
