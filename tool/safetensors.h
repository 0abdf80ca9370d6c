// SPDX-License-Identifier: Apache-2.0
// The header of a .safetensors file: eight bytes of length, JSON that lists the tensors, then their elements.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/format.h"

namespace actfun::tool {

struct SafeTensor {
  std::string name;
  Format format;
  std::vector<std::uint64_t> shape;
  std::span<const unsigned char> bytes;
};

/// The floating-point tensors of a file, in the order of their bytes; `skipped` counts those of other types. Everything
/// that the format promises is checked: offsets within the file, in order, without overlaps or gaps, and as many bytes
/// as the shape needs. Throws on anything else.
std::vector<SafeTensor> read_safetensors(std::span<const unsigned char> file, std::size_t& skipped);

}  // namespace actfun::tool
