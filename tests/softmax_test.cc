// SPDX-License-Identifier: Apache-2.0
// Softmax and its like against the formulas in long double, which carries 11 bits more than the kernels for f32 do, and
// against MPFR for f64; on every instruction set, in every arrangement of an array in memory.
#include <gtest/gtest.h>
#include <mpfr.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>

#include "api/axis.h"
#include "api/softmax.h"
#include "api/threads.h"
#include "tests/inputs.h"

namespace actfun::tests {
namespace {

const double kInf = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr Format kFormats[] = {Format::f32, Format::f64, Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2};
constexpr std::size_t kLengths[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100, 1000, 2047, 2048, 2049, 10007, 100000};

actfun_softmax_options defaults() {
  actfun_softmax_options options{};
  options.scale = 1;
  options.threads = 1;
  return options;
}

/// Numbers of a format with a shape, in memory by any order of their axes.
class Tensor {
 public:
  /// order[k] is the axis that lies k-th, from the outermost on; `gap` unused elements after each row of the innermost.
  Tensor(Format format, const std::vector<std::size_t>& shape, const std::vector<int>& order = {}, std::size_t gap = 0)
      : format_(format) {
    array_.format = static_cast<actfun_format>(format);
    array_.rank = static_cast<std::int32_t>(shape.size());
    std::ptrdiff_t stride = 1;
    for (std::size_t k = shape.size(); k-- > 0;) {
      const auto axis = order.empty() ? k : static_cast<std::size_t>(order[k]);
      array_.shape[axis] = shape[axis];
      array_.strides[axis] = stride;
      stride *= static_cast<std::ptrdiff_t>(shape[axis] + (k + 1 == shape.size() ? gap : 0));
      count_ *= shape[axis];
    }
    bytes_.resize(static_cast<std::size_t>(stride) * info_of(format).bytes + 64);
    array_.data = bytes_.data();
  }
  Tensor(const Tensor& other)
      : array_(other.array_), format_(other.format_), count_(other.count_), bytes_(other.bytes_) {
    array_.data = bytes_.data();
  }
  Tensor& operator=(const Tensor&) = delete;

  const actfun_array* array() const { return &array_; }
  std::size_t count() const { return count_; }
  /// Element i in C order of the shape.
  unsigned char* at(std::size_t i) const {
    std::ptrdiff_t offset = 0;
    for (int k = array_.rank; k-- > 0; i /= array_.shape[k])
      offset += static_cast<std::ptrdiff_t>(i % array_.shape[k]) * array_.strides[k];
    return static_cast<unsigned char*>(array_.data) + offset * static_cast<std::ptrdiff_t>(info_of(format_).bytes);
  }
  void set(const std::vector<double>& numbers) {
    for (std::size_t i = 0; i < count_; ++i) convert(Format::f64, &numbers[i], format_, at(i), 1, current_target().bit);
  }
  std::vector<double> numbers() const {
    std::vector<double> all(count_);
    for (std::size_t i = 0; i < count_; ++i) convert(format_, at(i), Format::f64, &all[i], 1, current_target().bit);
    return all;
  }
  /// The codes in C order of the shape.
  std::vector<unsigned char> codes() const {
    const std::size_t bytes = info_of(format_).bytes;
    std::vector<unsigned char> all(count_ * bytes);
    for (std::size_t i = 0; i < count_; ++i) std::memcpy(&all[i * bytes], at(i), bytes);
    return all;
  }

 private:
  actfun_array array_{};
  Format format_;
  std::size_t count_ = 1;
  std::vector<unsigned char> bytes_;
};

std::vector<double> normal(std::size_t n, double spread, std::uint32_t seed, double mean = 0) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> distribution(mean, spread);
  std::vector<double> x(n);
  for (double& v : x) v = distribution(generator);
  return x;
}

/// |got - want| in units in the last place that the format has at `want`.
long double ulps(Format format, double got, long double want) {
  const FormatInfo& info = info_of(format);
  if (std::abs(want) > static_cast<long double>(info.largest)) {
    const bool right = info.infinite ? std::isinf(got) : std::abs(got) == info.largest;
    return right && (got < 0) == (want < 0) ? 0 : kInf;
  }
  int exponent = 0;
  std::frexp(std::abs(want), &exponent);
  const int least = info.least_exponent + 1 - info.precision;
  return std::abs(got - want) / std::ldexp(1.0L, want == 0 ? least : std::max(exponent - info.precision, least));
}

/// A row's results in long double.
struct Reference {
  long double maximum = -kInf, rest = 0;  // the sum of exp(z - maximum) but for one that is the maximum
  explicit Reference(const std::vector<long double>& z) {
    for (const long double v : z) maximum = std::max(maximum, v);
    bool skipped = false;
    for (const long double v : z) {
      if (!skipped && v == maximum)
        skipped = true;
      else
        rest += std::exp(v - maximum);
    }
  }
  long double softmax(long double z) const { return std::exp(z - maximum) / (1 + rest); }
  long double log_softmax(long double z) const { return (z - maximum) - std::log1p(rest); }
  long double log_sum_exp() const { return maximum + std::log1p(rest); }
};

std::vector<double> forward(Format format, actfun_softmax_kind kind, const std::vector<double>& x,
                            const actfun_softmax_options& options, const Target& target = current_target()) {
  Tensor from(format, {x.size()}), to(format, {x.size()});
  from.set(x);
  softmax_forward(kind, options, from.array(), -1, to.array(), nullptr, nullptr, target);
  return to.numbers();
}
std::vector<double> rounded(Format format, const std::vector<double>& x) {
  Tensor tensor(format, {x.size()});
  tensor.set(x);
  return tensor.numbers();
}

/// Rows in which errors show: of every length and spread, far from 0, of two values, with tails that are subnormal.
std::vector<std::vector<double>> rows() {
  std::vector<std::vector<double>> all;
  std::uint32_t seed = 0;
  for (const std::size_t n : kLengths)
    for (const double spread : {0.01, 1., 5., 30., 200.})
      for (std::size_t repeat = 0; repeat < 1 + 300 / n; ++repeat) all.push_back(normal(n, spread, ++seed));
  for (const double mean : {-4095.9, 4095.5, 4096., -4097.3, 1e5, -3e6, 1e9})
    for (const double spread : {1., 40.}) all.push_back(normal(777, spread, ++seed, mean));
  std::mt19937 generator(99);
  std::uniform_real_distribution<double> between(-20, 0);
  for (int repeat = 0; repeat < 200; ++repeat) {  // roundings that all go the same way
    std::vector<double> row(60 + generator() % 300, between(generator));
    row[generator() % row.size()] = 0, row[generator() % row.size()] = between(generator);
    all.push_back(row);
  }
  all.push_back({0, -104, -103.9, -103, -87.4, -90, -88, -95, -100.5});
  all.push_back({3e38, -3e38, 3e38});
  all.push_back({1e-45, 0, -1e-45});
  all.push_back(std::vector<double>(1000, -7.25));
  return all;
}

double worst_error(Format format, actfun_softmax_kind kind, actfun_tier tier, double scale) {
  actfun_softmax_options options = defaults();
  options.tier = tier, options.scale = scale;
  long double worst = 0;
  for (const std::vector<double>& row : rows()) {
    const std::vector<double> x = rounded(format, row), y = forward(format, kind, x, options);
    std::vector<long double> z;
    for (const double v : x) z.push_back(static_cast<long double>(v) * scale);
    const bool far = std::ranges::any_of(z, [](long double v) { return std::abs(v) > 0x1p20L; });
    if (tier == ACTFUN_FAST && scale != 1 && far) continue;  // as softmax.h has it
    const Reference reference(z);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double want = kind == ACTFUN_SOFTMAX ? reference.softmax(z[i]) : reference.log_softmax(z[i]);
      worst = std::max(worst, ulps(format, y[i], want));
    }
  }
  return static_cast<double>(worst);
}

TEST(Softmax, ExactWithin0501Ulp) {
  for (const Format format : {Format::f32, Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2})
    for (const actfun_softmax_kind kind : {ACTFUN_SOFTMAX, ACTFUN_LOG_SOFTMAX})
      for (const double scale : {1., 0.7, -1.}) {
        const double worst = worst_error(format, kind, ACTFUN_EXACT, scale);
        EXPECT_LE(worst, 0.501) << info_of(format).name << " " << kind << " scale " << scale;
        EXPECT_GE(worst, 0.45) << "a reference that agrees too well is no reference";
      }
}
TEST(Softmax, FastWithin2Ulp) {
  for (const double scale : {1., 0.125, 0.7, -1.}) {
    const double worst = worst_error(Format::f32, ACTFUN_SOFTMAX, ACTFUN_FAST, scale);
    RecordProperty("worst_ulp_scale_" + std::to_string(scale), std::to_string(worst));
    EXPECT_LE(worst, 2) << scale;
  }
}

/// A number of many digits.
class Mpfr {
 public:
  explicit Mpfr(double x = 0) {
    mpfr_init2(value_, 2400);  // 1 + exp(-1600)
    mpfr_set_d(value_, x, MPFR_RNDN);
  }
  ~Mpfr() { mpfr_clear(value_); }
  Mpfr(const Mpfr&) = delete;
  Mpfr& operator=(const Mpfr&) = delete;
  operator mpfr_ptr() { return value_; }

 private:
  mpfr_t value_;
};
/// |got - want| in units in the last place of a double.
double ulps(double got, Mpfr& want) {
  const double nearest = mpfr_get_d(want, MPFR_RNDN);
  int exponent = 0;
  std::frexp(nearest, &exponent);
  Mpfr difference;
  mpfr_sub_d(difference, want, got, MPFR_RNDN);
  return std::abs(std::ldexp(mpfr_get_d(difference, MPFR_RNDN), std::min(1074, 53 - exponent)));
}

TEST(Softmax, ExactWithin0501UlpInF64) {
  double worst = 0, worst_tiny = 0, worst_log = 0, worst_sum = 0;
  std::uint32_t seed = 1000;
  for (const std::size_t n : {2, 5, 16, 40, 300, 2100})
    for (const double spread : {1e-3, 1., 10., 300.})
      for (const double scale : {1., 0.7, -1.3}) {
        const std::vector<double> x = normal(n, spread, ++seed);
        actfun_softmax_options options = defaults();
        options.scale = scale;
        const std::vector<double> y = forward(Format::f64, ACTFUN_SOFTMAX, x, options),
                                  log_y = forward(Format::f64, ACTFUN_LOG_SOFTMAX, x, options);
        Tensor from(Format::f64, {n}), one(Format::f64, {});
        from.set(x);
        logsumexp(options, false, from.array(), 0, one.array(), current_target());
        Mpfr sum, log, e, want;
        for (const double v : x) {
          mpfr_mul_d(e, Mpfr(v), scale, MPFR_RNDN);
          mpfr_exp(e, e, MPFR_RNDN);
          mpfr_add(sum, sum, e, MPFR_RNDN);
        }
        mpfr_log(log, sum, MPFR_RNDN);
        worst_sum = std::max(worst_sum, ulps(one.numbers()[0], log));
        for (std::size_t i = 0; i < n; ++i) {
          mpfr_mul_d(e, Mpfr(x[i]), scale, MPFR_RNDN);
          mpfr_sub(want, e, log, MPFR_RNDN);
          worst_log = std::max(worst_log, ulps(log_y[i], want));
          mpfr_exp(want, want, MPFR_RNDN);
          double& which = mpfr_cmp_d(want, 0x1p-1000) < 0 ? worst_tiny : worst;
          which = std::max(which, ulps(y[i], want));
        }
      }
  EXPECT_LE(worst, 0.501);
  EXPECT_LE(worst_tiny, 1.01);
  EXPECT_LE(worst_log, 0.501);
  EXPECT_LE(worst_sum, 0.501);
  EXPECT_GE(worst, 0.45) << "a reference that agrees too well is no reference";
}

// --- The same bits everywhere ---

/// Everything on one tensor, as bits: y, its statistics, log-sum-exp, gradients.
using Pass = std::function<void(const Tensor& x, Tensor& y, const Target& target, unsigned threads)>;

void expect_same_everywhere(Format format, const std::vector<std::size_t>& shape, double spread, bool fused_only,
                            const Pass& run, const std::string& what) {
  const std::vector<double> numbers =
      normal(std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>()), spread, 77);
  std::optional<std::vector<unsigned char>> want;
  std::vector<int> order(shape.size());
  std::iota(order.begin(), order.end(), 0);
  do {
    for (const std::size_t gap : {0, 3})
      for (const Target& target : supported_targets()) {
        if (fused_only && target.name != "AVX3" && target.name != "AVX2" && target.name != "NEON") continue;
        Tensor x(format, shape, order, gap), y(format, shape, order, gap);
        x.set(numbers);
        run(x, y, target, 1);
        if (!want) want = y.codes();
        EXPECT_TRUE(y.codes() == *want) << what << " " << target.name << " gap " << gap << " innermost "
                                        << order.back();
        run(x, x, target, 1);
        EXPECT_TRUE(x.codes() == *want) << what << " " << target.name << " in place";
      }
  } while (std::ranges::next_permutation(order).found);
}

TEST(Softmax, SameBitsOnEveryTargetInPlaceAndHoweverItLies) {
  for (const Format format : kFormats)
    for (const actfun_softmax_kind kind : {ACTFUN_SOFTMAX, ACTFUN_LOG_SOFTMAX})
      for (const actfun_tier tier : {ACTFUN_EXACT, ACTFUN_FAST})
        for (const double scale : {1., 0.3}) {
          const Pass run = [=](const Tensor& x, Tensor& y, const Target& target, unsigned threads) {
            actfun_softmax_options options = defaults();
            options.tier = tier, options.scale = scale, options.threads = threads;
            softmax_forward(kind, options, x.array(), 1, y.array(), nullptr, nullptr, target);
          };
          const std::string what =
              std::string(info_of(format).name) + " " + std::to_string(kind) + std::to_string(tier);
          for (const std::vector<std::size_t>& shape : {std::vector<std::size_t>{3, 37, 19}, {2, 5, 33}, {1, 2100, 2}})
            expect_same_everywhere(format, shape, 4, tier == ACTFUN_FAST, run, what);
        }
  // Rows of all sizes side by side.
  for (const actfun_tier tier : {ACTFUN_EXACT, ACTFUN_FAST})
    expect_same_everywhere(
        Format::f32, {2, 60, 21}, 6000, tier == ACTFUN_FAST,
        [=](const Tensor& x, Tensor& y, const Target& target, unsigned) {
          actfun_softmax_options options = defaults();
          options.tier = tier;
          softmax_forward(ACTFUN_SOFTMAX, options, x.array(), 1, y.array(), nullptr, nullptr, target);
        },
        "large logits");
}

class Threads : public testing::Test {
 protected:
  Threads() { detail::worth_a_thread = 0; }
  ~Threads() override { detail::worth_a_thread = usual_; }

 private:
  const double usual_ = detail::worth_a_thread;
};
using SoftmaxThreads = Threads;

TEST_F(SoftmaxThreads, SameBitsOnAnyNumber) {
  for (const Format format : {Format::f32, Format::f64, Format::bf16})
    for (const auto& [shape, axis] : {std::pair<std::vector<std::size_t>, int>{{3, 200000}, 1},
                                      {{200000, 3}, 0},
                                      {{500, 70}, 1},
                                      {{70, 500}, 0},
                                      {{9000, 4}, 1}}) {
      if (format == Format::f64 && shape[0] * shape[1] > 100000) continue;
      Tensor x(format, shape), g(format, shape);
      x.set(normal(x.count(), 3, 5)), g.set(normal(x.count(), 1, 6));
      for (const actfun_tier tier : {ACTFUN_EXACT, ACTFUN_FAST}) {
        std::vector<std::vector<unsigned char>> want;
        for (const unsigned threads : {1u, 2u, 3u, 7u}) {
          actfun_softmax_options options = defaults();
          options.tier = tier, options.threads = threads;
          Tensor y(format, shape), log_y(format, shape), dx(format, shape), log_dx(format, shape);
          std::vector<double> max(x.count() / shape[static_cast<std::size_t>(axis)]), lse(max.size());
          softmax_forward(ACTFUN_SOFTMAX, options, x.array(), axis, y.array(), nullptr, nullptr, current_target());
          softmax_forward(ACTFUN_LOG_SOFTMAX, options, x.array(), axis, log_y.array(), max.data(), lse.data(),
                          current_target());
          softmax_gradient(ACTFUN_SOFTMAX, options, y.array(), g.array(), axis, dx.array(), current_target());
          softmax_gradient(ACTFUN_LOG_SOFTMAX, options, log_y.array(), g.array(), axis, log_dx.array(),
                           current_target());
          std::vector<std::vector<unsigned char>> got = {y.codes(), log_y.codes(), dx.codes(), log_dx.codes()};
          got.emplace_back(reinterpret_cast<const unsigned char*>(lse.data()),
                           reinterpret_cast<const unsigned char*>(lse.data() + lse.size()));
          if (threads == 1) want = got;
          EXPECT_TRUE(got == want) << info_of(format).name << " on " << threads;
        }
      }
    }
}

// --- Special values ---

void expect_row(actfun_softmax_kind kind, const std::vector<double>& x, const std::vector<double>& want,
                const actfun_softmax_options& given = defaults()) {
  for (const Target& target : supported_targets())
    for (const Format format : {Format::f32, Format::f64, Format::f16})
      for (const actfun_tier tier : {ACTFUN_EXACT, ACTFUN_FAST})
        for (const bool across : {false, true}) {
          actfun_softmax_options options = given;
          options.tier = tier;
          // Among 17 rows, the others of ordinary numbers.
          const std::vector<std::size_t> shape =
              across ? std::vector<std::size_t>{x.size(), 17} : std::vector<std::size_t>{17, x.size()};
          Tensor from(format, shape), to(format, shape);
          std::vector<double> numbers = normal(from.count(), 1, 3);
          const auto at = [&](std::size_t j) { return across ? j * 17 + 5 : 5 * x.size() + j; };
          for (std::size_t j = 0; j < x.size(); ++j) numbers[at(j)] = x[j];
          from.set(numbers);
          softmax_forward(kind, options, from.array(), across ? 0 : 1, to.array(), nullptr, nullptr, target);
          const std::vector<double> y = to.numbers();
          const double slack = tier == ACTFUN_FAST && format == Format::f32 ? 0x1p-23 : 0;
          for (std::size_t j = 0; j < x.size(); ++j)
            EXPECT_TRUE(std::isnan(want[j])
                            ? std::isnan(y[at(j)])
                            : std::abs(y[at(j)] - want[j]) <= slack * std::abs(want[j]) || y[at(j)] == want[j])
                << target.name << " " << info_of(format).name << " " << j << ": " << y[at(j)];
          for (std::size_t i = 0; i < y.size(); ++i) {
            bool other = true;
            for (std::size_t j = 0; j < x.size(); ++j) other &= i != at(j);
            EXPECT_TRUE(!other || given.sink || std::isfinite(y[i])) << "of another row";
          }
        }
}

TEST(Softmax, RowsWithInfinitiesAndNaN) {
  const auto softmax_of = [](const std::vector<double>& x, const std::vector<double>& want) {
    expect_row(ACTFUN_SOFTMAX, x, want);
  };
  const auto log_softmax_of = [](const std::vector<double>& x, const std::vector<double>& want) {
    expect_row(ACTFUN_LOG_SOFTMAX, x, want);
  };
  softmax_of({1, kInf, 2}, {0, 1, 0});
  log_softmax_of({1, kInf, 2}, {-kInf, 0, -kInf});
  softmax_of({kInf}, {1});
  softmax_of({5}, {1});
  log_softmax_of({5}, {0});
  softmax_of({kInf, kInf, 0}, {kNaN, kNaN, kNaN});
  log_softmax_of({kInf, kInf, 0}, {kNaN, kNaN, kNaN});
  softmax_of({-kInf, -kInf}, {kNaN, kNaN});
  log_softmax_of({-kInf, -kInf}, {kNaN, kNaN});
  softmax_of({-kInf, 3, -kInf}, {0, 1, 0});
  log_softmax_of({-kInf, 3, -kInf}, {-kInf, 0, -kInf});
  softmax_of({1, kNaN, 2}, {kNaN, kNaN, kNaN});
  softmax_of({kInf, kNaN}, {kNaN, kNaN});
  softmax_of({-kInf, kNaN}, {kNaN, kNaN});
  std::vector<double> long_row(1000, 0.);
  long_row[999] = kNaN;
  softmax_of(long_row, std::vector<double>(1000, kNaN));
  softmax_of({0, 0, 0, 0}, {.25, .25, .25, .25});
}
TEST(Softmax, SafeRowsGiveZerosAndKeepNaN) {
  actfun_softmax_options safe = defaults();
  safe.safe = 1;
  expect_row(ACTFUN_SOFTMAX, {-kInf, -kInf}, {0, 0}, safe);
  expect_row(ACTFUN_LOG_SOFTMAX, {-kInf, -kInf}, {-kInf, -kInf}, safe);
  expect_row(ACTFUN_SOFTMAX, {-kInf, kNaN}, {kNaN, kNaN}, safe);
  expect_row(ACTFUN_SOFTMAX, {kInf, kInf}, {kNaN, kNaN}, safe);
}
TEST(Softmax, EmptyArraysAndEmptyRows) {
  for (const std::vector<std::size_t>& shape : {std::vector<std::size_t>{0}, {3, 0}, {0, 3}, {2, 0, 4}})
    for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) {
      Tensor x(Format::f32, shape), y(Format::f32, shape);
      std::vector<double> max(8, 7), lse(8, 7);
      softmax_forward(ACTFUN_SOFTMAX, defaults(), x.array(), axis, y.array(), nullptr, nullptr, current_target());
      softmax_forward(ACTFUN_SOFTMAX, defaults(), x.array(), axis, nullptr, max.data(), lse.data(), current_target());
      std::size_t count = 1;
      for (std::size_t i = 0; i < shape.size(); ++i)
        if (static_cast<int>(i) != axis) count *= shape[i];
      for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(lse[i], i < count ? -kInf : 7);
    }
}

// --- Options ---

/// All of them at once, against long double.
TEST(Softmax, MasksSinksScaleAndTemperature) {
  const std::size_t batch = 3, queries = 5, keys = 43;
  std::uint32_t seed = 500;
  for (const Format format : {Format::f32, Format::f16, Format::f64})
    for (const actfun_tier tier : {ACTFUN_EXACT, ACTFUN_FAST})
      for (const bool boolean : {false, true})
        for (const actfun_causal causal : {ACTFUN_CAUSAL_NONE, ACTFUN_CAUSAL_TOP_LEFT, ACTFUN_CAUSAL_BOTTOM_RIGHT})
          for (const std::vector<int>& order : {std::vector<int>{0, 1, 2}, {2, 0, 1}})
            for (const double scale : {0.37, -2.}) {
              Tensor x(format, {batch, queries, keys}, order), y(format, {batch, queries, keys}, order);
              x.set(normal(x.count(), 2, ++seed));
              Tensor mask(Format::f32, {1, queries, keys}), sink(Format::bf16, {1, queries});
              std::vector<double> added = normal(mask.count(), 3, ++seed);
              for (std::size_t i = 0; i < added.size(); i += 3) added[i] = -kInf;
              mask.set(added);
              std::vector<std::uint8_t> bytes(mask.count());
              for (std::size_t i = 0; i < bytes.size(); ++i)
                bytes[i] = i % 3 == 0 ? 0 : static_cast<std::uint8_t>(i | 1);
              sink.set(normal(queries, 2, ++seed));
              actfun_array every = *mask.array(), every_sink = *sink.array();
              every.shape[0] = every_sink.shape[0] = batch, every.strides[0] = every_sink.strides[0] = 0;
              if (boolean) every.data = bytes.data();
              actfun_softmax_options options = defaults();
              options.tier = tier, options.scale = scale, options.mask = &every, options.sink = &every_sink;
              options.mask_kind = boolean ? ACTFUN_MASK_BOOLEAN : ACTFUN_MASK_ADDED;
              options.causal = causal, options.causal_offset = causal == ACTFUN_CAUSAL_TOP_LEFT ? 7 : -2;
              softmax_forward(ACTFUN_SOFTMAX, options, x.array(), -1, y.array(), nullptr, nullptr, current_target());
              const std::vector<double> from = x.numbers(), to = y.numbers(), biases = mask.numbers(),
                                        sinks = sink.numbers();
              for (std::size_t row = 0; row < batch * queries; ++row) {
                const std::size_t q = row % queries;
                const auto last =
                    static_cast<std::ptrdiff_t>(q) + options.causal_offset +
                    (causal == ACTFUN_CAUSAL_BOTTOM_RIGHT ? static_cast<std::ptrdiff_t>(keys - queries) : 0);
                std::vector<long double> z;
                for (std::size_t j = 0; j < keys; ++j) {
                  const bool out = biases[q * keys + j] == -kInf ||
                                   (causal != ACTFUN_CAUSAL_NONE && static_cast<std::ptrdiff_t>(j) > last);
                  z.push_back(out ? -kInf
                                  : static_cast<long double>(from[row * keys + j]) * scale +
                                        (boolean ? 0 : biases[q * keys + j]));
                }
                z.push_back(sinks[q]);
                const Reference reference(z);
                for (std::size_t j = 0; j < keys; ++j)
                  EXPECT_LE(ulps(format, to[row * keys + j], reference.softmax(z[j])),
                            tier == ACTFUN_FAST && format == Format::f32 ? 2
                            : format == Format::f64                      ? 0.51
                                                                         : 0.501);
              }
            }
}
TEST(Softmax, WhatIsMaskedIsNotLookedAt) {
  const std::vector<double> x = {1, kNaN, 2, kInf, -kInf, 3};
  Tensor from(Format::f32, {6}), to(Format::f32, {6}), added(Format::f16, {6});
  from.set(x);
  added.set({0, -kInf, 0, -kInf, 0, 0});
  std::uint8_t bytes[] = {1, 0, 1, 0, 1, 1};
  actfun_array boolean = *added.array();
  boolean.data = bytes;
  const std::vector<double> want = forward(Format::f32, ACTFUN_SOFTMAX, {1, -kInf, 2, -kInf, -kInf, 3}, defaults());
  for (const bool is_boolean : {false, true}) {
    actfun_softmax_options options = defaults();
    options.mask = is_boolean ? &boolean : added.array();
    options.mask_kind = is_boolean ? ACTFUN_MASK_BOOLEAN : ACTFUN_MASK_ADDED;
    softmax_forward(ACTFUN_SOFTMAX, options, from.array(), 0, to.array(), nullptr, nullptr, current_target());
    EXPECT_EQ(to.numbers(), want);
  }
}
TEST(Softmax, SinksWithoutLimit) {
  Tensor sink(Format::f32, {17});
  actfun_softmax_options options = defaults();
  options.sink = sink.array();
  sink.set(std::vector<double>(17, kInf));
  expect_row(ACTFUN_SOFTMAX, {1, 2}, {0, 0}, options);
  expect_row(ACTFUN_LOG_SOFTMAX, {1, 2}, {-kInf, -kInf}, options);
  expect_row(ACTFUN_SOFTMAX, {kInf, 2}, {kNaN, kNaN}, options);
  sink.set(std::vector<double>(17, kNaN));
  expect_row(ACTFUN_SOFTMAX, {1, 2}, {kNaN, kNaN}, options);
  sink.set(std::vector<double>(17, -kInf));
  expect_row(ACTFUN_SOFTMAX, {1, 1}, {.5, .5}, options);
  sink.set(std::vector<double>(17, 0.));
  expect_row(ACTFUN_SOFTMAX, {-kInf, -kInf}, {0, 0}, options);
  expect_row(ACTFUN_SOFTMAX, {0, 0, 0}, {.25, .25, .25}, options);
}

// --- Statistics ---

TEST(Softmax, RowsInPieces) {
  const std::size_t n = 1000, pieces = 4, rows_count = 3;
  for (const Format format : {Format::f32, Format::f64}) {
    Tensor x(format, {rows_count, n}), whole(format, {rows_count, n});
    x.set(normal(x.count(), 5, 9));
    std::vector<double> max(rows_count, -kInf), lse(rows_count, -kInf), max_whole(rows_count), lse_whole(rows_count);
    for (const actfun_softmax_kind kind : {ACTFUN_SOFTMAX, ACTFUN_LOG_SOFTMAX}) {
      softmax_forward(kind, defaults(), x.array(), 1, whole.array(), max_whole.data(), lse_whole.data(),
                      current_target());
      const auto piece_of = [&](const Tensor& tensor, std::size_t k) {
        actfun_array piece = *tensor.array();
        piece.shape[1] = n / pieces;
        piece.data = tensor.at(k * (n / pieces));
        return piece;
      };
      std::ranges::fill(max, -kInf), std::ranges::fill(lse, -kInf);
      for (std::size_t k = 0; k < pieces; ++k) {
        std::vector<double> m(rows_count), l(rows_count);
        const actfun_array piece = piece_of(x, k);
        softmax_forward(kind, defaults(), &piece, 1, nullptr, m.data(), l.data(), current_target());
        softmax_merge(rows_count, max.data(), lse.data(), m.data(), l.data(), max.data(), lse.data(), current_target());
      }
      EXPECT_EQ(max, max_whole);
      for (std::size_t i = 0; i < rows_count; ++i) EXPECT_NEAR(lse[i], lse_whole[i], 1e-14 * std::abs(lse_whole[i]));
      Tensor y(format, {rows_count, n});
      for (std::size_t k = 0; k < pieces; ++k) {
        const actfun_array from = piece_of(x, k), to = piece_of(y, k);
        softmax_from_statistics(kind, defaults(), &from, 1, lse.data(), &to, current_target());
      }
      const std::vector<double> got = y.numbers(), want = whole.numbers();
      const double unit = format == Format::f32 ? 0x1p-24 : 0x1p-48;
      for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_NEAR(got[i], want[i], 1.01 * unit * std::abs(want[i]) + 1e-45);
    }
  }
  double max[] = {1, -kInf, kInf, 1}, lse[] = {2, -kInf, kInf, kNaN};
  const double other_max[] = {3, 2, 1, 1}, other_lse[] = {2, 2, 1, 1};
  softmax_merge(4, max, lse, other_max, other_lse, max, lse, current_target());
  EXPECT_EQ(max[0], 3);
  EXPECT_NEAR(lse[0], 2 + std::log(2.), 1e-15);
  EXPECT_EQ(lse[1], 2);
  EXPECT_EQ(lse[2], kInf);
  EXPECT_TRUE(std::isnan(lse[3]));
}

TEST(LogSumExp, AgainstLongDouble) {
  for (const Format format : {Format::f32, Format::f16, Format::bf16})
    for (const std::vector<double>& row : rows()) {
      const std::vector<double> x = rounded(format, row);
      if (std::ranges::any_of(x, [](double v) { return std::isinf(v); })) continue;
      Tensor from(format, {x.size()}), to(format, {}), mean(format, {});
      from.set(x);
      logsumexp(defaults(), false, from.array(), 0, to.array(), current_target());
      logsumexp(defaults(), true, from.array(), 0, mean.array(), current_target());
      const Reference reference({x.begin(), x.end()});
      const long double want = reference.log_sum_exp(), less = std::log(static_cast<long double>(x.size()));
      const long double slack = 0x1p-45L * std::max(std::abs(reference.maximum), std::log1p(reference.rest));
      const auto within = [&](double got, long double right, long double more) {
        const long double unit = right == 0 ? 0 : std::abs(got - right) / ulps(format, got, right);
        return std::abs(got - right) <= 0.501L * (got == right ? 0 : unit) + slack + more;
      };
      EXPECT_TRUE(within(to.numbers()[0], want, 0)) << to.numbers()[0] << " " << static_cast<double>(want);
      EXPECT_TRUE(within(mean.numbers()[0], want - less, 0x1p-50L * less)) << mean.numbers()[0];
    }
}
TEST(LogSumExp, SpecialValues) {
  for (const Format format : {Format::f32, Format::f64})
    for (const auto& [x, want] : {std::pair<std::vector<double>, double>{{1, kInf}, kInf},
                                  {{kInf, kInf}, kInf},
                                  {{-kInf, -kInf}, -kInf},
                                  {{1, kNaN}, kNaN},
                                  {{kInf, kNaN}, kNaN},
                                  {{}, -kInf},
                                  {{3}, 3},
                                  {{-kInf, 2}, 2}}) {
      Tensor from(format, {x.size()}), to(format, {});
      from.set(x);
      logsumexp(defaults(), false, from.array(), 0, to.array(), current_target());
      const double got = to.numbers()[0];
      EXPECT_TRUE(std::isnan(want) ? std::isnan(got) : got == want) << got << " " << want;
    }
}

// --- Gradients ---

TEST(SoftmaxGradient, FollowsFiniteDifferences) {
  const std::size_t n = 9;
  const double h = 1e-5, scale = -0.6;
  const std::vector<double> x = normal(n, 2, 10), g = normal(n, 1, 11);
  Tensor sink(Format::f64, {}), tensor_g(Format::f64, {n}), dx(Format::f64, {n}), dy(Format::f64, {n}),
      to(Format::f64, {n});
  sink.set({0.3});
  tensor_g.set(g);
  actfun_softmax_options options = defaults();
  options.scale = scale, options.sink = sink.array();
  for (const actfun_softmax_kind kind : {ACTFUN_SOFTMAX, ACTFUN_LOG_SOFTMAX}) {
    const auto output = [&](const std::vector<double>& at) { return forward(Format::f64, kind, at, options); };
    to.set(output(x));
    softmax_gradient(kind, options, to.array(), tensor_g.array(), 0, dx.array(), current_target());
    softmax_jvp(kind, options, to.array(), tensor_g.array(), 0, dy.array(), current_target());
    std::vector<double> change(n);
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> up = x, down = x;
      up[i] += h, down[i] -= h;
      const std::vector<double> above = output(up), below = output(down);
      double gradient = 0;
      for (std::size_t j = 0; j < n; ++j) {
        const double slope = (above[j] - below[j]) / (2 * h);
        gradient += g[j] * slope;
        change[j] += slope * g[i];
      }
      EXPECT_NEAR(dx.numbers()[i], gradient, 1e-9);
    }
    for (std::size_t j = 0; j < n; ++j) EXPECT_NEAR(dy.numbers()[j], change[j], 1e-9);
    // Of the sink, as the header states it.
    const std::vector<double> y = to.numbers();
    double seen = 0, weighted = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const double p = kind == ACTFUN_SOFTMAX ? y[j] : std::exp(y[j]);
      seen += p;
      weighted += kind == ACTFUN_SOFTMAX ? g[j] * p : g[j];
    }
    sink.set({0.3 + h});
    const std::vector<double> above = output(x);
    sink.set({0.3 - h});
    const std::vector<double> below = output(x);
    sink.set({0.3});
    double gradient = 0;
    for (std::size_t j = 0; j < n; ++j) gradient += g[j] * (above[j] - below[j]) / (2 * h);
    EXPECT_NEAR(-(1 - seen) * weighted, gradient, 1e-9);
  }
}
TEST(SoftmaxGradient, AsTheOnesOfContiguousArrays) {
  const std::vector<std::size_t> shape = {2, 300, 7};
  for (const Format format : kFormats) {
    Tensor y(format, shape), g(format, shape), dx(format, shape), want(format, shape);
    y.set(normal(y.count(), 0.3, 20)), g.set(normal(y.count(), 1, 21));
    for (const bool log : {false, true}) {
      softmax_gradient(log ? ACTFUN_LOG_SOFTMAX : ACTFUN_SOFTMAX, defaults(), y.array(), g.array(), 1, dx.array(),
                       current_target());
      (log ? log_softmax_backward : softmax_backward)(format, y.at(0), g.at(0), want.at(0), {2, 300, 7},
                                                      current_target(), 1);
      EXPECT_TRUE(dx.codes() == want.codes()) << info_of(format).name << log;
    }
  }
}
TEST(SoftmaxGradient, SameBitsOnEveryTargetInPlaceAndHoweverItLies) {
  for (const Format format : {Format::f32, Format::f64, Format::bf16})
    for (const bool forward_mode : {false, true})
      for (const actfun_softmax_kind kind : {ACTFUN_SOFTMAX, ACTFUN_LOG_SOFTMAX}) {
        Tensor g(format, {3, 37, 19}, {1, 2, 0});
        g.set(normal(g.count(), 1, 30));
        expect_same_everywhere(
            format, {3, 37, 19}, 0.4, false,
            [&](const Tensor& y, Tensor& dx, const Target& target, unsigned threads) {
              actfun_softmax_options options = defaults();
              options.scale = 0.3, options.threads = threads;
              (forward_mode ? softmax_jvp : softmax_gradient)(kind, options, y.array(), g.array(), 1, dx.array(),
                                                              target);
            },
            "gradient");
      }
}
TEST(LogSumExp, GradientIsSoftmaxTimesG) {
  const std::size_t n = 70;
  for (const Format format : {Format::f32, Format::f64, Format::f16}) {
    Tensor x(format, {n, 3}), dx(format, {n, 3}), g(format, {3});
    x.set(normal(x.count(), 2, 40)), g.set({1, -0.5, 3});
    actfun_softmax_options options = defaults();
    options.scale = 0.5;
    logsumexp_gradient(options, x.array(), 0, g.array(), dx.array(), current_target());
    const std::vector<double> from = x.numbers(), to = dx.numbers(), factors = g.numbers();
    for (std::size_t row = 0; row < 3; ++row) {
      std::vector<long double> z;
      for (std::size_t j = 0; j < n; ++j) z.push_back(from[j * 3 + row] * 0.5L);
      const Reference reference(z);
      for (std::size_t j = 0; j < n; ++j)
        EXPECT_LE(ulps(format, to[j * 3 + row], reference.softmax(z[j]) * factors[row] * 0.5L),
                  format == Format::f64 ? 0.51 : 0.501);
    }
  }
}

// --- What is refused ---

void expect_refused(actfun_status status, const std::string& says, const std::function<void()>& call) {
  try {
    call();
    ADD_FAILURE() << "not refused: " << says;
  } catch (const SoftmaxError& error) {
    EXPECT_EQ(error.status, status) << error.what();
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  }
}
TEST(Softmax, RefusesWhatCannotBe) {
  Tensor x(Format::f32, {4, 6}), y(Format::f32, {4, 6}), small(Format::f32, {4, 5}), half(Format::f16, {4, 6}),
      vector(Format::f32, {6});
  const auto refused = [&](actfun_status status, const std::string& says,
                           const std::function<void(actfun_softmax_options&)>& change, int axis = 1,
                           const Tensor* to = nullptr) {
    expect_refused(status, says, [&] {
      actfun_softmax_options options = defaults();
      change(options);
      softmax_forward(ACTFUN_SOFTMAX, options, x.array(), axis, (to ? to : &y)->array(), nullptr, nullptr,
                      current_target());
    });
  };
  const auto nothing = [](actfun_softmax_options&) {};
  refused(ACTFUN_BAD_SHAPE, "axis 2", nothing, 2);
  refused(ACTFUN_BAD_SHAPE, "axis -3", nothing, -3);
  refused(ACTFUN_BAD_SHAPE, "(4, 5)", nothing, 1, &small);
  refused(ACTFUN_BAD_FORMAT, "format", nothing, 1, &half);
  for (const double scale : {0., kInf, kNaN, 1e40})
    refused(ACTFUN_BAD_PARAMETER, "scale", [=](actfun_softmax_options& o) { o.scale = scale; });
  refused(ACTFUN_BAD_TIER, "tier", [](actfun_softmax_options& o) { o.tier = 7; });
  refused(ACTFUN_BAD_SHAPE, "mask has shape (4, 5)", [&](actfun_softmax_options& o) { o.mask = small.array(); });
  refused(ACTFUN_BAD_SHAPE, "sink has shape (6,)", [&](actfun_softmax_options& o) { o.sink = vector.array(); });
  refused(
      ACTFUN_BAD_SHAPE, "causal", [](actfun_softmax_options& o) { o.causal = ACTFUN_CAUSAL_TOP_LEFT; }, 0);
  refused(ACTFUN_OVERLAP, "overlaps the mask", [&](actfun_softmax_options& o) { o.mask = y.array(); });
  actfun_array shifted = *x.array();
  shifted.data = x.at(1);
  expect_refused(ACTFUN_OVERLAP, "overlaps x", [&] {
    softmax_forward(ACTFUN_SOFTMAX, defaults(), x.array(), 1, &shifted, nullptr, nullptr, current_target());
  });
  expect_refused(ACTFUN_NULL_POINTER, "x", [&] {
    softmax_forward(ACTFUN_SOFTMAX, defaults(), nullptr, 1, y.array(), nullptr, nullptr, current_target());
  });
  actfun_array twice = *y.array();
  twice.strides[0] = 0;
  expect_refused(ACTFUN_BAD_SHAPE, "y", [&] {
    softmax_forward(ACTFUN_SOFTMAX, defaults(), x.array(), 1, &twice, nullptr, nullptr, current_target());
  });
}

}  // namespace
}  // namespace actfun::tests
