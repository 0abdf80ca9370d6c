// SPDX-License-Identifier: Apache-2.0
// Every elementwise function, order and instruction set of this machine against the committed certificates: all inputs
// of the formats of 8 and 16 bits, of f64 one in 32 of the certified ones, and of f32 2^24 and the recorded hard cases.
// All 2^32 floats and two million doubles are tried for as many functions as ten minutes allow, others each time:
// ACTFUN_ROTATION says with which to begin.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include "api/certificate.h"
#include "tests/inputs.h"

namespace actfun::tests {
namespace {

unsigned threads() { return std::max(1u, std::thread::hardware_concurrency()); }

std::vector<const Entry*> elementwise() {
  std::vector<const Entry*> entries;
  for (const Entry& entry : functions())
    if (entry.elementwise()) entries.push_back(&entry);
  return entries;
}
/// Those that users have: what is slower only stands in for them.
std::vector<Target> best_targets() {
  std::vector<Target> targets = supported_targets();
  if (targets.size() > 2) targets.resize(2);
  return targets;
}

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

void expect_passed(const Call& call, const Verification& v) {
  for (const FailedBlock& block : v.failed)
    ADD_FAILURE() << call.text() << " " << name(v.order) << " " << info_of(v.format).name << " " << v.target
                  << ": block " << std::hex << block.index << ", inputs " << block.first << " to " << block.last;
}

TEST_P(Certificates, ShortFormatsInFullOnEveryTarget) {
  const Certificate right = certificate();
  for (const Target& target : supported_targets())
    for (const Order order : kOrders)
      for (const Format format : {Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2}) {
        const Verification v = verify(call(), order, format, target, right);
        EXPECT_EQ(v.inputs, 1ull << (8 * info_of(format).bytes));
        expect_passed(call(), v);
        EXPECT_EQ(right(format, order).misrounded, 0u);
      }
}

TEST_P(Certificates, SparseDoublesOnTheBestTargets) {
  const Certificate right = certificate();
  for (const Target& target : best_targets())
    for (const Order order : kOrders) {
      EXPECT_LE(right(Format::f64, order).worst_error, order == Order::value ? 1 : 2);
      expect_passed(call(), verify(call(), order, Format::f64, target, right, Extent::sparse));
    }
}

TEST_P(Certificates, SparseFloatsOnEveryTarget) {
  const Certificate right = certificate();
  for (const Target& target : supported_targets())
    for (const Order order : kOrders) {
      const Verification v = verify(call(), order, target, right, Extent::sparse, threads());
      EXPECT_EQ(v.inputs, 1ull << 24);
      expect_passed(call(), v);
    }
}

/// One bound for all inputs, and the same bits wherever there is a fused multiply-add.
TEST_P(Certificates, SparseFloatsInTheFastTier) {
  const Certificate right = certificate();
  Call fast = call();
  fast.tier = Tier::fast;
  for (const Target& target : supported_targets())
    for (const Order order : {Order::value, Order::slope}) {
      if (!fast.has_fast_kernel(order, target)) continue;
      const FastCertificate& c = right.fast[static_cast<int>(order)];
      EXPECT_EQ(c.inputs, 1ull << 32);
      EXPECT_LE(c.worst_error, 2);
      EXPECT_LE(c.worst_near_root, 1);
      EXPECT_GT(c.worst_error, 0.5) << "then it is the exact tier";
      expect_passed(fast, verify(fast, order, target, right, Extent::sparse, threads()));
    }
}

TEST(FastTier, IsTheExactOneWithoutKernelsOfItsOwn) {
  Call call = parse_function("elu:alpha=0.5");
  call.tier = Tier::fast;
  for (const Target& target : supported_targets())
    for (const Order order : kOrders) EXPECT_FALSE(call.has_fast_kernel(order, target));
  call = parse_function("gelu");
  call.tier = Tier::fast;
  for (const Target& target : supported_targets()) {
    const bool fused = target.name == "AVX3" || target.name == "AVX2" || target.name == "NEON";
    EXPECT_EQ(call.has_fast_kernel(Order::value, target), fused) << target.name;
    EXPECT_FALSE(call.has_fast_kernel(Order::curvature, target));
  }
}

/// All 2^32 floats on the two best targets, of as many functions as the time allows. Which come first is for the caller
/// to say: another number with every commit, so that all have their turn.
TEST(Rotation, AllFloats) {
  const auto number = [](const char* variable, unsigned long preset) {
    const char* text = std::getenv(variable);
    return text && *text ? std::strtoul(text, nullptr, 10) : preset;
  };
  const double limit = static_cast<double>(number("ACTFUN_FULL_SECONDS", 600));
  const std::vector<const Entry*> all = elementwise();
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  const std::size_t first = number("ACTFUN_ROTATION", 0) % all.size();
  std::size_t done = 0;
  for (; done < all.size() && elapsed() < limit; ++done) {
    const Call call = parse_function(all[(first + done) % all.size()]->info->name);
    const Certificate right = find_certificate(call.info().name).value();
    for (const Target& target : best_targets())
      for (const Order order : kOrders) {
        const Verification v = verify(call, order, target, right, Extent::full, threads());
        EXPECT_EQ(v.inputs, 1ull << 32);
        expect_passed(call, v);
        std::printf("%-13s %-10s %-5s 2^32 inputs in %5.1f s\n", call.text().c_str(), name(order),
                    std::string(target.name).c_str(), v.seconds);
        std::fflush(stdout);
      }
    std::optional<Verification> doubles[3];
    {
      std::vector<std::jthread> all_orders;
      for (const Order order : kOrders)
        all_orders.emplace_back([&, order] {
          doubles[static_cast<int>(order)] = verify(call, order, Format::f64, current_target(), right);
        });
    }
    for (const auto& v : doubles) expect_passed(call, *v);
  }
  std::printf("%zu of %zu functions, from %s on\n", done, all.size(), std::string(all[first]->info->name).c_str());
}

TEST_P(Certificates, HardCasesOnEveryTarget) {
  const Certificate right = certificate();
  for (const Target& target : supported_targets())
    for (const Order order : kOrders)
      for (const HardCase& hard : right[order].hard_cases) {
        float got = 0;
        call().evaluate(order, &hard.input, &got, 1, target);
        EXPECT_TRUE(same(got, hard.output)) << std::hexfloat << name(order) << "(" << hard.input << ") on "
                                            << target.name << ": " << got << ", not " << hard.output;
      }
}

// One bit off, on one input of 2^32.
constexpr float kWrongAt = 0x1.234568p+1f;
void wrong_sigmoid(const float* x, float* y, std::size_t n, const Constant* /*p*/, Passage /*passage*/) {
  parse_function("sigmoid").evaluate(Order::value, x, y, n);
  for (std::size_t i = 0; i < n; ++i)
    if (x[i] == kWrongAt) y[i] = float_of(bits_of(y[i]) ^ 1);
}

TEST(WrongKernel, FailsAndItsBlockIsNamed) {
  const Kernels wrong{{wrong_sigmoid, nullptr, nullptr}, nullptr, {}, nullptr, nullptr, {}, {}, {}};
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

INSTANTIATE_TEST_SUITE_P(Function, Certificates, testing::ValuesIn(elementwise()),
                         [](const auto& test) { return std::string(test.param->info->name); });

}  // namespace
}  // namespace actfun::tests
