// SPDX-License-Identifier: Apache-2.0
// The inputs that certificates are about, and the hashes of outputs that they hold.
//
// Inputs are the 2^32 bit patterns in order, cut into 256 blocks of 2^24. A block's hash is XXH3-128 of its outputs as
// little-endian bytes, every NaN made 0x7fc00000. A certificate also holds a hash of each block over one input in 32,
// and one hash over one input in 256, for machines on which 2^32 evaluations take too long.
//
// Of the other formats all 2^16 or 2^8 inputs are certified, and of f64 two million, with one hash for each order, and
// of f64 another over one input in 32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/registry.h"
#include "core/format.h"

namespace actfun {

/// "value", "slope", "curvature".
std::string_view name_of(Order order);

inline constexpr std::uint32_t kBlocks = 256;
inline constexpr std::uint32_t kBlockInputs = 1u << 24;

/// Which inputs are computed: all; the 2^27 whose bit pattern is 32 i + scatter(i), a number below 32; or in the same
/// way the 2^24 of the form 256 i + scatter(i).
enum class Extent { full, spread, sparse };
constexpr std::uint32_t stride(Extent extent) {
  return extent == Extent::full ? 1 : extent == Extent::spread ? 32 : 256;
}
constexpr std::uint32_t scatter(Extent extent, std::uint32_t i) {
  return extent == Extent::full ? 0 : i * 2654435761u >> (extent == Extent::spread ? 27 : 24);
}
constexpr std::uint32_t inputs_per_block(Extent extent) { return kBlockInputs / stride(extent); }
/// Bit pattern of the i-th input of a block.
constexpr std::uint32_t input_pattern(Extent extent, std::uint32_t block, std::uint32_t i) {
  const std::uint32_t index = block * inputs_per_block(extent) + i;
  return stride(extent) * index + scatter(extent, index);
}

/// The certified inputs of a format other than f32, as an array of that format: every bit pattern in order, or, of f64,
/// kWideInputs: where `info` says that the function bends, special numbers, and random ones.
inline constexpr std::size_t kWideInputs = 2000000;
std::vector<unsigned char> format_inputs(const Info& info, Format format);
/// Every 32nd element of such an array.
std::vector<unsigned char> sparse_elements(Format format, std::span<const unsigned char> array);
/// An element of an array of a format, and what an array holds for a number that was rounded to the format.
double element(Format format, const void* array, std::size_t i);
void set_element(Format format, void* array, std::size_t i, double value);
/// XXH3-128 of an array as little-endian bytes, NaNs made equal.
std::string hash_of(Format format, const void* array, std::size_t n);

/// XXH3-128 of a stream of outputs, NaNs made equal. 32 hexadecimal digits.
class OutputHash {
 public:
  OutputHash();
  ~OutputHash();
  OutputHash(const OutputHash&) = delete;
  OutputHash& operator=(const OutputHash&) = delete;
  void add(const float* y, std::size_t n);
  std::string digits() const;

 private:
  void* state_;
};
/// The hash over the hashes of all blocks.
std::string hash_of(std::span<const std::string> blocks);

}  // namespace actfun
