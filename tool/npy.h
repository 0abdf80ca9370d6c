// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files: a magic number, a header that is a Python dictionary, then the bare elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/format.h"

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

/// Where the dictionary lies: `length` bytes after the first `before`.
struct NpyStart {
  std::uint64_t before, length;
};
/// From a file's first 12 bytes, or all that it has. Throws unless these begin a .npy file of a known version.
NpyStart npy_start(std::span<const unsigned char> bytes);

/// The format of elements that NumPy describes by `type`: f32, f64 and f16 ('<f4', '<f8', '<f2'); other formats lie in
/// files as integers or raw bytes of their size, and `wanted` says what they are. Throws when there is none, or not the
/// one that was asked for. With `booleans`, '|b1' and '|u1' are bytes, as which f8e5m2 stands.
Format npy_format(const std::string& type, std::optional<Format> wanted, bool booleans = false);

/// All bytes in front of the elements.
std::string npy_header_bytes(const NpyHeader& header);

/// An array of numbers in a file. Everything is checked when it is opened, the length of the file included.
class NpyReader {
 public:
  /// `format` and `booleans` as npy_format takes them.
  explicit NpyReader(const std::string& path, std::optional<Format> format = std::nullopt, bool booleans = false);
  ~NpyReader();
  NpyReader(const NpyReader&) = delete;
  NpyReader& operator=(const NpyReader&) = delete;

  const NpyHeader& header() const { return header_; }
  Format format() const { return format_; }
  /// `count` elements from number `first` on, from any thread.
  void read(void* to, std::uint64_t first, std::size_t count) const;

 private:
  void read_bytes(void* to, std::size_t size, std::uint64_t offset) const;
  void read_header(std::optional<Format> format, bool booleans);

  std::string path_;
  int descriptor_;
  std::uint64_t size_ = 0, data_offset_ = 0;
  NpyHeader header_;
  Format format_ = Format::f32;
};

}  // namespace actfun::tool
