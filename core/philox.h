// SPDX-License-Identifier: Apache-2.0
// Random numbers by counter: number i of a seed is a function of i and the seed alone, so that any part of an array can
// be drawn by any thread, again, and on any machine. Philox 4x32 with 10 rounds (Salmon et al. 2011).
#pragma once

#include <array>
#include <cstdint>

namespace actfun {

/// Four words of 32 bits for block `block` of stream `stream` under a seed.
constexpr std::array<std::uint32_t, 4> philox(std::uint64_t seed, std::uint64_t block, std::uint64_t stream = 0) {
  // Multipliers and the keys' steps (the golden ratio, and sqrt(3) - 1) as the paper has them.
  constexpr std::uint64_t kMultiply[] = {0xD2511F53, 0xCD9E8D57};
  constexpr std::uint32_t kStep[] = {0x9E3779B9, 0xBB67AE85};
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  std::array<std::uint32_t, 4> c = {low(block), high(block), low(stream), high(stream)};
  std::uint32_t key[] = {low(seed), high(seed)};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p = kMultiply[0] * c[0], q = kMultiply[1] * c[2];
    c = {high(q) ^ c[1] ^ key[0], low(q), high(p) ^ c[3] ^ key[1], low(p)};
    key[0] += kStep[0], key[1] += kStep[1];
  }
  return c;
}

/// Known answers of the paper's authors (Random123, kat_vectors).
static_assert(philox(0, 0) == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(philox(~0ull, ~0ull, ~0ull) ==
              std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(philox(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e) ==
              std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

}  // namespace actfun
