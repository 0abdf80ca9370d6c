// SPDX-License-Identifier: Apache-2.0
// The bytes of a file, mapped into memory, and what zlib makes of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace actfun::tool {

/// A regular file in memory, read as it is needed. A file that becomes shorter meanwhile ends the program with a
/// message and exit status 2.
class Mapping {
 public:
  explicit Mapping(const std::string& path);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const unsigned char* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  friend class Reader;
  const std::string path_;
  const unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t device_ = 0, node_ = 0;
};

/// Reads a mapped file's bytes into a buffer, from front to end: quicker than a first look at mapped pages.
class Reader {
 public:
  explicit Reader(const Mapping& file);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Copies n bytes from file.data() + at.
  void read(std::size_t at, void* to, std::size_t n) const;

 private:
  const Mapping& file_;
  int descriptor_;
};

/// Compressed bytes, decompressed from front to end.
class Inflater {
 public:
  enum class Form { deflate, gzip };
  /// `from` must stay. gzip may have several members.
  Inflater(Form form, const unsigned char* from, std::size_t size);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// The next bytes, fewer than `size` only at the end. Throws when the data are broken or end early.
  std::size_t read(void* to, std::size_t size);
  /// The checksum (CRC-32) of all bytes so far.
  std::uint32_t checksum() const;

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace actfun::tool
