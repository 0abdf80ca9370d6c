// SPDX-License-Identifier: Apache-2.0
#include "tool/bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

#include "tool/text.h"

namespace actfun::tool {
namespace {

/// Reading a mapped page beyond a file's end raises SIGBUS, wherever that happens.
void on_sigbus(int) {
  constexpr std::string_view message = "actfun: a file became shorter while it was read\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, message.data(), message.size());
  _exit(2);
}

}  // namespace

Mapping::Mapping(const std::string& path) : path_(path) {
  const int descriptor =
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a named pipe must not keep us waiting
  if (descriptor < 0) fail_errno("cannot read " + path);
  struct stat status;
  const bool known = fstat(descriptor, &status) == 0, regular = known && S_ISREG(status.st_mode);
  if (regular && status.st_size > 0) {
    size_ = static_cast<std::size_t>(status.st_size);
    void* const place = mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
    data_ = place == MAP_FAILED ? nullptr : static_cast<const unsigned char*>(place);
    device_ = status.st_dev;
    node_ = status.st_ino;
  }
  const int error = errno;
  close(descriptor);
  if (known && S_ISDIR(status.st_mode)) fail("cannot read {}: it is a directory", path);
  if (!regular) fail("cannot read {}: not a regular file", path);
  if (size_ > 0 && !data_) errno = error, fail_errno("cannot map " + path);
  std::signal(SIGBUS, on_sigbus);
  if (data_) madvise(const_cast<unsigned char*>(data_), size_, MADV_SEQUENTIAL);
}

Mapping::~Mapping() {
  if (data_) munmap(const_cast<unsigned char*>(data_), size_);
}

Reader::Reader(const Mapping& file) : file_(file), descriptor_(open(file.path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status;
  const bool same = descriptor_ >= 0 && fstat(descriptor_, &status) == 0 && status.st_dev == file.device_ &&
                    status.st_ino == file.node_;
  if (!same && descriptor_ >= 0) close(std::exchange(descriptor_, -1));
}

Reader::~Reader() {
  if (descriptor_ >= 0) close(descriptor_);
}

void Reader::read(std::size_t at, void* to, std::size_t n) const {
  auto* const bytes = static_cast<unsigned char*>(to);
  std::size_t done = 0;
  while (descriptor_ >= 0 && done < n) {
    const ssize_t now = pread(descriptor_, bytes + done, n - done, static_cast<off_t>(at + done));
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) break;
    done += static_cast<std::size_t>(now);
  }
  // What cannot be read, because the file has another name now or is shorter, is in the mapping, or told there.
  std::copy_n(file_.data() + at + done, n - done, bytes + done);
}

struct Inflater::Stream {
  z_stream z{};
  Form form;
  const unsigned char* rest;
  std::size_t rest_size;
  bool ended = false;
  uLong crc = crc32(0, nullptr, 0);
};

Inflater::Inflater(Form form, const unsigned char* from, std::size_t size) : stream_(new Stream) {
  stream_->form = form;
  stream_->rest = from;
  stream_->rest_size = size;
  if (inflateInit2(&stream_->z, form == Form::gzip ? 16 + MAX_WBITS : -MAX_WBITS) != Z_OK) throw std::bad_alloc();
}
Inflater::~Inflater() { inflateEnd(&stream_->z); }

std::size_t Inflater::read(void* to, std::size_t size) {
  Stream& s = *stream_;
  auto* out = static_cast<unsigned char*>(to);
  std::size_t done = 0;
  while (done < size && !s.ended) {
    const auto in_now = static_cast<uInt>(std::min<std::size_t>(s.rest_size, UINT_MAX / 2)),
               out_now = static_cast<uInt>(std::min<std::size_t>(size - done, UINT_MAX / 2));
    s.z.next_in = const_cast<Bytef*>(s.rest);
    s.z.avail_in = in_now;
    s.z.next_out = out + done;
    s.z.avail_out = out_now;
    const int result = inflate(&s.z, Z_NO_FLUSH);
    s.rest += in_now - s.z.avail_in;
    s.rest_size -= in_now - s.z.avail_in;
    done += out_now - s.z.avail_out;
    if (result == Z_STREAM_END) {
      s.ended = s.form == Form::deflate || s.rest_size == 0;
      if (!s.ended && inflateReset(&s.z) != Z_OK) fail("its compressed data are broken");
    } else if (result == Z_BUF_ERROR || (result == Z_OK && s.rest_size == 0 && s.z.avail_out > 0)) {
      fail("its compressed data end early");
    } else if (result == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (result != Z_OK) {
      fail("its compressed data are broken: {}", s.z.msg ? s.z.msg : "not zlib's format");
    }
  }
  for (std::size_t at = 0; at < done;) {
    const auto now = static_cast<uInt>(std::min<std::size_t>(done - at, UINT_MAX / 2));
    s.crc = crc32(s.crc, out + at, now);
    at += now;
  }
  return done;
}

std::uint32_t Inflater::checksum() const { return static_cast<std::uint32_t>(stream_->crc); }

}  // namespace actfun::tool
