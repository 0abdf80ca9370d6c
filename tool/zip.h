// SPDX-License-Identifier: Apache-2.0
// The directory of a ZIP archive: as much of the format as NumPy's .npz files need, sizes beyond 2^32 included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace actfun::tool {

struct ZipEntry {
  std::string name;
  bool deflated;                         ///< otherwise stored as it is
  std::span<const unsigned char> bytes;  ///< as they lie in the archive
  std::uint64_t size;                    ///< decompressed
  std::uint32_t checksum;                ///< CRC-32 of the decompressed bytes
};

/// All files of the archive, in its order. Everything is checked against its size. Throws on what is broken, encrypted,
/// split over volumes, or compressed in another way.
std::vector<ZipEntry> read_zip(std::span<const unsigned char> archive);

}  // namespace actfun::tool
