// SPDX-License-Identifier: Apache-2.0
// Files that appear whole or not at all: written beside their place, then renamed. What is not finished is removed
// when the verb fails, and on SIGINT, SIGTERM and SIGHUP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace actfun::tool {

/// A path that is removed, with all below it, unless `keep` is called.
class Unfinished {
 public:
  /// A fresh name beside `target`; nothing exists there yet. The directory must exist.
  explicit Unfinished(const std::filesystem::path& target);
  ~Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void keep();

 private:
  std::filesystem::path path_;
};

class OutputFile {
 public:
  /// Throws when the place cannot hold a file: no such directory, not a regular file, no permission.
  explicit OutputFile(const std::filesystem::path& path) : OutputFile(path, path) {}
  /// The same for a path that messages call `shown`.
  OutputFile(const std::filesystem::path& path, const std::filesystem::path& shown);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Asks for the room at once, so that a full disk is told before the work is done.
  void reserve(std::uint64_t size);
  /// Any thread, any place.
  void write(const void* data, std::size_t size, std::uint64_t offset);
  /// Puts the file into its place.
  void commit();

 private:
  std::filesystem::path shown_, place_;
  Unfinished unfinished_;
  int descriptor_;
};

/// A directory of files that appear together. One that exists keeps its other files.
class OutputDirectory {
 public:
  /// Throws when the place cannot hold a directory.
  explicit OutputDirectory(const std::filesystem::path& path);
  void write(std::string_view name, std::string_view bytes);
  void commit();

 private:
  std::filesystem::path place_;
  bool merge_;
  Unfinished unfinished_;
};

}  // namespace actfun::tool
