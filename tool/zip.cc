// SPDX-License-Identifier: Apache-2.0
// After PKWARE's APPNOTE 6.3: local files, then a directory of them, then a record that says where the directory lies.
#include "tool/zip.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "tool/text.h"

namespace actfun::tool {
namespace {

using Bytes = std::span<const unsigned char>;

/// `size` bytes at `offset`. Throws when they do not lie within.
Bytes part(Bytes bytes, std::uint64_t offset, std::uint64_t size, std::string_view what) {
  if (offset > bytes.size() || size > bytes.size() - offset)
    fail("the archive is broken: {} lies beyond its end", what);
  return bytes.subspan(offset, size);
}

/// A little-endian number of `size` bytes.
std::uint64_t number_at(Bytes bytes, std::size_t offset, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{bytes[offset + i]} << (8 * i);
  return value;
}

constexpr std::uint64_t kFull16 = 0xffff, kFull32 = 0xffffffff;  ///< "see the longer record"

struct Directory {
  std::uint64_t entries, size, offset;
};

Directory find_directory(Bytes archive) {
  constexpr std::size_t kEnd = 22, kLongestComment = 65535, kLocator64 = 20, kEnd64 = 56;
  const std::size_t last = archive.size() < kEnd ? 0 : archive.size() - kEnd;
  const std::size_t first = last > kLongestComment ? last - kLongestComment : 0;
  for (std::size_t at = last + 1; archive.size() >= kEnd && at-- > first;) {
    if (number_at(archive, at, 4) != 0x06054b50 || number_at(archive, at + 20, 2) != archive.size() - at - kEnd)
      continue;
    const Bytes end = archive.subspan(at, kEnd);
    Directory found{number_at(end, 10, 2), number_at(end, 12, 4), number_at(end, 16, 4)};
    if (number_at(end, 4, 2) != 0 && number_at(end, 4, 2) != kFull16) fail("the archive is split over several files");
    const bool longer = found.entries == kFull16 || found.size == kFull32 || found.offset == kFull32;
    if (longer && at >= kLocator64 && number_at(archive, at - kLocator64, 4) == 0x07064b50) {
      const Bytes end64 = part(archive, number_at(archive, at - kLocator64 + 8, 8), kEnd64, "its directory's record");
      if (number_at(end64, 0, 4) != 0x06064b50) fail("the archive is broken: its directory's record is none");
      found = {number_at(end64, 32, 8), number_at(end64, 40, 8), number_at(end64, 48, 8)};
    }
    return found;
  }
  fail("the archive has no directory at its end: it is truncated, or no ZIP file");
}

/// Sizes and offset that the extra field holds where the entry itself is too short for them.
void read_extra(Bytes extra, std::uint64_t* const (&values)[3]) {
  while (extra.size() >= 4) {
    const std::uint64_t id = number_at(extra, 0, 2), size = number_at(extra, 2, 2);
    Bytes field = part(extra, 4, size, "an extra field");
    if (id == 1)
      for (std::uint64_t* const value : values) {
        if (*value != kFull32) continue;
        *value = number_at(part(field, 0, 8, "a size"), 0, 8);
        field = field.subspan(8);
      }
    extra = extra.subspan(4 + size);
  }
}

}  // namespace

std::vector<ZipEntry> read_zip(std::span<const unsigned char> archive) {
  const Directory directory = find_directory(archive);
  Bytes rest = part(archive, directory.offset, directory.size, "its directory");
  std::vector<ZipEntry> entries;
  std::set<std::string> names;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    constexpr std::size_t kHeader = 46, kLocal = 30;
    const Bytes header = part(rest, 0, kHeader, "an entry of its directory");
    if (number_at(header, 0, 4) != 0x02014b50) fail("the archive is broken: an entry of its directory is none");
    const std::uint64_t flags = number_at(header, 8, 2), method = number_at(header, 10, 2),
                        name_size = number_at(header, 28, 2), extra_size = number_at(header, 30, 2),
                        comment_size = number_at(header, 32, 2);
    std::uint64_t packed = number_at(header, 20, 4), size = number_at(header, 24, 4), offset = number_at(header, 42, 4);
    const Bytes tail = part(rest, kHeader, name_size + extra_size + comment_size, "an entry of its directory");
    const std::string name = printable({tail.begin(), tail.begin() + static_cast<std::ptrdiff_t>(name_size)});
    read_extra(tail.subspan(name_size, extra_size), {&size, &packed, &offset});
    rest = rest.subspan(kHeader + tail.size());
    if (name.ends_with('/')) continue;
    if (!names.insert(name).second) fail("the archive holds '{}' twice", name);
    if (flags & 1) fail("'{}' is encrypted", name);
    if (method != 0 && method != 8)
      fail("'{}' is compressed by method {}; stored (0) and deflated (8) are allowed", name, method);
    if (method == 0 && packed != size) fail("'{}' is stored, but its two sizes differ: {} and {}", name, packed, size);

    const Bytes local = part(archive, offset, kLocal, fmt::format("'{}'", name));
    if (number_at(local, 0, 4) != 0x04034b50)
      fail("the archive is broken: where '{}' should lie, there is no file", name);
    const std::uint64_t before = kLocal + number_at(local, 26, 2) + number_at(local, 28, 2);
    part(archive, offset, before, fmt::format("'{}'", name));
    entries.push_back({name, method == 8, part(archive, offset + before, packed, fmt::format("'{}'", name)), size,
                       static_cast<std::uint32_t>(number_at(header, 16, 4))});
  }
  return entries;
}

}  // namespace actfun::tool
