// SPDX-License-Identifier: Apache-2.0
// Work on several threads: who does which part of an array, and when it pays. docs/design/threads.md has the
// measurements.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/format.h"

namespace actfun {

/// What the environment variable ACTFUN_NUM_THREADS says, or 0. Throws std::invalid_argument when it is no number from
/// 1 to 65535.
unsigned threads_of_environment();
/// So many threads work on a call that sets no limit of its own: these, or what OpenMP would take.
unsigned default_threads();
/// "OpenMP", or "std::thread" where the build has none.
std::string_view threading();

namespace detail {
using Part = void (*)(const void* run, std::size_t first, std::size_t count);
/// What a thread must have to do before it is worth calling, in seconds. Tests set it to 0, where nothing else may run.
extern double worth_a_thread;
void share_out(std::size_t n, std::size_t tile, unsigned limit, const void* run, Part part);
}  // namespace detail

/// Elements of a tile, for numbers of a format: they take microseconds.
constexpr std::size_t tile_of(Format format) { return format == Format::f64 ? 256 : 4096; }
/// Rows of a tile.
constexpr std::size_t tile_of_rows(std::size_t length) { return length < 4096 ? 4096 / (length + 1) + 1 : 1; }

/// Fewer tiles than this are never shared: looking at the clock would show.
inline constexpr std::size_t kTilesToShare = 4;

/// Calls run(first, count) for parts that make up 0..n-1, each beginning at a multiple of `tile`, in any order and on
/// up to `limit` threads at once (0: `default_threads`), in the default floating-point environment on all but this one.
///
/// The first tile is done alone and timed. That tells what the rest will take, whatever the function, the format and
/// the machine are; only work that is worth a thread is given to one. What `run` prepares in the first tile is there
/// for the others. Calls from within parallel regions, of this library or of OpenMP, work on one thread.
template <class Run>
void in_parts(std::size_t n, std::size_t tile, unsigned limit, const Run& run) {
  if (limit == 1 || n / kTilesToShare < tile) return run(std::size_t{0}, n);
  detail::share_out(n, tile, limit, std::addressof(run), [](const void* all, std::size_t first, std::size_t count) {
    (*static_cast<const Run*>(all))(first, count);
  });
}

#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_read_range(void* address, unsigned long bytes);
extern "C" void __tsan_write_range(void* address, unsigned long bytes);
/// Kernels are not instrumented: this tells ThreadSanitizer what they read and write.
inline void reads(const void* x, std::size_t bytes) { __tsan_read_range(const_cast<void*>(x), bytes); }
inline void writes(void* y, std::size_t bytes) { __tsan_write_range(y, bytes); }
#else
inline void reads(const void* /*x*/, std::size_t /*bytes*/) {}
inline void writes(void* /*y*/, std::size_t /*bytes*/) {}
#endif

}  // namespace actfun
