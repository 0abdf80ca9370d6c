// SPDX-License-Identifier: Apache-2.0
// What holds for every kernel of every elementwise function on every instruction set, whatever it computes.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <cstring>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "api/parts.h"
#include "tests/inputs.h"

namespace actfun::tests {
namespace {

/// Runs check(call, order, target) for every elementwise function, parameter value, tier, order and target.
template <class Check>
void for_all(const Check& check) {
  for (const Entry& entry : functions()) {
    if (!entry.elementwise()) continue;
    for (Call call : calls_of(entry))
      for (const Tier tier : {Tier::exact, Tier::fast})
        for (const Order order : kOrders)
          for (const Target& target : supported_targets()) {
            call.tier = tier;
            if (tier == Tier::fast && !call.has_fast_kernel(order, target)) continue;
            SCOPED_TRACE(call.text() + " " + name(order) + " " + std::string(target.name) +
                         (tier == Tier::fast ? " fast" : ""));
            check(call, order, target);
            if (testing::Test::HasFailure()) return;
          }
  }
}

/// Floats between two pages that must not be touched.
class GuardedFloats {
 public:
  explicit GuardedFloats(std::size_t n) : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    bytes_ = (n * sizeof(float) + page_ - 1) / page_ * page_ + 2 * page_;
    base_ = static_cast<char*>(mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + page_, bytes_ - 2 * page_, PROT_READ | PROT_WRITE);
  }
  ~GuardedFloats() { munmap(base_, bytes_); }
  GuardedFloats(const GuardedFloats&) = delete;
  GuardedFloats& operator=(const GuardedFloats&) = delete;
  float* first() { return reinterpret_cast<float*>(base_ + page_); }
  /// n floats that end where the guard page begins.
  float* last(std::size_t n) { return reinterpret_cast<float*>(base_ + bytes_ - page_) - n; }

 private:
  std::size_t page_, bytes_;
  char* base_;
};

constexpr double kHuge = std::numeric_limits<double>::max();
constexpr std::size_t kLongest = 4 * 64 + 1;  // four steps of the widest loop, and one

TEST(Kernels, AnyLengthAnyAlignmentInPlaceWithinBounds) {
  GuardedFloats input(kLongest + 16), output(kLongest + 16);
  const std::vector<float> x = random_inputs(kLongest + 16, 1);
  for_all([&](const Call& call, Order order, const Target& target) {
    // One element at a time: a result cannot depend on its neighbours or its place.
    std::vector<float> want(kLongest);
    for (std::size_t i = 0; i < kLongest; ++i) call.evaluate(order, &x[i], &want[i], 1, target);
    for (std::size_t n = 0; n <= kLongest; n += n < 70 ? 1 : 31) {
      // At the end of the page: nothing is read or written beyond.
      float *in = input.last(n), *out = output.last(n);
      std::copy_n(x.data(), n, in);
      call.evaluate(order, in, out, n, target);
      for (std::size_t i = 0; i < n; ++i)
        ASSERT_TRUE(same(out[i], want[i])) << "n " << n << " i " << i << " x " << x[i];
      // In place, and at the start of the page with every alignment; the floats around stay as they were.
      const std::size_t shift = n % 16;
      in = input.first();
      std::fill_n(in, kLongest + 16, 42.0f);
      std::copy_n(x.data(), n, in + shift);
      call.evaluate(order, in + shift, in + shift, n, target);
      for (std::size_t i = 0; i < n; ++i)
        ASSERT_TRUE(same(in[shift + i], want[i])) << "in place, n " << n << " i " << i;
      for (std::size_t i = 0; i < kLongest + 16; ++i) {
        if (i < shift || i >= shift + n) {
          ASSERT_EQ(in[i], 42.0f) << "n " << n << " touched " << i;
        }
      }
    }
  });
}

TEST(Kernels, PastTheCachesTheSameAtAnyAlignmentWithinBounds) {
  GuardedFloats input(kLongest + 16), output(kLongest + 16);
  const std::vector<float> x = random_inputs(kLongest, 6);
  for_all([&](const Call& call, Order order, const Target& target) {
    const Kernels& all = kernels(call, target);
    const auto k = static_cast<int>(order);
    const Kernels::Unary kernel = call.tier == Tier::fast ? all.fast[k] : all.order[k];
    const Constants parameters = constants(call);
    std::vector<float> want(kLongest);
    kernel(x.data(), want.data(), kLongest, parameters.data(), Passage::near);
    for (std::size_t n = 0; n <= kLongest; n += n < 20 ? 1 : 59)
      for (const Passage passage : {Passage::far, Passage::streamed})
        for (std::size_t shift = 0; shift < 17; shift += n % 2 ? 1 : 5) {
          float *in = input.last(n), *out = shift == 16 ? output.last(n) : output.first() + shift;
          std::copy_n(x.data(), n, in);
          std::fill_n(output.first(), kLongest + 16, 42.0f);
          kernel(in, out, n, parameters.data(), passage);
          for (std::size_t i = 0; i < n; ++i)
            ASSERT_TRUE(same(out[i], want[i])) << "n " << n << " i " << i << " shift " << shift;
          for (float* around = output.first(); around < output.first() + kLongest + 16; ++around) {
            if (around < out || around >= out + n) {
              ASSERT_EQ(*around, 42.0f) << "n " << n << " shift " << shift;
            }
          }
        }
  });
}

TEST(Kernels, TargetsAgreeAndNaNStaysNaN) {
  std::vector<float> x = special_inputs();
  const std::vector<float> more = random_inputs(200000, 2);
  x.insert(x.end(), more.begin(), more.end());
  std::vector<float> want(x.size()), got(x.size());
  const Target best = supported_targets().front();
  for_all([&](const Call& call, Order order, const Target& target) {
    if (target.name == best.name) {
      call.evaluate(order, x.data(), want.data(), x.size(), best);
      const Limits* limits[] = {&call.info().limits, &call.info().derivative_limits,
                                &call.info().second_derivative_limits};
      const std::string_view text = limits[static_cast<int>(order)]->lower;
      const bool constant = call.text() == "sine:omega=0";  // which has limits, other than the record's default
      const bool no_limits = (text == "none" || text == "nan") && !constant;
      for (std::size_t i = 0; i < x.size(); ++i) {
        ASSERT_EQ(std::isnan(want[i]), std::isnan(x[i]) || (std::isinf(x[i]) && no_limits)) << x[i];
      }
      return;
    }
    call.evaluate(order, x.data(), got.data(), x.size(), target);
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(same(got[i], want[i])) << std::hexfloat << x[i] << ": " << got[i] << " and " << want[i];
  });
}

TEST(Registry, DomainsAreReadAsTheRecordsHaveThem) {
  const double values[] = {-kHuge,
                           -2,
                           -1,
                           -0.3,
                           -0.0,
                           0,
                           1e-300,
                           0.3,
                           0.5,
                           1,
                           1.5,
                           2,
                           3,
                           0x1p53,
                           0x1p54,
                           kHuge,
                           std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()};
  for (const Entry& entry : functions())
    for (std::size_t i = 0; i < entry.info->parameters.size(); ++i)
      for (const double value : values)
        for (const double others : values) {
          std::array<double, kMaxParameters> all;
          all.fill(others);
          all[i] = value;
          ASSERT_EQ(accepts(entry, i, all.data()), accepts(*entry.info, i, all.data()))
              << entry.info->name << " " << i << " " << value << " " << others;
        }
}

TEST(Kernels, ValueAndSlopeInOnePass) {
  const std::vector<float> x = random_inputs(1000, 3);
  for_all([&](const Call& call, Order order, const Target& target) {
    if (order != Order::value) return;
    std::vector<float> y(x.size()), dy(x.size()), value(x.size()), slope(x.size()), in_place = x;
    call.evaluate(Order::value, x.data(), value.data(), x.size(), target);
    call.evaluate(Order::slope, x.data(), slope.data(), x.size(), target);
    call.evaluate_value_and_slope(x.data(), y.data(), dy.data(), x.size(), target);
    call.evaluate_value_and_slope(in_place.data(), in_place.data(), dy.data(), x.size(), target);
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(same(y[i], value[i]) && same(dy[i], slope[i]) && same(in_place[i], value[i])) << x[i];
    in_place = x;
    call.evaluate_value_and_slope(in_place.data(), y.data(), in_place.data(), x.size(), target);
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_TRUE(same(y[i], value[i]) && same(in_place[i], slope[i])) << x[i];
  });
}

#if defined(__SSE2__)
TEST(Kernels, CallersFloatingPointStateChangesNothingAndIsKept) {
  const std::vector<float> x = special_inputs();
  std::vector<float> want(x.size()), got(x.size());
  const unsigned normal = _mm_getcsr();
  for_all([&](const Call& call, Order order, const Target& target) {
    call.evaluate(order, x.data(), want.data(), x.size(), target);
    for (const unsigned state :
         {0x8000u, 0x0040u, 0x8040u, 0x2000u, 0x4000u, 0x6000u, 0xe040u}) {  // FTZ, DAZ, rounding
      _mm_setcsr(0x1f80 | state);
      call.evaluate(order, x.data(), got.data(), x.size(), target);
      const unsigned after = _mm_getcsr();
      _mm_setcsr(normal);
      ASSERT_EQ(after & ~0x3fu, 0x1f80 | state);
      for (std::size_t i = 0; i < x.size(); ++i) ASSERT_TRUE(same(got[i], want[i])) << std::hexfloat << x[i];
    }
    // A caller who traps on inexact results does not get a signal from inside.
    _mm_setcsr(0x1f80 & ~0x1000u & ~0x0080u);
    call.evaluate(order, x.data(), got.data(), x.size(), target);
    _mm_setcsr(normal);
  });
}
#endif

TEST(Kernels, FastBackwardIsTheGradientTimesTheSlope) {
  const std::vector<float> x = random_inputs(kLongest, 3), g = random_inputs(kLongest, 4);
  for_all([&](const Call& call, Order order, const Target& target) {
    if (order != Order::slope || call.tier != Tier::fast) return;
    std::vector<float> slope(kLongest);
    call.evaluate(order, x.data(), slope.data(), kLongest, target);
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{17}, std::size_t{64}, kLongest}) {
      std::vector<float> dx(n), in_x(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n)),
          in_g(g.begin(), g.begin() + static_cast<std::ptrdiff_t>(n));
      call.multiply(Part::slope, Format::f32, x.data(), g.data(), dx.data(), n, target);
      call.multiply(Part::slope, Format::f32, in_x.data(), g.data(), in_x.data(), n, target);
      call.multiply(Part::slope, Format::f32, x.data(), in_g.data(), in_g.data(), n, target);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_TRUE(same(dx[i], slope[i] * g[i])) << x[i] << ", " << g[i];
        ASSERT_TRUE(same(in_x[i], dx[i]));
        ASSERT_TRUE(same(in_g[i], dx[i]));
      }
    }
  });
}

}  // namespace
}  // namespace actfun::tests
