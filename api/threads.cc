// SPDX-License-Identifier: Apache-2.0
#include "api/threads.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "backends/cpu/float_environment.h"
#if defined(ACTFUN_OPENMP)
#include <omp.h>
#include <pthread.h>
#endif

namespace actfun {
namespace {

using Clock = std::chrono::steady_clock;

/// Parts for each thread: those that are held up leave theirs to the others.
constexpr std::size_t kPartsEach = 8;

unsigned read_environment() {
  const char* text = std::getenv("ACTFUN_NUM_THREADS");
  if (!text || !*text) return 0;
  unsigned threads = 0;
  const char* end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, threads);
  if (error != std::errc() || rest != end || threads < 1 || threads > 65535)
    throw std::invalid_argument("ACTFUN_NUM_THREADS is '" + std::string(text) + "', not a number from 1 to 65535");
  return threads;
}

/// Threads that calls are using. Calls that come from many threads at once do not each take all processors.
std::atomic<unsigned> in_use = 0;

#if defined(ACTFUN_OPENMP)
/// A child process has the memory of its parent's team but not its threads, and would wait for them for ever.
std::atomic<bool> forked = false;
[[maybe_unused]] const int watches_forks = pthread_atfork(nullptr, nullptr, [] { forked = true, in_use = 0; });

bool must_be_alone() { return forked || omp_in_parallel(); }
unsigned threads_of_machine() { return static_cast<unsigned>(std::max(1, omp_get_max_threads())); }

template <class Work>
void on_team(unsigned threads, const Work& work) {
#pragma omp parallel num_threads(threads)
  work();
}
#else
thread_local bool in_team = false;

bool must_be_alone() { return in_team; }
unsigned threads_of_machine() { return std::max(1u, std::thread::hardware_concurrency()); }

template <class Work>
void on_team(unsigned threads, const Work& work) {
  const auto member = [&work] {
    in_team = true;
    work();
    in_team = false;
  };
  std::vector<std::thread> others;
  try {
    others.reserve(threads - 1);
    for (unsigned i = 1; i < threads; ++i) others.emplace_back(member);
  } catch (const std::exception&) {  // no memory or leave for another thread: those that run do the work
  }
  member();
  for (std::thread& other : others) other.join();
}
#endif

/// Threads for one call, this one included, of those that others leave.
class Share {
 public:
  explicit Share(unsigned limit) : threads_(limit) {
    const unsigned others = in_use.fetch_add(1);
    if (limit == 0) {
      const unsigned all = default_threads();
      threads_ = all > others ? all - others : 1;
    }
    if (must_be_alone()) threads_ = 1;
  }
  ~Share() { in_use.fetch_sub(taken_); }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  unsigned threads() const { return threads_; }
  void take(unsigned threads) { in_use.fetch_add(threads - taken_), taken_ = threads; }

 private:
  unsigned threads_, taken_ = 1;
};

}  // namespace

unsigned threads_of_environment() {
  static const unsigned threads = read_environment();  // a throw leaves it unset: the next call throws again
  return threads;
}
unsigned default_threads() {
  const unsigned threads = threads_of_environment();
  return threads ? threads : threads_of_machine();
}

std::string_view threading() {
#if defined(ACTFUN_OPENMP)
  return "OpenMP";
#else
  return "std::thread";
#endif
}

namespace detail {

#if defined(ACTFUN_OPENMP)
double worth_a_thread = 20e-6;
#else
double worth_a_thread = 100e-6;  // each is started anew
#endif

void share_out(std::size_t n, std::size_t tile, unsigned limit, const void* run, Part part) {
  Share share(limit);
  if (share.threads() == 1) return part(run, 0, n);
  const auto start = Clock::now();
  part(run, 0, tile);
  const double once = std::chrono::duration<double>(Clock::now() - start).count();
  const std::size_t rest = n - tile, tiles = (rest + tile - 1) / tile;
  // This thread has its part of the work, too: a second one is called for twice what is worth one.
  const double worth = once * (static_cast<double>(rest) / static_cast<double>(tile)) / worth_a_thread;
  const auto threads = static_cast<unsigned>(std::min({worth, static_cast<double>(share.threads()), 1. * tiles}));
  if (threads < 2) return part(run, tile, rest);
  share.take(threads);

  const std::size_t step = std::max<std::size_t>(1, tiles / (threads * kPartsEach)) * tile;
  std::atomic<std::size_t> next = tile;
  std::atomic<bool> failed = false;
  std::exception_ptr failure;
  on_team(threads, [&] {
    const DefaultFloatEnvironment environment;
    try {
      for (std::size_t first; !failed && (first = next.fetch_add(step)) < n;)
        part(run, first, std::min(step, n - first));
    } catch (...) {
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
}

}  // namespace detail
}  // namespace actfun
