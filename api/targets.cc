// SPDX-License-Identifier: Apache-2.0
// The instruction sets: which are compiled, supported, in use.
#include <cstdlib>

#include "api/registry.h"
#include "backends/cpu/targets.h"
#include "hwy/targets.h"

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

bool supported(const Target& target) { return target.bit == HWY_SCALAR || (hwy::SupportedTargets() & target.bit) != 0; }

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
