// SPDX-License-Identifier: Apache-2.0
// How far a long job is, on a terminal only.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace actfun::tool {

class Progress {
 public:
  Progress(std::string label, std::uint64_t total);
  ~Progress();  ///< clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// From any thread.
  void add(std::uint64_t amount);

 private:
  using Clock = std::chrono::steady_clock;
  const std::string label_;
  const std::uint64_t total_;
  const bool shown_;
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<Clock::rep> next_;  ///< when the line is drawn again
  std::atomic<bool> drawn_ = false;
};

}  // namespace actfun::tool
