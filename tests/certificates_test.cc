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

// One bit off, on one input of 2^32.
constexpr float kWrongAt = 0x1.234568p+1f;
void wrong_sigmoid(const float* x, float* y, std::size_t n, const Constant* /*p*/) {
  parse_function("sigmoid").evaluate(Order::value, x, y, n);
  for (std::size_t i = 0; i < n; ++i)
    if (x[i] == kWrongAt) y[i] = float_of(bits_of(y[i]) ^ 1);
}

TEST(WrongKernel, FailsAndItsBlockIsNamed) {
  const Kernels wrong{{wrong_sigmoid, nullptr, nullptr}, nullptr, {}};
  Call call = parse_function("sigmoid");
  const Certificate certificate = *find_certificate("sigmoid");
  const std::uint32_t block = bits_of(kWrongAt) >> 24, blocks[] = {block - 1, block, block + 1};
  const auto run = [&] {
    return verify(call, Order::value, current_target(), certificate, Extent::full, threads(), {}, blocks);
  };
  EXPECT_TRUE(run().passed());
  call.instead = &wrong;
  const Verification v = run();
  ASSERT_EQ(v.failed.size(), 1u);
  EXPECT_EQ(v.failed[0].index, block);
  EXPECT_LE(v.failed[0].first, bits_of(kWrongAt));
  EXPECT_GE(v.failed[0].last, bits_of(kWrongAt));
}

std::vector<const Entry*> elementwise() {
  std::vector<const Entry*> entries;
  for (const Entry& entry : functions())
    if (entry.elementwise()) entries.push_back(&entry);
  return entries;
}
INSTANTIATE_TEST_SUITE_P(Function, Certificates, testing::ValuesIn(elementwise()),
                         [](const auto& test) { return std::string(test.param->info->name); });

}  // namespace
}  // namespace actfun::tests
