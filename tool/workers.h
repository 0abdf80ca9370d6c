// SPDX-License-Identifier: Apache-2.0
// Work in pieces, on several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "tool/progress.h"

namespace actfun::tool {

/// Does each of `count` pieces of work wholly on one thread and shows how many are done. make() gives each thread a
/// work(i) of its own, with its own memory. The first exception ends all and is thrown again.
template <class Make>
void share_out(const char* label, std::size_t count, unsigned threads, const Make& make) {
  Progress progress(label, count);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    try {
      auto work = make();
      for (std::size_t i; !failed && (i = next++) < count; progress.add(1)) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  };
  std::vector<std::jthread> pool;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, count); ++i) {
    try {
      pool.emplace_back(run);
    } catch (const std::system_error&) {
      break;  // no memory or leave for another thread: those that run do the work
    }
  }
  run();
  pool.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

}  // namespace actfun::tool
