// SPDX-License-Identifier: Apache-2.0
// Certificates are about default parameters. At other values, ten million inputs a function, order and value are
// compared with the oracle: runs of consecutive floats from random places, and the special inputs.
#include <gtest/gtest.h>

#include <thread>

#include "core/exact/oracle.h"
#include "tests/inputs.h"

namespace actfun::tests {
namespace {

constexpr std::size_t kRun = 4096, kRuns = 10'000'000 / kRun + 1;

struct Miss {
  std::size_t count = 0;
  float x = 0, got = 0, want = 0;
  void look(float input, float result, float right) {
    if (!same(result, right) && count++ == 0) x = input, got = result, want = right;
  }
};

Miss misrounded(const Call& call, const exact::Oracle& oracle, Order order, const Target& target, std::uint32_t seed) {
  Miss miss;
  const std::vector<float> special = special_inputs();
  std::vector<float> x(kRun), got(special.size() + kRun), want(special.size() + kRun);
  call.evaluate(order, special.data(), got.data(), special.size(), target);
  oracle.round_array(special.data(), want.data(), special.size(), order);
  for (std::size_t i = 0; i < special.size(); ++i) miss.look(special[i], got[i], want[i]);
  std::mt19937 generator(seed);
  for (std::size_t run = 0; run < kRuns; ++run) {
    // Half of the runs lie where functions bend: 2^-25 < |x| < 2^8, an eighth of all bit patterns.
    std::uint32_t first = generator() & ~(kRun - 1);
    if (run % 2 == 0) first = (first & 0x80000000u) | ((0x33000000u + first % 0x10800000u) & ~(kRun - 1));
    for (std::size_t i = 0; i < kRun; ++i) x[i] = float_of(first + static_cast<std::uint32_t>(i));
    call.evaluate(order, x.data(), got.data(), kRun, target);
    oracle.round_block(first, kRun, order, want.data());
    for (std::size_t i = 0; i < kRun; ++i) miss.look(x[i], got[i], want[i]);
  }
  return miss;
}

TEST(Parameters, TenMillionInputsAtEachOfFiveValues) {
  for (const Entry& entry : functions()) {
    if (!entry.elementwise() || entry.info->parameters.empty()) continue;
    const std::vector<Call> calls = calls_of(entry);
    ASSERT_EQ(calls.size(), 1 + 5 * entry.info->parameters.size()) << entry.info->name;
    for (std::size_t c = 1; c < calls.size(); ++c) {
      const exact::Oracle oracle(calls[c]);
      Miss misses[3];
      std::vector<std::thread> threads;
      for (const Order order : kOrders)
        threads.emplace_back([&, order] {
          const auto seed = static_cast<std::uint32_t>(c * 3 + static_cast<std::size_t>(order));
          misses[static_cast<int>(order)] = misrounded(calls[c], oracle, order, current_target(), seed);
        });
      for (std::thread& thread : threads) thread.join();
      for (const Order order : kOrders) {
        const Miss& miss = misses[static_cast<int>(order)];
        EXPECT_EQ(miss.count, 0u) << calls[c].text() << " " << name(order) << " at " << std::hexfloat << miss.x
                                  << ": got " << miss.got << ", want " << miss.want;
      }
    }
  }
}

}  // namespace
}  // namespace actfun::tests
