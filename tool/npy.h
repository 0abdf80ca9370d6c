// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files: a magic number, a header that is a Python dictionary, then the bare elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace actfun::tool {

struct NpyHeader {
  std::string type = "<f4";
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;

  std::uint64_t elements() const;  ///< the product of the shape; parse_npy_header has made sure that it is small enough
  std::string shape_text() const;  ///< "(1797, 64)"
};

/// The dictionary alone, without magic number and length. Throws on anything but the three keys of the format.
NpyHeader parse_npy_header(std::string_view text);

/// All bytes in front of the elements.
std::string npy_header_bytes(const NpyHeader& header);

/// An array of f32 in a file. Everything is checked when it is opened, the length of the file included.
class NpyReader {
 public:
  explicit NpyReader(const std::string& path);
  ~NpyReader();
  NpyReader(const NpyReader&) = delete;
  NpyReader& operator=(const NpyReader&) = delete;

  const NpyHeader& header() const { return header_; }
  /// `count` elements from number `first` on, from any thread.
  void read(float* to, std::uint64_t first, std::size_t count) const;

 private:
  void read_bytes(void* to, std::size_t size, std::uint64_t offset) const;
  void read_header();

  std::string path_;
  int descriptor_;
  std::uint64_t size_ = 0, data_offset_ = 0;
  NpyHeader header_;
};

}  // namespace actfun::tool
