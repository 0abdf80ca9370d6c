// SPDX-License-Identifier: Apache-2.0
// What several threads do with an array: the same as one.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <thread>

#include "api/axis.h"
#include "api/inverse.h"
#include "api/threads.h"
#include "tests/inputs.h"

namespace actfun::tests {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr std::size_t kElements = 20003;
#else
constexpr std::size_t kElements = 100003;
#endif

class Threads : public testing::Test {
 protected:
  Threads() { detail::worth_a_thread = 0; }  // share whatever is long enough
  ~Threads() override { detail::worth_a_thread = usual_; }

 private:
  const double usual_ = detail::worth_a_thread;
};

TEST_F(Threads, PartsMakeUpTheWhole) {
  for (const std::size_t n : {0, 1, 39, 40, 41, 1000, 12345})
    for (const unsigned threads : {0u, 1u, 2u, 3u, 16u}) {
      std::vector<std::atomic<int>> times(n);
      in_parts(n, 10, threads, [&](std::size_t first, std::size_t count) {
        EXPECT_EQ(first % 10, 0u);
        for (std::size_t i = first; i < first + count; ++i) ++times[i];
      });
      for (const auto& each : times) ASSERT_EQ(each, 1) << n << " on " << threads;
    }
}

TEST_F(Threads, AsManyAsAreAskedFor) {
  for (const unsigned threads : {1u, 2u, 5u}) {
    std::atomic<unsigned> now = 0, most = 0;
    std::atomic<int> parts = 0;
    in_parts(400, 1, threads, [&](std::size_t, std::size_t) {
      unsigned here = ++now, seen = most;
      while (seen < here && !most.compare_exchange_weak(seen, here)) {
      }
      if (++parts > 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --now;
    });
    EXPECT_LE(most, threads);
    EXPECT_GE(most, std::min(threads, 2u));
  }
}

TEST_F(Threads, PartsOfPartsAreWhole) {
  std::atomic<int> parts = 0, inner = 0;
  in_parts(1000, 1, 4, [&](std::size_t, std::size_t) {
    if (++parts == 1) return;  // the first tile, timed before there is a team
    in_parts(1000, 1, 4, [&](std::size_t first, std::size_t count) {
      EXPECT_TRUE(first == 0 && count == 1000);
      ++inner;
    });
  });
  EXPECT_EQ(parts, inner + 1);
}

TEST_F(Threads, ExceptionsComeBack) {
  for (const std::size_t where : {0, 500})
    EXPECT_THROW(in_parts(1000, 1, 4,
                          [&](std::size_t first, std::size_t count) {
                            if (first <= where && where < first + count) throw std::runtime_error("here");
                          }),
                 std::runtime_error);
}

TEST_F(Threads, SmallWorkStaysOnOne) {
  detail::worth_a_thread = 1e3;
  std::vector<std::thread::id> ids;
  in_parts(1000, 1, 4, [&](std::size_t, std::size_t) { ids.push_back(std::this_thread::get_id()); });
  for (const auto& id : ids) EXPECT_EQ(id, std::this_thread::get_id());
}

using Bytes = std::vector<unsigned char>;

/// Numbers of a format, from floats.
Bytes numbers(Format format, std::size_t n, std::uint32_t seed) {
  const std::vector<float> x = random_inputs(n, seed);
  Bytes codes(n * info_of(format).bytes);
  convert(Format::f32, x.data(), format, codes.data(), n, current_target().bit);
  return codes;
}

/// Holds what run(threads) returns to be the same on any number of threads.
void expect_same(const std::function<Bytes(unsigned threads)>& run, const std::string& what) {
  const Bytes want = run(1);
  for (const unsigned threads : {2u, 3u, 8u}) EXPECT_TRUE(run(threads) == want) << what << " on " << threads;
}

std::vector<Call> some_calls() {
  std::vector<Call> calls;
  for (const char* text : {"relu", "sigmoid", "gelu", "elu:alpha=0.5", "hard_sigmoid", "silu", "prelu"})
    calls.push_back(parse_function(text));
  calls.push_back(parse_function("hardtanh"));
  calls.back().choose(Kinks::jax);
  calls.push_back(parse_function("gelu"));
  calls.back().tier = Tier::fast;
  return calls;
}

constexpr Format kFormats[] = {Format::f32, Format::f64, Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2};

TEST_F(Threads, SameBitsForwardInEveryFormatInPlaceToo) {
  const Target& target = current_target();
  for (const Format format : kFormats) {
    const std::size_t n = format == Format::f64 ? 4003 : format == Format::f16 ? 3 * kElements : kElements;
    const Bytes x = numbers(format, n, 1);
    for (Call call : some_calls())
      for (const Order order : kOrders)
        for (const bool in_place : {false, true})
          expect_same(
              [&](unsigned threads) {
                call.threads = threads;
                Bytes y = in_place ? x : Bytes(x.size());
                call.apply(order, format, in_place ? y.data() : x.data(), y.data(), n, target);
                return y;
              },
              call.text() + " " + name(order) + " " + std::string(info_of(format).name));
  }
}

TEST_F(Threads, SameBitsOfValueWithSlopeAndOfIntegers) {
  const Target& target = current_target();
  const Bytes x = numbers(Format::f32, kElements, 2);
  for (Call call : some_calls()) {
    expect_same(
        [&](unsigned threads) {
          call.threads = threads;
          Bytes y(2 * x.size());
          auto* value = reinterpret_cast<float*>(y.data());
          call.evaluate_value_and_slope(reinterpret_cast<const float*>(x.data()), value, value + kElements, kElements,
                                        target);
          return y;
        },
        call.text() + " value and slope");
    const Quantization in{true, 0.05f, 3}, out{false, 0.01f, 128};
    for (const Quantization* to : {&out, static_cast<const Quantization*>(nullptr)})
      expect_same(
          [&](unsigned threads) {
            call.threads = threads;
            Bytes y(x.size() * (to ? 1 : sizeof(float)));
            call.apply(Order::value, in, to, x.data(), y.data(), x.size(), target);
            return y;
          },
          call.text() + " of integers");
  }
}

TEST_F(Threads, SameBitsBackward) {
  const Target& target = current_target();
  const std::size_t n = 40 * 210;
  for (const Format format : {Format::f32, Format::f64, Format::bf16}) {
    const Bytes x = numbers(format, n, 3), g = numbers(format, n, 4), gg = numbers(format, n, 5);
    for (Call call : some_calls()) {
      const auto check = [&](const char* what, const std::function<void(const Call&, unsigned char*)>& run) {
        expect_same(
            [&](unsigned threads) {
              call.threads = threads;
              Bytes y(2 * x.size() + 64);
              run(call, y.data());
              return y;
            },
            call.text() + " " + what);
      };
      check("backward", [&](const Call& c, unsigned char* y) {
        c.multiply(Part::slope, format, x.data(), g.data(), y, n, target);
      });
      check("backward in place of g", [&](const Call& c, unsigned char* y) {
        std::memcpy(y, g.data(), g.size());
        c.multiply(Part::slope, format, x.data(), y, y, n, target);
      });
      check("double backward", [&](const Call& c, unsigned char* y) {
        c.double_backward(format, x.data(), g.data(), gg.data(), y, y + x.size(), n, target);
      });
      if (call.text() == "sigmoid")
        check("inverse", [&](const Call& c, unsigned char* y) { invert(c, format, x.data(), y, n, target); });
      if (call.info().name == "silu" || call.info().name == "relu")
        check("bits and back", [&](const Call& c, unsigned char* y) {
          std::vector<std::uint8_t> bits(n / 8 + 1);
          value_and_bits(c, format, x.data(), y, bits.data(), n, target);
          backward_from_bits(c, format, y, bits.data(), g.data(), y + x.size(), n, target);
        });
      if (call.info().parameters.empty()) continue;
      // Rows that share tiles, long rows, one channel, and an element each.
      for (const Channels& shape :
           {Channels{n / 210, 7, 30}, Channels{n / 210 / 7, 7, 210}, Channels{.inner = n}, Channels{n / 210, 210, 1}}) {
        std::vector<double> values(shape.channels);
        for (std::size_t c = 0; c < values.size(); ++c) values[c] = 0.1 + 0.01 * static_cast<double>(c % 50);
        Channels varied = shape;
        varied.parameters[0] = values.data();
        const bool many = call.info().parameters.size() == 1;
        for (const Channels& each : {shape, many ? varied : shape}) {
          check("by channel", [&](const Call& c, unsigned char* y) {
            c.multiply(Part::value, format, each, x.data(), nullptr, y, target);
          });
          check("parameter gradients", [&](const Call& c, unsigned char* y) {
            std::vector<double> sums(kMaxParameters * each.channels);
            double* gradients[kMaxParameters];
            for (std::size_t k = 0; k < kMaxParameters; ++k) gradients[k] = &sums[k * each.channels];
            c.parameter_gradients(format, each, x.data(), g.data(), gradients, target);
            std::memcpy(y, sums.data(), std::min(2 * x.size(), sums.size() * sizeof(double)));
          });
        }
      }
    }
  }
}

TEST_F(Threads, SameBitsAlongAnAxis) {
  const Target& target = current_target();
  for (const Shape shape : {Shape{300, 100, 1}, Shape{20, 50, 30}, Shape{8, 5000, 1}}) {
    const std::size_t n = shape.outer * shape.length * shape.inner;
    const Bytes x = numbers(Format::f32, n, 6), g = numbers(Format::f32, n, 7);
    const auto* from = reinterpret_cast<const float*>(x.data());
    const auto check = [&](const char* what, const std::function<void(float*, unsigned)>& run) {
      expect_same(
          [&](unsigned threads) {
            Bytes y(2 * x.size());
            run(reinterpret_cast<float*>(y.data()), threads);
            return y;
          },
          what);
    };
    const auto [outer, length, inner] = shape;
    check("softmax", [&](float* y, unsigned threads) { softmax(from, y, outer, length, inner, target, threads); });
    check("log_softmax",
          [&](float* y, unsigned threads) { log_softmax(from, y, outer, length, inner, target, threads); });
    check("maxout", [&](float* y, unsigned threads) {
      maxout(from, y, reinterpret_cast<std::int32_t*>(y + n), outer, length / 5, 5, inner, threads);
    });
    check("softmax_backward", [&](float* y, unsigned threads) {
      softmax_backward(Format::f32, x.data(), g.data(), y, shape, target, threads);
    });
    std::vector<std::int32_t> labels(shape.rows());
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % length);
    std::vector<float> small(n);
    for (std::size_t i = 0; i < n; ++i) small[i] = static_cast<float>(i * 7 % 23) * 0.25f;
    for (const Reduction reduction : {Reduction::mean, Reduction::none}) {
      check("cross_entropy", [&](float* y, unsigned threads) {
        std::vector<double> loss(shape.rows());
        cross_entropy(Format::f32, reduction, small.data(), labels.data(), 1, loss.data(), y, shape, target, threads);
        std::memcpy(y + n, loss.data(), std::min(loss.size() * sizeof(double), n * sizeof(float)));
      });
      check("soft_cross_entropy", [&](float* y, unsigned threads) {
        std::vector<double> loss(shape.rows());
        soft_cross_entropy(Format::f32, reduction, small.data(), g.data(), 1, loss.data(), y, shape, target, threads);
        std::memcpy(y + n, loss.data(), std::min(loss.size() * sizeof(double), n * sizeof(float)));
      });
    }
  }
}

TEST_F(Threads, CallersRoundingModeReachesNoThread) {
  Call call = parse_function("sigmoid");
  const std::vector<float> x = random_inputs(kElements, 8);
  std::vector<float> want(x.size()), got(x.size());
  call.evaluate(Order::value, x.data(), want.data(), x.size());
  call.threads = 4;
  std::fesetround(FE_UPWARD);
  call.evaluate(Order::value, x.data(), got.data(), x.size());
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(std::memcmp(got.data(), want.data(), x.size() * sizeof(float)), 0);
}

TEST_F(Threads, CallsFromManyThreadsAtOnce) {
  const std::vector<float> x = random_inputs(kElements, 9);
  std::vector<float> want(x.size());
  parse_function("gelu").evaluate(Order::value, x.data(), want.data(), x.size());
  std::vector<std::thread> callers;
  std::array<bool, 8> equal{};
  for (std::size_t t = 0; t < equal.size(); ++t)
    callers.emplace_back([&, t] {
      equal[t] = true;
      Call call = parse_function("gelu");
      call.threads = t % 3;  // the default, one, two
      for (int repeat = 0; repeat < 5; ++repeat) {
        std::vector<float> y(x.size());
        call.evaluate(Order::value, x.data(), y.data(), x.size());
        equal[t] = equal[t] && std::memcmp(y.data(), want.data(), x.size() * sizeof(float)) == 0;
        // A table of all results, which one of them makes.
        std::vector<std::uint16_t> codes(std::size_t{1} << 18, static_cast<std::uint16_t>(0x3c00 + t));
        call.apply(Order::value, Format::f16, codes.data(), codes.data(), codes.size(), current_target());
        equal[t] = equal[t] && codes.front() == codes.back();
      }
    });
  for (std::thread& caller : callers) caller.join();
  for (const bool each : equal) EXPECT_TRUE(each);
}

TEST_F(Threads, AForkedProcessGoesOn) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer has processes with threads die after fork";
#endif
  Call call = parse_function("gelu");
  call.threads = 4;
  const std::vector<float> x = random_inputs(kElements, 10);
  std::vector<float> want(x.size()), got(x.size());
  call.evaluate(Order::value, x.data(), want.data(), x.size());  // there is a team now
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);
    call.evaluate(Order::value, x.data(), got.data(), x.size());
    _exit(std::memcmp(got.data(), want.data(), x.size() * sizeof(float)) == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace actfun::tests
