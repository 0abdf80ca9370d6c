// SPDX-License-Identifier: Apache-2.0
// Tensors in files, whatever the file: .npy, .npy.gz, .npz, .safetensors, or bare elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/format.h"
#include "tool/bytes.h"

namespace actfun::tool {

struct Tensor {
  std::string name;   ///< the archive's entry, or the file's name without directory and suffixes
  std::string where;  ///< "FILE" or "FILE: ENTRY", for messages
  Format format;
  std::vector<std::uint64_t> shape;
  bool fortran_order = false;
  /// The elements, where they lie in memory as they are; otherwise null, and `read` gives them.
  const unsigned char* elements = nullptr;
  const Mapping* mapping = nullptr;  ///< that they lie in
  /// Starts at the first element: each call of what it returns fills `size` bytes with the next ones. The call that
  /// takes the last ones makes sure that there are no more, and that the checksum is right. Throws on broken data.
  using Next = std::function<void(void* to, std::size_t size)>;
  std::function<Next()> read;

  std::uint64_t size() const;      ///< in elements
  std::string shape_text() const;  ///< "(1797, 64)"
};

/// What the command line says about bare elements: both are needed for a file that has no header. `format` also tells
/// what integers or raw bytes in .npy files are.
struct Bare {
  std::optional<Format> format;
  std::vector<std::int64_t> shape;  ///< one size may be -1: what the file's length makes of it
};

class TensorFile {
 public:
  /// Opens a file and reads its headers. Throws, naming file and entry, when they are broken, truncated, or describe
  /// other numbers than these formats.
  TensorFile(const std::string& path, const Bare& bare);
  const std::vector<Tensor>& tensors() const { return tensors_; }
  std::size_t skipped() const { return skipped_; }  ///< entries of an archive that are no floating-point tensors

 private:
  void open_npy(const Bare& bare);
  void open_gzip(const Bare& bare);
  void open_npz(const Bare& bare);
  void open_safetensors();
  void open_bare(const Bare& bare);

  std::string path_;
  std::unique_ptr<Mapping> mapping_;
  std::vector<Tensor> tensors_;
  std::size_t skipped_ = 0;
};

}  // namespace actfun::tool
