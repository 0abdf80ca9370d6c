// SPDX-License-Identifier: Apache-2.0
// Every elementwise function, order and instruction set of this machine against the committed certificates: all 2^32
// inputs on the two best targets, 2^27 spread ones and the recorded hard cases on the others.
#include <gtest/gtest.h>

#include <cstdio>
#include <thread>

#include "api/certificate.h"
#include "tests/inputs.h"

namespace actfun::tests {
namespace {

unsigned threads() { return std::max(1u, std::thread::hardware_concurrency()); }

class Certificates : public testing::TestWithParam<const Entry*> {
 protected:
  Call call() const { return parse_function(GetParam()->info->name); }
  Certificate certificate() const {
    const std::optional<Certificate> found = find_certificate(GetParam()->info->name);
    if (!found) throw std::runtime_error("no certificate; scripts/certify.sh " + std::string(GetParam()->info->name));
    return *found;
  }
};

TEST_P(Certificates, AreCompleteAndWithoutMisrounding) { EXPECT_TRUE(certificate().clean()); }

TEST_P(Certificates, HoldOnEveryTarget) {
  const Certificate right = certificate();
  const std::vector<Target> targets = supported_targets();
  for (std::size_t t = 0; t < targets.size(); ++t)
    for (const Order order : kOrders) {
      const Extent extent = t < 2 ? Extent::full : Extent::spread;
      const Verification v = verify(call(), order, targets[t], right, extent, threads());
      EXPECT_EQ(v.inputs, extent == Extent::full ? 1ull << 32 : 1ull << 27);
      for (const FailedBlock& block : v.failed)
        ADD_FAILURE() << call().text() << " " << name(order) << " " << targets[t].name << ": block " << std::hex
                      << block.index << ", inputs " << block.first << " to " << block.last;
      std::printf("%-12s %-10s %-7s %11llu inputs in %5.1f s\n", call().text().c_str(), name(order),
                  std::string(targets[t].name).c_str(), static_cast<unsigned long long>(v.inputs), v.seconds);
      std::fflush(stdout);
    }
}

TEST_P(Certificates, HardCasesOnEveryTarget) {
  const Certificate right = certificate();
  const std::vector<Target> targets = supported_targets();
  for (const Order order : kOrders)
    for (const HardCase& hard : right[order].hard_cases) {
      float want = 0;
      call().evaluate(order, &hard.input, &want, 1, targets.front());
      for (const Target& target : targets) {
        float got = 0;
        call().evaluate(order, &hard.input, &got, 1, target);
        EXPECT_TRUE(same(got, want)) << std::hexfloat << hard.input << " " << target.name;
      }
    }
}

std::vector<const Entry*> elementwise() {
  std::vector<const Entry*> entries;
  for (const Entry& entry : functions())
    if (entry.elementwise()) entries.push_back(&entry);
  return entries;
}
INSTANTIATE_TEST_SUITE_P(Function, Certificates, testing::ValuesIn(elementwise()),
                         [](const auto& info) { return std::string(info.param->info->name); });

}  // namespace
}  // namespace actfun::tests
