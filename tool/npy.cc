// SPDX-License-Identifier: Apache-2.0
#include "tool/npy.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "tool/text.h"

namespace actfun::tool {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are read as they lie in the file");

constexpr std::string_view kMagic = "\x93NUMPY";
/// NumPy itself writes at most 64 dimensions: even with 20 digits each they fit many times.
constexpr std::uint64_t kLongestHeader = 65536;
constexpr std::size_t kMostDimensions = 64;

/// The small part of Python in which headers are written.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  NpyHeader dictionary() {
    NpyHeader header;
    bool type = false, order = false, shape = false;
    expect('{');
    while (!take('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && !std::exchange(type, true))
        header.type = description();
      else if (key == "fortran_order" && !std::exchange(order, true))
        header.fortran_order = boolean();
      else if (key == "shape" && !std::exchange(shape, true))
        header.shape = tuple();
      else
        fail("its header has an unexpected key '{}'", key);
      if (!take(',') && peek() != '}') broken();
    }
    if (peek() != 0) broken();
    if (!type || !order || !shape)
      fail("its header lacks the key '{}'", !type ? "descr" : !order ? "fortran_order" : "shape");
    return header;
  }

 private:
  [[noreturn]] void broken() { fail("its header is not a dictionary of descr, fortran_order and shape"); }
  char peek() {
    while (!rest_.empty() && std::strchr(" \n\t\r", rest_.front())) rest_.remove_prefix(1);
    return rest_.empty() ? 0 : rest_.front();
  }
  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) broken();
  }
  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') broken();
    const std::size_t end = rest_.find(quote, 1);
    if (end == rest_.npos) broken();
    const std::string text(rest_.substr(1, end - 1));
    for (const unsigned char c : text)
      if (c < ' ' || c > '~') broken();  // nothing that a terminal obeys reaches an error message
    rest_.remove_prefix(end + 1);
    return text;
  }
  std::string description() {
    if (peek() == '[') fail("it holds records with fields; only numbers are allowed");
    return string();
  }
  bool boolean() {
    peek();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    broken();
  }
  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> items;
    expect('(');
    while (!take(')')) {
      if (peek() == '-') fail("its shape has a negative size");
      std::uint64_t item;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), item);
      if (error == std::errc::result_out_of_range) fail("its shape has a size beyond 2^64");
      if (error != std::errc()) broken();
      rest_.remove_prefix(end - rest_.data());
      take('L');  // Python 2 wrote long integers so
      items.push_back(item);
      if (items.size() > kMostDimensions) fail("its shape has more than {} dimensions", kMostDimensions);
      if (!take(',') && (peek() != ')' || items.size() == 1)) broken();  // (3) is a number, (3,) a tuple
    }
    return items;
  }

  std::string_view rest_;
};

void check_size(const NpyHeader& header) {
  std::uint64_t product = sizeof(double);
  bool overflow = false, empty = false;
  for (const std::uint64_t size : header.shape) {
    empty |= size == 0;
    overflow |= __builtin_mul_overflow(product, size, &product);
  }
  if (!empty && (overflow || product > INT64_MAX)) fail("its shape {} is too large for any file", header.shape_text());
}

}  // namespace

std::uint64_t NpyHeader::elements() const {
  std::uint64_t product = 1;
  for (const std::uint64_t size : shape) product *= size;
  return product;
}

std::string NpyHeader::shape_text() const {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

NpyHeader parse_npy_header(std::string_view text) {
  const NpyHeader header = Parser(text).dictionary();
  check_size(header);
  return header;
}

std::string npy_header_bytes(const NpyHeader& header) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", header.type,
                                 header.fortran_order ? "True" : "False", header.shape_text());
  constexpr std::size_t before = 10;                                   // magic, version 1.0, 16-bit length
  text.append(63 - (before + text.size()) % 64, ' ').push_back('\n');  // elements begin at a multiple of 64
  std::string bytes(kMagic);
  bytes += '\1';
  bytes += '\0';
  bytes += static_cast<char>(text.size() & 0xff);
  bytes += static_cast<char>(text.size() >> 8);
  return bytes + text;
}

NpyReader::NpyReader(const std::string& path, std::optional<Format> format, bool booleans) : path_(path) {
  descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a named pipe must not keep us waiting
  if (descriptor_ < 0) fail_errno("cannot read " + path);
  try {
    read_header(format, booleans);
  } catch (const std::exception& error) {
    close(descriptor_);
    fail("cannot read {}: {}", path, error.what());
  }
}

NpyReader::~NpyReader() { close(descriptor_); }

Format npy_format(const std::string& type, std::optional<Format> wanted, bool booleans) {
  if (booleans && (type == "|b1" || type == "|u1")) return Format::f8e5m2;
  constexpr std::pair<std::string_view, Format> kNumpys[] = {
      {"<f4", Format::f32}, {"<f8", Format::f64}, {"<f2", Format::f16}};
  for (const auto& [name, format] : kNumpys)
    if (name == type) {
      if (wanted && *wanted != format) fail("its elements are '{}', not {}", type, info_of(*wanted).name);
      return format;
    }
  constexpr std::string_view kTwoBytes[] = {"<u2", "<i2", "|V2", "<V2"},
                             kOneByte[] = {"|u1", "|i1", "|V1", "<u1", "<V1"};
  const bool two = std::ranges::count(kTwoBytes, type), one = std::ranges::count(kOneByte, type);
  if (wanted && ((two && info_of(*wanted).bytes == 2) || (one && info_of(*wanted).bytes == 1))) return *wanted;
  if (two) fail("its elements are '{}'; say what they are: --dtype bf16 or f16", type);
  if (one) fail("its elements are '{}'; say what they are: --dtype f8e4m3fn or f8e5m2", type);
  fail(
      "its elements are '{}'; only '<f4', '<f8', '<f2' (little-endian float32, float64, float16), and, with --dtype, "
      "integers or raw bytes that hold bf16, f16, f8e4m3fn or f8e5m2 are allowed",
      type);
}

NpyStart npy_start(std::span<const unsigned char> bytes) {
  if (bytes.size() < 10 || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) fail("not a .npy file");
  const int version = bytes[6];
  if (version < 1 || version > 3 || bytes[7] != 0)
    fail(".npy version {}.{} is unknown: 1.0, 2.0, 3.0", version, bytes[7]);
  const std::size_t digits = version == 1 ? 2 : 4;
  if (bytes.size() < 8 + digits) fail("the file ends within its header");
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < digits; ++i) length |= std::uint64_t{bytes[8 + i]} << (8 * i);
  if (length > kLongestHeader) fail("its header of {} bytes is too long", length);
  return {8 + digits, length};
}

void NpyReader::read_header(std::optional<Format> format, bool booleans) {
  struct stat status;
  if (fstat(descriptor_, &status) < 0) fail_errno("fstat");
  if (S_ISDIR(status.st_mode)) fail("it is a directory");
  if (!S_ISREG(status.st_mode)) fail("not a regular file");
  size_ = status.st_size;

  unsigned char start[12] = {};
  const std::size_t known = size_ < sizeof start ? size_ : sizeof start;
  read_bytes(start, known, 0);
  const auto [before, length] = npy_start({start, known});
  if (size_ < before || length > size_ - before) fail("the file ends within its header");
  std::string text(length, ' ');
  read_bytes(text.data(), length, before);
  header_ = parse_npy_header(text);
  format_ = npy_format(header_.type, format, booleans);
  data_offset_ = before + length;
  const std::uint64_t wanted = header_.elements() * info_of(format_).bytes, present = size_ - data_offset_;
  if (present != wanted)
    fail("the file is {}: shape {} needs {} bytes of elements, it has {}", present < wanted ? "truncated" : "too long",
         header_.shape_text(), wanted, present);
}

void NpyReader::read(void* to, std::uint64_t first, std::size_t count) const {
  const std::size_t bytes = info_of(format_).bytes;
  read_bytes(to, count * bytes, data_offset_ + first * bytes);
}

void NpyReader::read_bytes(void* to, std::size_t size, std::uint64_t offset) const {
  char* bytes = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t done = pread(descriptor_, bytes, size, offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_errno("cannot read " + path_);
    if (done == 0) fail("cannot read {}: the file became shorter", path_);
    bytes += done, size -= done, offset += done;
  }
}

}  // namespace actfun::tool
