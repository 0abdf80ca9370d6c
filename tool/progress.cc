// SPDX-License-Identifier: Apache-2.0
#include "tool/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

namespace actfun::tool {
namespace {
constexpr std::chrono::steady_clock::duration kInterval = std::chrono::milliseconds(200);
}

Progress::Progress(std::string label, std::uint64_t total)
    : label_(std::move(label)),
      total_(total),
      shown_(isatty(STDERR_FILENO)),
      next_((Clock::now() + kInterval).time_since_epoch().count()) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
}

void Progress::add(std::uint64_t amount) {
  const std::uint64_t done = done_ += amount;
  if (!shown_) return;
  const auto now = Clock::now().time_since_epoch();
  auto next = next_.load();
  if (now.count() < next || !next_.compare_exchange_strong(next, (now + kInterval).count())) return;
  drawn_ = true;
  fmt::print(stderr, "\r{} {:3.0f} %\033[K", label_, 100.0 * static_cast<double>(done) / static_cast<double>(total_));
  std::fflush(stderr);
}

}  // namespace actfun::tool
