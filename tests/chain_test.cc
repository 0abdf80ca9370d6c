// SPDX-License-Identifier: Apache-2.0
// Chains against MPFR and long double, stage by stage; against plain calls; and one run against another: instruction
// sets, threads, places.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "api/chain.h"
#include "api/parts.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"
#include "core/exact/pointwise.h"
#include "core/philox.h"
#include "tests/inputs.h"

namespace actfun::tests {
namespace {

using exact::Pointwise;

constexpr Format kFormats[] = {Format::f32, Format::f64, Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2};
constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

/// Numbers of a format, in C order.
struct Tensor {
  Format format = Format::f32;
  std::vector<std::size_t> shape;
  std::vector<unsigned char> bytes;

  Tensor(Format f, std::vector<std::size_t> axes) : format(f), shape(std::move(axes)) {
    bytes.resize(size() * info_of(format).bytes);
  }
  Tensor(Format f, std::vector<std::size_t> axes, const std::vector<double>& values) : Tensor(f, std::move(axes)) {
    for (std::size_t i = 0; i < size(); ++i) set(i, values[i]);
  }
  std::size_t size() const {
    std::size_t n = 1;
    for (const std::size_t axis : shape) n *= axis;
    return n;
  }
  double operator[](std::size_t i) const {
    std::uint64_t code = 0;
    std::memcpy(&code, &bytes[i * info_of(format).bytes], info_of(format).bytes);
    return decode(format, code);
  }
  void set(std::size_t i, double value) {
    const std::uint64_t code = encode(format, round_to(format, value), Overflow::saturate);
    std::memcpy(&bytes[i * info_of(format).bytes], &code, info_of(format).bytes);
  }
  actfun_array array() const {
    actfun_array a{const_cast<unsigned char*>(bytes.data()),
                   static_cast<actfun_format>(format),
                   static_cast<std::int32_t>(shape.size()),
                   {},
                   {}};
    std::ptrdiff_t stride = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      a.shape[i] = shape[i], a.strides[i] = stride;
      stride *= static_cast<std::ptrdiff_t>(shape[i]);
    }
    return a;
  }
};

std::vector<double> normal(std::size_t n, double spread, std::uint32_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> distribution(0, spread);
  std::vector<double> x(n);
  for (double& v : x) v = distribution(generator);
  return x;
}

Tensor run(const Chain& chain, const Tensor& x, const std::vector<Tensor>& operands, Format to,
           const Target& target = current_target(), std::uint64_t seed = 0) {
  Tensor y(to, x.shape);
  std::vector<actfun_array> arrays;
  for (const Tensor& operand : operands) arrays.push_back(operand.array());
  chain.run(x.array(), arrays, y.array(), {.seed = seed}, target);
  return y;
}

/// dx, and the gradients of the operands: of their formats and shapes, but sums of a bias as doubles.
std::vector<Tensor> backward(const Chain& chain, const Tensor& x, const std::vector<Tensor>& operands, const Tensor& dy,
                             Format to, const Target& target = current_target(), std::uint64_t seed = 0) {
  std::vector<Tensor> all = {Tensor(to, x.shape)};
  std::vector<actfun_array> arrays, gradients;
  for (const Stage& stage : chain.stages())
    if (stage.has_operand())
      all.emplace_back(stage.kind == Stage::Kind::bias ? Format::f64 : to, operands[stage.operand].shape);
  for (const Tensor& operand : operands) arrays.push_back(operand.array());
  for (std::size_t i = 1; i < all.size(); ++i) gradients.push_back(all[i].array());
  chain.backward(x.array(), arrays, dy.array(), all[0].array(), gradients, {.seed = seed}, target);
  return all;
}

std::vector<const Entry*> elementwise() {
  std::vector<const Entry*> entries;
  for (const Entry& entry : functions())
    if (entry.elementwise()) entries.push_back(&entry);
  return entries;
}

/// Half a unit in the last place of a format at `want`.
long double half_unit(Format format, long double want) {
  const FormatInfo& info = info_of(format);
  int exponent = 0;
  std::frexp(std::abs(want), &exponent);
  return std::ldexp(0.5L, std::max(exponent - info.precision, info.least_exponent + 1 - info.precision));
}

class EachFunction : public testing::TestWithParam<const Entry*> {};
INSTANTIATE_TEST_SUITE_P(All, EachFunction, testing::ValuesIn(elementwise()),
                         [](const auto& tested) { return std::string(tested.param->info->name); });

TEST_P(EachFunction, AloneIsThePlainCall) {
  std::vector<float> floats = special_inputs();
  const std::vector<float> random = random_inputs(1000, 1);
  floats.insert(floats.end(), random.begin(), random.end());
  for (const Call& call : calls_of(*GetParam())) {
    Chain chain;
    chain.then(call);
    for (const Format format : kFormats) {
      const std::size_t n = format == Format::f64 ? 60 : floats.size();
      Tensor x(format, {n}), want = x;
      for (std::size_t i = 0; i < n; ++i)
        x.set(i, format == Format::f64 ? std::fmod(static_cast<double>(floats[floats.size() - 1 - i]), 0x1p100)
                                       : static_cast<double>(floats[i]));
      call.apply(Order::value, format, x.bytes.data(), want.bytes.data(), n, current_target());
      for (const Target& target : supported_targets()) {
        const Tensor got = run(chain, x, {}, format, target);
        for (std::size_t i = 0; i < n; ++i)
          ASSERT_TRUE((std::isnan(got[i]) && std::isnan(want[i])) ||
                      (got[i] == want[i] && std::signbit(got[i]) == std::signbit(want[i])))
              << call.text() << " " << info_of(format).name << " " << target.name << std::hexfloat << " of " << x[i]
              << ": " << got[i] << ", not " << want[i];
      }
    }
  }
}

TEST_P(EachFunction, AloneHasThePlainGradient) {
  std::vector<float> floats = special_inputs();
  const std::size_t n = floats.size();
  const std::vector<double> factors = normal(n, 1, 2);
  for (const Call& call : calls_of(*GetParam())) {
    Chain chain;
    chain.then(call);
    for (const Format format : {Format::f32, Format::bf16, Format::f8e4m3fn}) {
      Tensor x(format, {n}), want = x;
      for (std::size_t i = 0; i < n; ++i) x.set(i, static_cast<double>(floats[i]));
      const Tensor g(format, {n}, factors);
      call.multiply(Part::slope, format, x.bytes.data(), g.bytes.data(), want.bytes.data(), n, current_target());
      for (const Target& target : supported_targets()) {
        const Tensor got = backward(chain, x, {}, g, format, target)[0];
        for (std::size_t i = 0; i < n; ++i)
          ASSERT_TRUE((std::isnan(got[i]) && std::isnan(want[i])) ||
                      (got[i] == want[i] && std::signbit(got[i]) == std::signbit(want[i])))
              << call.text() << " " << info_of(format).name << " " << target.name << std::hexfloat << " at " << x[i]
              << ", g = " << g[i] << ": " << got[i] << ", not " << want[i];
      }
    }
  }
}

/// Doubles that are no floats: what a bias leaves, also where the function bends.
std::vector<double> doubles_for(const Info& info, std::size_t n) {
  std::mt19937_64 generator(7);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(-110, 110);
  std::vector<double> centres = {0, 0};
  const auto add = [&](std::string_view text) {
    if (double at = 0; parse_number(text, at)) centres.push_back(at);
  };
  for (const Kink& kink : info.kinks) add(kink.x);
  for (const Extremum& extremum : info.extrema) add(extremum.x);
  for (const std::string_view root : info.roots) add(root);
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = i % 4 == 0 ? uniform(generator)
                      : centres[i % centres.size()] +
                            normal(generator) * std::ldexp(3.0, -static_cast<int>(i % 2 * generator() % 60));
  return x;
}

TEST_P(EachFunction, RawKernelsHoldTheirBoundOnAnyDouble) {
  const DefaultFloatEnvironment environment;
  const std::vector<double> x = doubles_for(*GetParam()->info, 400);
  std::vector<double> y(x.size()), error(x.size());
  for (const Call& call : {calls_of(*GetParam()).front(), calls_of(*GetParam()).back()}) {
    const Pointwise oracle(call);
    const Constants parameters = constants(call);
    for (const Order order : {Order::value, Order::slope}) {
      std::vector<long double> want;
      for (const double t : x) {
        const exact::Rounded r = oracle.round(t, order, {.format = Format::f64});
        want.push_back(static_cast<long double>(r.value) + static_cast<long double>(r.rest));
      }
      for (const Target& target : supported_targets()) {
        kernels(call, target)
            .raw[static_cast<int>(order)](x.data(), y.data(), error.data(), x.size(), parameters.data());
        for (std::size_t i = 0; i < x.size(); ++i)
          EXPECT_LE(std::abs(static_cast<long double>(y[i]) - want[i]), static_cast<long double>(error[i]))
              << call.text() << " " << name(order) << " " << target.name << std::hexfloat << " at " << x[i];
      }
    }
  }
}

TEST(Functions, HandOnPositiveNumbersIfTheirFormulaSaysSo) {
  std::size_t found = 0;
  for (const Entry& entry : functions()) {
    if (!entry.elementwise() || !hands_on_positive_numbers(*entry.info)) continue;
    ++found;
    std::vector<double> x = doubles_for(*entry.info, 400), y(x.size());
    for (double& t : x) t = std::abs(t);
    for (const Call& call : calls_of(entry)) {
      call.apply(Order::value, Format::f64, x.data(), y.data(), x.size(), current_target());
      EXPECT_EQ(x, y) << call.text();
    }
  }
  EXPECT_GE(found, 6U);  // elu, celu, isrlu, leaky_relu, prelu, rrelu
}

/// The functions that the stages use, by MPFR.
class Oracles {
 public:
  long double operator()(const Call& call, Order order, double t) {
    const std::string key = call.text();
    for (auto& [text, oracle] : all_)
      if (text == key) return of(*oracle, order, t);
    all_.emplace_back(key, std::make_unique<Pointwise>(call));
    return of(*all_.back().second, order, t);
  }

 private:
  static long double of(const Pointwise& oracle, Order order, double t) {
    const exact::Rounded r = oracle.round(t, order, {.format = Format::f64});
    return static_cast<long double>(r.value) + static_cast<long double>(r.rest);
  }
  std::vector<std::pair<std::string, std::unique_ptr<Pointwise>>> all_;
};

struct Case {
  const char* text;
  std::vector<Tensor> operands;
};

constexpr std::size_t kRows = 6, kChannels = 10, kInner = 5, kSize = kRows * kChannels * kInner;
const std::vector<std::size_t> kShape = {kRows, kChannels, kInner};

std::vector<Case> cases(Format format) {
  const Tensor last(format, {kInner}, normal(kInner, 1, 11)), middle(format, {kChannels}, normal(kChannels, 1, 12)),
      one(format, {1}, {0.3}), full(format, kShape, normal(kSize, 1, 13)), other(format, kShape, normal(kSize, 2, 14));
  return {{"", {}},
          {"bias(B)", {last}},
          {"bias(B) | relu", {last}},
          {"bias(B) | elu", {last}},
          {"bias(B, axis=1) | gelu | add(R)", {middle, full}},
          {"bias(B, axis=-2) | silu | multiply(M) | add(R) | scale(1.7)", {middle, other, full}},
          {"bias(B) | leaky_relu | clamp(-0.1, 1.5)", {one}},
          {"scale(0.3) | tanh | bias(0.25) | multiply(M)", {full}},
          {"gelu | bias(B) | sigmoid", {last}},
          {"add(R) | mish | softplus:beta=2 | hardtanh | scale(3)", {full}},
          {"multiply(M) | hard_swish | clamp(-inf, 2)", {other}},
          {"dropout(0.4) | gelu | dropout(0.2) | add(R)", {full}}};
}

/// A chain's value in long double, where arguments of functions are doubles, as docs/chain.md states; and the sum of
/// the magnitudes of the terms that it is made of.
struct Reference {
  long double value, terms;
};
Reference reference(std::span<const Stage> stages, const Tensor& x, const std::vector<Tensor>& operands, std::size_t i,
                    std::uint64_t seed, Oracles& oracles) {
  long double v = static_cast<long double>(x[i]), terms = std::abs(v);
  std::uint64_t stream = 0;
  for (const Stage& stage : stages) {
    const auto a = static_cast<long double>(stage.a), b = static_cast<long double>(stage.b);
    const auto operand = [&] {
      const Tensor& all = operands[stage.operand];
      const std::size_t axis = static_cast<std::size_t>(stage.axis < 0 ? stage.axis + 3 : stage.axis);
      if (stage.kind != Stage::Kind::bias) return static_cast<long double>(all[i]);
      return static_cast<long double>(all[all.size() == 1 ? 0 : axis == 2 ? i % kInner : i / kInner % kChannels]);
    };
    switch (stage.kind) {
      case Stage::Kind::function:
        v = oracles(stage.call, Order::value, static_cast<double>(v)), terms = std::abs(v);
        break;
      case Stage::Kind::bias:
      case Stage::Kind::add:
        terms += std::abs(operand()), v += operand();
        break;
      case Stage::Kind::shift:
        terms += std::abs(a), v += a;
        break;
      case Stage::Kind::multiply:
        terms *= std::abs(operand()), v *= operand();
        break;
      case Stage::Kind::scale:
        terms *= std::abs(a), v *= a;
        break;
      case Stage::Kind::clamp:
        v = std::min(std::max(v, a), b);
        break;
      case Stage::Kind::dropout: {
        const bool kept = philox(seed, i / 4, stream++)[i % 4] >= std::nearbyint(stage.a * 0x1p32);
        v = kept ? v / (1 - a) : 0, terms = kept ? terms / (1 - a) : 0;
        break;
      }
      case Stage::Kind::quantize:
        break;
    }
  }
  return {v, terms};
}

TEST(Chain, WithinHalfAUnitAndAThousandth) {
  Oracles oracles;
  long double worst = 0;
  for (const Format from : {Format::f32, Format::bf16})
    for (const Format to : {Format::f32, Format::f16, Format::bf16, Format::f8e5m2})
      for (const Case& each : cases(from)) {
        const Chain chain = Chain::parse(each.text);
        const Tensor x(from, kShape, normal(kSize, 2, 15)), y = run(chain, x, each.operands, to, current_target(), 42);
        for (std::size_t i = 0; i < kSize; ++i) {
          const auto [want, terms] = reference(chain.stages(), x, each.operands, i, 42, oracles);
          const long double half = half_unit(to, want), error = std::abs(static_cast<long double>(y[i]) - want);
          worst = std::max(worst, (error - terms * 0x1p-38L) / half);
          EXPECT_LE(error, 1.002L * half + terms * 0x1p-38L)
              << each.text << " " << info_of(from).name << " to " << info_of(to).name << " " << i;
        }
      }
  RecordProperty("worst_ulp", std::to_string(static_cast<double>(worst / 2)));
  EXPECT_GT(worst, 0.9L) << "a reference that agrees too well is no reference";
}

/// The gradients of one element, by the chain rule in long double, in the order of the stages that have operands; then
/// that by x. `terms` are the magnitudes of what they are made of.
std::vector<Reference> gradients(const Chain& chain, const Tensor& x, const std::vector<Tensor>& operands,
                                 const Tensor& dy, std::size_t i, std::uint64_t seed, Oracles& oracles) {
  std::vector<long double> taken;
  for (std::size_t k = 0; k < chain.stages().size(); ++k)
    taken.push_back(reference(chain.stages().first(k), x, operands, i, seed, oracles).value);
  std::vector<Reference> all;
  auto g = static_cast<long double>(dy[i]);
  std::uint64_t stream = 0;
  for (const Stage& stage : chain.stages()) stream += stage.kind == Stage::Kind::dropout;
  for (std::size_t k = chain.stages().size(); k-- > 0;) {
    const Stage& stage = chain.stages()[k];
    switch (stage.kind) {
      case Stage::Kind::function:
        g *= oracles(stage.call, Order::slope, static_cast<double>(taken[k]));
        break;
      case Stage::Kind::bias:
      case Stage::Kind::add:
        all.push_back({g, std::abs(g)});
        break;
      case Stage::Kind::multiply:
        all.push_back({g * taken[k], std::abs(g * taken[k])});
        g *= static_cast<long double>(operands[stage.operand][i]);
        break;
      case Stage::Kind::scale:
        g *= static_cast<long double>(stage.a);
        break;
      case Stage::Kind::clamp:
        if (!(taken[k] >= stage.a && taken[k] <= stage.b)) g = 0;
        break;
      case Stage::Kind::dropout: {
        const bool kept = philox(seed, i / 4, --stream)[i % 4] >= std::nearbyint(stage.a * 0x1p32);
        g = kept ? g / (1 - static_cast<long double>(stage.a)) : 0;
        break;
      }
      case Stage::Kind::shift:
      case Stage::Kind::quantize:
        break;
    }
  }
  std::reverse(all.begin(), all.end());
  all.push_back({g, std::abs(g)});
  return all;
}

TEST(ChainBackward, WithinHalfAUnitAndAThousandth) {
  Oracles oracles;
  long double worst = 0;
  for (const Format format : {Format::f32, Format::bf16})
    for (const Case& each : cases(format)) {
      const Chain chain = Chain::parse(each.text);
      const Tensor x(format, kShape, normal(kSize, 2, 30)), dy(format, kShape, normal(kSize, 1, 31));
      const std::vector<Tensor> got = backward(chain, x, each.operands, dy, format, current_target(), 42);
      std::vector<std::vector<long double>> sums(got.size());
      for (std::size_t k = 1; k < got.size(); ++k) sums[k].resize(2 * got[k].size());
      for (std::size_t i = 0; i < kSize; ++i) {
        const std::vector<Reference> want = gradients(chain, x, each.operands, dy, i, 42, oracles);
        const auto expect = [&](const Tensor& tensor, const Reference& right) {
          const long double half = half_unit(format, right.value), error = std::abs(tensor[i] - right.value);
          worst = std::max(worst, error / half);
          EXPECT_LE(error, 1.002L * half + right.terms * 0x1p-38L) << each.text << " " << i;
        };
        expect(got[0], want.back());
        std::size_t k = 1;
        for (const Stage& stage : chain.stages()) {
          if (!stage.has_operand()) continue;
          if (stage.kind == Stage::Kind::bias) {
            const std::size_t c = got[k].size() == 1 ? 0 : stage.axis == -1 ? i % kInner : i / kInner % kChannels;
            sums[k][c] += want[k - 1].value;
            sums[k][got[k].size() + c] += half_unit(Format::f32, want[k - 1].value) * 1.002L;
          } else {
            expect(got[k], want[k - 1]);
          }
          ++k;
        }
      }
      for (std::size_t k = 1; k < got.size(); ++k)
        for (std::size_t c = 0; got[k].format == Format::f64 && c < got[k].size(); ++c)
          EXPECT_LE(std::abs(got[k][c] - sums[k][c]), sums[k][got[k].size() + c]) << each.text << " channel " << c;
    }
  RecordProperty("worst_ulp", std::to_string(static_cast<double>(worst / 2)));
  EXPECT_GT(worst, 0.9L) << "a reference that agrees too well is no reference";
}

// Terms are floats; their sum is that of long double, whose 11 bits more do for so many.
TEST(ChainBackward, BiasesHaveTheSumsOfTheirTerms) {
  for (const auto& [shape, axis] : std::vector<std::pair<std::vector<std::size_t>, int>>{
           {{40000, 3}, 1}, {{300, 400}, 1}, {{3, 17, 2000}, 1}, {{200, 30, 5}, 1}, {{70000}, 0}, {{5, 3000, 1}, 1}})
    for (const bool scalar : {false, true})
      for (const Tier tier : {Tier::exact, Tier::fast}) {
        Chain chain;
        chain.bias("B", axis);
        chain.then(parse_function("silu"));
        chain.tier = tier;
        std::size_t n = 1;
        for (const std::size_t length : shape) n *= length;
        const std::size_t channels = scalar ? 1 : shape[static_cast<std::size_t>(axis)],
                          inner = axis + 1u < shape.size() ? shape.back() : 1;
        const Tensor x(Format::f32, shape, normal(n, 2, 32)), dy(Format::f32, shape, normal(n, 1, 33)),
            b(Format::f32, {channels}, normal(channels, 1, 34));
        const std::vector<Tensor> got = backward(chain, x, {b}, dy, Format::f32);
        std::vector<long double> want(channels);
        for (std::size_t i = 0; i < n; ++i) want[i / (scalar ? 1 : inner) % channels] += got[0][i];
        for (std::size_t c = 0; c < channels; ++c)
          ASSERT_NEAR(got[1][c], static_cast<double>(want[c]), std::abs(static_cast<double>(want[c])) * 0x1p-50 + 1e-15)
              << n << " " << c;
      }
}

std::vector<double> special(std::size_t n, std::uint32_t seed) {
  std::vector<double> x = normal(n, 3, seed);
  const double hard[] = {0.0, -0.0, kInfinity, -kInfinity, kNan, 1e-42, -3e38, 0.5, -1, 88};
  for (std::size_t i = 0; i < n; i += 7) x[i] = hard[i / 7 % std::size(hard)];
  return x;
}

void expect_same_bits(const Tensor& got, const Tensor& want, const std::string& what) {
  ASSERT_EQ(got.bytes.size(), want.bytes.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(std::memcmp(&got.bytes[i * info_of(got.format).bytes], &want.bytes[i * info_of(got.format).bytes],
                          info_of(got.format).bytes),
              0)
        << what << ", element " << i << ": " << got[i] << ", not " << want[i];
}

TEST(Chain, SameBitsOnEveryInstructionSet) {
  for (const Format from : {Format::f32, Format::f16, Format::f8e4m3fn, Format::f64})
    for (const Format to : kFormats)
      for (const Case& each : cases(from)) {
        const Chain chain = Chain::parse(each.text);
        const Tensor x(from, kShape, special(kSize, 16));
        const Tensor want = run(chain, x, each.operands, to, supported_targets().front());
        for (const Target& target : supported_targets())
          expect_same_bits(run(chain, x, each.operands, to, target), want,
                           std::string(each.text) + " " + std::string(target.name) + " " +
                               std::string(info_of(from).name) + " to " + std::string(info_of(to).name));
      }
}

// Elements that the estimates leave open are computed again: often enough that a wrong estimate of the error would
// show.
TEST(Chain, SameBitsOnEveryInstructionSetOnManyElements) {
  const std::size_t n = 200000;
  const Tensor x(Format::f32, {n}, normal(n, 2, 17)), r(Format::f32, {n}, normal(n, 2, 18)), b(Format::f32, {1}, {0.7});
  for (const char* text : {"bias(B) | gelu | add(R)", "bias(B) | silu | multiply(R)", "bias(B) | tanh | elu | add(R)"})
    for (const Format to : {Format::f32, Format::bf16}) {
      const Chain chain = Chain::parse(text);
      const Tensor want = run(chain, x, {b, r}, to, supported_targets().front());
      for (const Target& target : supported_targets())
        expect_same_bits(run(chain, x, {b, r}, to, target), want, text + std::string(target.name));
    }
}

TEST(Chain, SameBitsOnAnyNumberOfThreads) {
  const std::size_t n = 70000;
  const double usual = detail::worth_a_thread;
  detail::worth_a_thread = 0;
  const Tensor x(Format::f32, {n / 7, 7}, normal(n, 2, 19)), b(Format::f32, {7}, normal(7, 1, 20)),
      r(Format::f32, {n / 7, 7}, normal(n, 1, 21));
  for (const Tier tier : {Tier::exact, Tier::fast}) {
    Chain chain = Chain::parse("bias(B) | gelu | dropout(0.3) | add(R)");
    chain.tier = tier;
    chain.threads = 1;
    const Tensor want = run(chain, x, {b, r}, Format::f32, current_target(), 5);
    for (const unsigned threads : {2u, 3u}) {
      chain.threads = threads;
      expect_same_bits(run(chain, x, {b, r}, Format::f32, current_target(), 5), want, std::to_string(threads));
    }
  }
  detail::worth_a_thread = usual;
}

TEST(ChainBackward, SameBitsOnEveryInstructionSet) {
  for (const Format format : {Format::f32, Format::bf16, Format::f8e5m2, Format::f64})
    for (const Case& each : cases(format)) {
      const Chain chain = Chain::parse(each.text);
      const Tensor x(format, kShape, special(kSize, 35)), dy(format, kShape, special(kSize + 3, 36));
      const std::vector<Tensor> want = backward(chain, x, each.operands, dy, format, supported_targets().front());
      for (const Target& target : supported_targets()) {
        const std::vector<Tensor> got = backward(chain, x, each.operands, dy, format, target);
        for (std::size_t k = 0; k < got.size(); ++k)
          expect_same_bits(got[k], want[k],
                           std::string(each.text) + " " + std::string(target.name) + " " +
                               std::string(info_of(format).name) + " " + std::to_string(k));
      }
    }
}

TEST(ChainBackward, SameBitsOnEveryInstructionSetAndAnyNumberOfThreadsOnManyElements) {
  const std::size_t n = 100000;
  const double usual = detail::worth_a_thread;
  detail::worth_a_thread = 0;
  const Tensor x(Format::f32, {n / 8, 8}, normal(n, 2, 37)), r(Format::f32, {n / 8, 8}, normal(n, 2, 38)),
      b(Format::f32, {8}, normal(8, 1, 39)), dy(Format::f32, {n / 8, 8}, normal(n, 1, 40));
  for (const Tier tier : {Tier::exact, Tier::fast})
    for (const char* text : {"bias(B) | gelu | add(R)", "bias(B) | tanh | elu | multiply(R) | dropout(0.1)"}) {
      Chain chain = Chain::parse(text);
      chain.tier = tier;
      chain.threads = 1;
      const std::vector<Tensor> want = backward(chain, x, {b, r}, dy, Format::f32, current_target(), 9);
      for (const unsigned threads : {1u, 2u, 3u})
        for (const Target& target : supported_targets()) {
          if (tier == Tier::fast && target.bit != current_target().bit) continue;
          chain.threads = threads;
          const std::vector<Tensor> got = backward(chain, x, {b, r}, dy, Format::f32, target, 9);
          for (std::size_t k = 0; k < got.size(); ++k)
            expect_same_bits(got[k], want[k], text + std::string(target.name) + std::to_string(threads));
        }
    }
  detail::worth_a_thread = usual;
}

TEST(Chain, FastTierIsItsStagesOneAfterAnother) {
  const std::size_t n = 3000;
  const Tensor x(Format::f32, {n / 3, 3}, special(n, 22)), b(Format::f32, {3}, normal(3, 1, 23)),
      r(Format::f32, {n / 3, 3}, normal(n, 1, 24)), m(Format::f32, {n / 3, 3}, normal(n, 1, 25));
  Chain chain = Chain::parse("bias(B) | gelu | multiply(M) | scale(0.3) | clamp(-1, 2) | elu:alpha=0.5 | add(R)");
  chain.tier = Tier::fast;
  for (const Target& target : supported_targets()) {
    std::vector<float> want(n);
    const auto apply = [&](const char* text) {
      Call call = parse_function(text);
      call.tier = Tier::fast;
      call.evaluate(Order::value, want.data(), want.data(), n, target);
    };
    for (std::size_t i = 0; i < n; ++i) want[i] = static_cast<float>(x[i]) + static_cast<float>(b[i % 3]);
    apply("gelu");
    for (std::size_t i = 0; i < n; ++i) {
      const float v = want[i] * static_cast<float>(m[i]) * 0.3f;
      want[i] = v < -1 ? -1 : v > 2 ? 2 : v;
    }
    apply("elu:alpha=0.5");
    for (std::size_t i = 0; i < n; ++i) want[i] += static_cast<float>(r[i]);
    const Tensor y = run(chain, x, {b, m, r}, Format::f32, target);
    for (std::size_t i = 0; i < n; ++i) ASSERT_TRUE(same(static_cast<float>(y[i]), want[i])) << target.name << i;
  }
}

}  // namespace
}  // namespace actfun::tests
