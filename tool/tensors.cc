// SPDX-License-Identifier: Apache-2.0
#include "tool/tensors.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>

#include "tool/npy.h"
#include "tool/safetensors.h"
#include "tool/text.h"
#include "tool/zip.h"

namespace actfun::tool {
namespace {

using Bytes = std::span<const unsigned char>;

bool begins(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

/// "conv1" of "out/conv1.npy" and of "conv1.npy.gz".
std::string layer_name(const std::string& path) {
  std::string name = std::filesystem::path(path).filename();
  for (const std::string_view suffix : {".gz", ".npy", ".npz", ".safetensors", ".bin", ".raw", ".f32", ".dat"})
    if (name.size() > suffix.size() && name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  return printable(name);
}

/// Takes a .npy file's header off a stream of bytes.
NpyHeader read_npy_header(const std::function<std::size_t(void*, std::size_t)>& next) {
  unsigned char start[12];
  std::size_t known = next(start, 10);
  if (known == 10 && start[6] != 1) known += next(start + 10, 2);
  const auto [before, length] = npy_start({start, known});
  std::string text(length, ' ');
  if (next(text.data(), length) != length) fail("the file ends within its header");
  return parse_npy_header(text);
}

Tensor tensor_of(const NpyHeader& header, const std::optional<Format>& format) {
  Tensor tensor{};
  tensor.format = npy_format(header.type, format);
  tensor.shape = header.shape;
  tensor.fortran_order = header.fortran_order;
  return tensor;
}

std::uint64_t bytes_of(const Tensor& tensor) { return tensor.size() * info_of(tensor.format).bytes; }

void check_size(const Tensor& tensor, std::uint64_t present) {
  if (const std::uint64_t needed = bytes_of(tensor); present != needed)
    fail("the file is {}: shape {} needs {} bytes of elements, it has {}", present < needed ? "truncated" : "too long",
         tensor.shape_text(), needed, present);
}

/// A tensor in the bytes of a .npy file.
Tensor plain(Bytes file, const Bare& bare) {
  std::size_t at = 0;
  const NpyHeader header = read_npy_header([&](void* to, std::size_t size) {
    size = std::min(size, file.size() - at);
    std::memcpy(to, file.data() + at, size);
    at += size;
    return size;
  });
  Tensor tensor = tensor_of(header, bare.format);
  check_size(tensor, file.size() - at);
  tensor.elements = file.data() + at;
  return tensor;
}

/// A tensor in the bytes of a compressed .npy file.
Tensor packed(Inflater::Form form, Bytes file, std::optional<std::uint32_t> checksum, const Bare& bare) {
  const auto open = [=] { return std::make_shared<Inflater>(form, file.data(), file.size()); };
  const auto inflater = open();
  const auto header_of = [](const std::shared_ptr<Inflater>& from) {
    return read_npy_header([&](void* to, std::size_t size) { return from->read(to, size); });
  };
  Tensor tensor = tensor_of(header_of(inflater), bare.format);
  tensor.read = [=, total = bytes_of(tensor)]() -> Tensor::Next {
    const auto again = open();
    header_of(again);
    return [=, left = total](void* to, std::size_t size) mutable {
      if (again->read(to, size) != size) fail("its compressed data end before its last element");
      if ((left -= size) > 0) return;
      unsigned char beyond;
      if (again->read(&beyond, 1) != 0) fail("its compressed data go on after its last element");
      if (checksum && again->checksum() != *checksum) fail("its data are damaged: the checksum is wrong");
    };
  };
  return tensor;
}

/// Runs `body`; what it throws names the place.
template <class Body>
auto at_place(const std::string& where, Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    fail("cannot read {}: {}", where, error.what());
  }
}

}  // namespace

std::uint64_t Tensor::size() const {
  std::uint64_t product = 1;
  for (const std::uint64_t length : shape) product *= length;
  return product;
}
std::string Tensor::shape_text() const { return NpyHeader{"", false, shape}.shape_text(); }

TensorFile::TensorFile(const std::string& path, const Bare& bare)
    : path_(path), mapping_(std::make_unique<Mapping>(path)) {
  const Bytes file{mapping_->data(), mapping_->size()};
  if (begins(file, "\x93NUMPY"))
    open_npy(bare);
  else if (begins(file, "\x1f\x8b"))
    open_gzip(bare);
  else if (begins(file, "PK\x03\x04") || begins(file, "PK\x05\x06"))
    open_npz(bare);
  else if (path.ends_with(".safetensors") || (file.size() > 8 && file[8] == '{' && bare.shape.empty()))
    open_safetensors();
  else
    open_bare(bare);
  for (Tensor& tensor : tensors_) tensor.mapping = mapping_.get();
}

void TensorFile::open_npy(const Bare& bare) {
  Tensor tensor = at_place(path_, [&] { return plain({mapping_->data(), mapping_->size()}, bare); });
  tensor.name = layer_name(path_);
  tensor.where = path_;
  tensors_.push_back(std::move(tensor));
}

void TensorFile::open_gzip(const Bare& bare) {
  Tensor tensor = at_place(path_, [&] {
    return packed(Inflater::Form::gzip, {mapping_->data(), mapping_->size()}, std::nullopt, bare);
  });
  tensor.name = layer_name(path_);
  tensor.where = path_;
  tensors_.push_back(std::move(tensor));
}

void TensorFile::open_npz(const Bare& bare) {
  for (const ZipEntry& entry : at_place(path_, [&] { return read_zip({mapping_->data(), mapping_->size()}); })) {
    if (!entry.name.ends_with(".npy")) {
      ++skipped_;
      continue;
    }
    const std::string where = fmt::format("{}: {}", path_, entry.name);
    Tensor tensor = at_place(where, [&] {
      if (!entry.deflated) return plain(entry.bytes, bare);
      return packed(Inflater::Form::deflate, entry.bytes, entry.checksum, bare);
    });
    tensor.name = entry.name.substr(0, entry.name.size() - 4);
    tensor.where = where;
    tensors_.push_back(std::move(tensor));
  }
}

void TensorFile::open_safetensors() {
  const auto found = at_place(path_, [&] { return read_safetensors({mapping_->data(), mapping_->size()}, skipped_); });
  for (const SafeTensor& from : found) {
    Tensor tensor{};
    tensor.name = from.name;
    tensor.where = fmt::format("{}: {}", path_, from.name);
    tensor.format = from.format;
    tensor.shape = from.shape;
    tensor.elements = from.bytes.data();
    tensors_.push_back(std::move(tensor));
  }
}

void TensorFile::open_bare(const Bare& bare) {
  const std::uint64_t size = mapping_->size();
  if (bare.shape.empty() || !bare.format)
    fail(
        "cannot read {}: it begins like none of .npy, .npz, .safetensors and gzip; bare elements need --dtype and "
        "--shape",
        path_);
  at_place(path_, [&] {
    Tensor tensor{};
    tensor.name = layer_name(path_);
    tensor.where = path_;
    tensor.format = *bare.format;
    tensor.elements = mapping_->data();
    std::uint64_t rest = 1;  // bytes of what one step along the open axis takes
    bool overflow = __builtin_mul_overflow(rest, info_of(*bare.format).bytes, &rest);
    for (const std::int64_t length : bare.shape)
      if (length >= 0) overflow |= __builtin_mul_overflow(rest, static_cast<std::uint64_t>(length), &rest);
    if (overflow) fail("its shape is too large for any file");
    for (const std::int64_t length : bare.shape) {
      if (length < 0 && (rest == 0 || size % rest != 0))
        fail("its {} bytes are no multiple of the {} that --shape and --dtype need", size, rest);
      tensor.shape.push_back(length < 0 ? size / rest : static_cast<std::uint64_t>(length));
    }
    check_size(tensor, size);
    tensors_.push_back(std::move(tensor));
  });
}

}  // namespace actfun::tool
