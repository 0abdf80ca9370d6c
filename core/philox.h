// SPDX-License-Identifier: Apache-2.0
// Random numbers by counter: number i of a seed is a function of i and the seed alone, so that any part of an array can
// be drawn by any thread, again, and on any machine. Philox 4x32 with 10 rounds (Salmon et al. 2011).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace actfun {

/// Ten rounds on n counters side by side, whose words k are c[k]. Inlined, so that it is compiled for whatever
/// instruction set the caller is.
template <std::size_t n>
[[gnu::always_inline]] constexpr void philox_rounds(std::uint64_t seed, std::uint32_t (&c)[4][n]) {
  // Multipliers and the keys' steps (the golden ratio, and sqrt(3) - 1) as the paper has them.
  constexpr std::uint64_t kMultiply[] = {0xD2511F53, 0xCD9E8D57};
  constexpr std::uint32_t kStep[] = {0x9E3779B9, 0xBB67AE85};
  std::uint32_t key[] = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  for (int round = 0; round < 10; ++round) {
    for (std::size_t j = 0; j < n; ++j) {
      const std::uint64_t p = kMultiply[0] * c[0][j], q = kMultiply[1] * c[2][j];
      c[0][j] = static_cast<std::uint32_t>(q >> 32) ^ c[1][j] ^ key[0];
      c[1][j] = static_cast<std::uint32_t>(q);
      c[2][j] = static_cast<std::uint32_t>(p >> 32) ^ c[3][j] ^ key[1];
      c[3][j] = static_cast<std::uint32_t>(p);
    }
    key[0] += kStep[0], key[1] += kStep[1];
  }
}

/// Four words of 32 bits for block `block` of stream `stream` under a seed.
constexpr std::array<std::uint32_t, 4> philox(std::uint64_t seed, std::uint64_t block, std::uint64_t stream = 0) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  std::uint32_t c[4][1] = {{low(block)}, {high(block)}, {low(stream)}, {high(stream)}};
  philox_rounds(seed, c);
  return {c[0][0], c[1][0], c[2][0], c[3][0]};
}

/// Known answers of the paper's authors (Random123, kat_vectors).
static_assert(philox(0, 0) == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(philox(~0ull, ~0ull, ~0ull) ==
              std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(philox(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e) ==
              std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

}  // namespace actfun
