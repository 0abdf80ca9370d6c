// SPDX-License-Identifier: Apache-2.0
// The instruction sets: which are compiled, supported, in use.
#include <cstdlib>

#include "api/registry.h"
#include "backends/cpu/targets.h"

namespace actfun {
namespace {

#define ACTFUN_TARGET_ENTRY(name, description) {#name, description, HWY_##name},
constexpr Target kTargets[] = {ACTFUN_TARGETS(ACTFUN_TARGET_ENTRY)};
#undef ACTFUN_TARGET_ENTRY

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

const Target& choose_target() {
  if (const char* forced = std::getenv("ACTFUN_TARGET"); forced && *forced) {
    const Target& target = find_target(forced);
    if (!supported(target))
      throw std::invalid_argument("ACTFUN_TARGET: this machine does not support " + std::string(target.name));
    return target;
  }
  for (const Target& target : kTargets)
    if (supported(target)) return target;
  return kTargets[std::size(kTargets) - 1];
}

}  // namespace

std::span<const Target> compiled_targets() { return kTargets; }

bool supported(const Target& target) {
#if HWY_ARCH_X86
  // All that the compiler may use in a target's code, as HWY_TARGET_STR says in hwy/ops/set_macros-inl.h.
  __builtin_cpu_init();  // a constructor in another library may run before the one that does this
  const bool sse4 =
      __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("aes");
  const bool avx2 = sse4 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool avx3 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
  if (target.bit == HWY_SSE4) return sse4;
  if (target.bit == HWY_AVX2) return avx2;
  if (target.bit == HWY_AVX3) return avx3;
#endif
  return target.bit == HWY_SCALAR || target.bit == HWY_NEON;  // which every 64-bit Arm has
}

const Target& current_target() {
  static const Target& target = choose_target();  // a throw leaves it unset: the next call throws again
  return target;
}

const Target& find_target(std::string_view name) {
  std::string names;
  for (const Target& target : kTargets) {
    if (same_ignoring_case(target.name, name)) return target;
    names += (names.empty() ? "" : ", ") + std::string(target.name);
  }
  throw std::invalid_argument("unknown target '" + std::string(name) + "'; compiled are " + names);
}

}  // namespace actfun
