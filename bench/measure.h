// SPDX-License-Identifier: Apache-2.0
// How times are measured: medians of interleaved repetitions, so that a slow moment of the machine meets all alike.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <functional>
#include <random>
#include <vector>

namespace actfun::bench {

/// The array sizes that every report uses: in the L1 cache, in the L2 cache or beyond, in memory.
inline constexpr std::size_t kSizes[] = {4096, 262144, std::size_t{64} << 20};

/// The time that passes, or what this thread has of it: the same on a machine with nothing else to do, and only the
/// latter means much on another. It does not see the work of other threads.
enum class Clock { wall, thread };

inline double now(Clock clock) {
  timespec time{};
  clock_gettime(clock == Clock::wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

inline double seconds(const std::function<void()>& body, std::size_t times, Clock clock = Clock::wall) {
  const double start = now(clock);
  for (std::size_t i = 0; i < times; ++i) body();
  return now(clock) - start;
}

/// The median time of one call of each body, in seconds. The bodies take turns for `rounds` rounds; a turn repeats its
/// body until it lasts `turn` seconds.
inline std::vector<double> interleaved_medians(const std::vector<std::function<void()>>& bodies,
                                               std::size_t rounds = 15, double turn = 1e-3, Clock clock = Clock::wall) {
  std::vector<std::size_t> repeats;
  for (const auto& body : bodies) {
    body();  // touches memory, wakes the vector units
    std::size_t times = 1;
    for (double took; (took = seconds(body, times, clock)) < turn && times < (std::size_t{1} << 30);)
      times = took <= 0 ? 2 * times : std::max(2 * times, static_cast<std::size_t>(times * turn / took));
    repeats.push_back(times);
  }
  std::vector<std::vector<double>> times(bodies.size());
  for (std::size_t round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < bodies.size(); ++i)
      times[i].push_back(seconds(bodies[i], repeats[i], clock) / repeats[i]);
  std::vector<double> medians;
  for (auto& list : times) {
    std::nth_element(list.begin(), list.begin() + list.size() / 2, list.end());
    medians.push_back(list[list.size() / 2]);
  }
  return medians;
}

/// The median time of one call of each body, in seconds, each after `prepare`, which is not timed.
inline std::vector<double> interleaved_medians_after(const std::function<void()>& prepare,
                                                     const std::vector<std::function<void()>>& bodies,
                                                     std::size_t rounds) {
  std::vector<std::vector<double>> times(bodies.size());
  for (std::size_t round = 0; round <= rounds; ++round)
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      prepare();
      const double took = seconds(bodies[i], 1);
      if (round > 0) times[i].push_back(took);  // the first wakes what sleeps
    }
  std::vector<double> medians;
  for (auto& list : times) {
    std::nth_element(list.begin(), list.begin() + list.size() / 2, list.end());
    medians.push_back(list[list.size() / 2]);
  }
  return medians;
}

/// Uniform in [-8, 8), always the same: where activations work.
inline std::vector<float> inputs(std::size_t n) {
  std::vector<float> x(n);
  std::minstd_rand generator(1);
  for (float& value : x) value = static_cast<float>(generator() >> 7) * 0x1p-20f - 8.0f;
  return x;
}

}  // namespace actfun::bench
