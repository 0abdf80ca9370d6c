// SPDX-License-Identifier: Apache-2.0
// Chains through the C and C++ interfaces: what they refuse, how they are read and printed, dropout and integers.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

#include "actfun/chain.hpp"

namespace {

using actfun::Array;
using actfun::Chain;

std::vector<float> normal(std::size_t n, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> x(n);
  for (float& v : x) v = distribution(generator);
  return x;
}

TEST(ChainText, IsReadAndPrinted) {
  const struct {
    const char *text, *printed, *formula;
  } kCases[] = {
      {"", "", "x"},
      {" gelu ", "gelu", "gelu(x)"},
      {"bias(B)|gelu|add( R )", "bias(B) | gelu | add(R)", "gelu(x + B) + R"},
      {"bias(B, axis=1) | elu:alpha=0.5", "bias(B, axis=1) | elu:alpha=0.5", "elu:alpha=0.5(x + B)"},
      {"bias(-0.5) | scale(2)", "bias(-0.5) | scale(2)", "2 * (x - 0.5)"},
      {"scale(0.1) | multiply(M)", "scale(0.1) | multiply(M)", "0.1 * x * M"},
      {"add(R) | multiply(M)", "add(R) | multiply(M)", "(x + R) * M"},
      {"clamp(-inf, 6) | dropout(0.1)", "clamp(-inf, 6) | dropout(0.1)", "dropout(clamp(x, -inf, 6), 0.1)"},
      {"relu | quantize(0.5, 3, int8)", "relu | quantize(0.5, 3, int8)", "quantize(relu(x), 0.5, 3, int8)"},
      {"silu | quantize(0.5, 3, uint8)", "silu | quantize(0.5, 3)", "quantize(silu(x), 0.5, 3)"},
  };
  for (const auto& [text, printed, formula] : kCases) {
    const Chain chain(text);
    EXPECT_EQ(chain.text(), printed);
    EXPECT_EQ(chain.formula(), formula);
    EXPECT_EQ(Chain(chain.text()).text(), printed);
  }
}

TEST(ChainText, SaysWhatIsWrongAndWhere) {
  const struct {
    const char *text, *says;
    actfun_status status;
  } kCases[] = {
      {"bias(B) | gelo", "column 11: unknown function 'gelo'; the nearest names are gelu", ACTFUN_BAD_FUNCTION},
      {"gelu || relu", "column 7: there is no stage", ACTFUN_BAD_FUNCTION},
      {"biass(B)", "column 1: 'biass' is no stage with brackets; these are bias, add", ACTFUN_BAD_FUNCTION},
      {"softmax", "column 1: softmax works on rows", ACTFUN_BAD_FUNCTION},
      {"gelu | elu:alpha=inf", "column 8: elu: alpha=inf is outside its domain", ACTFUN_BAD_PARAMETER},
      {"gelu | add", "column 8: add has 0 arguments; it is written add(ARRAY)", ACTFUN_BAD_PARAMETER},
      {"add(A, B)", "column 1: add has 2 arguments", ACTFUN_BAD_PARAMETER},
      {"scale(two)", "column 7: 'two' is not a number", ACTFUN_BAD_PARAMETER},
      {"scale(nan)", "column 1: scale: the factor = nan is not finite", ACTFUN_BAD_PARAMETER},
      {"bias(B, axis=x)", "column 14: 'x' is not a number", ACTFUN_BAD_PARAMETER},
      {"bias(B, 1.5)", "column 9: '1.5' is not an integer", ACTFUN_BAD_PARAMETER},
      {"clamp(2, 1)", "column 1: clamp: 2 is not at most 1", ACTFUN_BAD_PARAMETER},
      {"dropout(1)", "column 1: dropout: a probability of 1 is not in [0, 1)", ACTFUN_BAD_PARAMETER},
      {"gelu | scale(2", "column 8: 'scale(2' lacks its last bracket", ACTFUN_BAD_PARAMETER},
      {"quantize(0, 3)", "column 1: quantize: a scale of 0 is not a positive float", ACTFUN_BAD_FORMAT},
      {"quantize(1, 128, int8)", "a zero point of 128 is not in [-128, 127]", ACTFUN_BAD_FORMAT},
      {"quantize(1, 1, int4)", "column 16: 'int4' is neither int8 nor uint8", ACTFUN_BAD_FORMAT},
      {"quantize(1, 1) | gelu", "column 18: nothing can follow quantize", ACTFUN_NOT_POSSIBLE},
  };
  for (const auto& [text, says, status] : kCases) {
    char message[512];
    actfun_chain* chain = nullptr;
    EXPECT_EQ(actfun_chain_create(text, &chain, message, sizeof message), status) << text;
    EXPECT_NE(std::string(message).find(says), std::string::npos) << text << ": " << message;
    EXPECT_EQ(chain, nullptr);
  }
  Chain chain("gelu");
  EXPECT_THROW(chain.dropout(2), actfun::Error);
  EXPECT_EQ(chain.text(), "gelu") << "a stage that is refused changes nothing";
}

TEST(Chain, IsBuiltFromViewsAndCopied) {
  const std::vector<float> x = normal(12, 1), r = normal(12, 2), b = {1, 2, 3};
  std::vector<float> y(12), want(12);
  const Chain chain = Chain().bias(b).then(actfun::Elu{.alpha = 0.5}).add(r).scale(3);
  EXPECT_EQ(chain.formula(), "3 * (elu:alpha=0.5(x + a) + b)");
  chain.run(Array(x, {4, 3}), y);
  for (std::size_t i = 0; i < 12; ++i) {
    const double t = static_cast<double>(x[i]) + static_cast<double>(b[i % 3]), f = t > 0 ? t : 0.5 * std::expm1(t);
    EXPECT_FLOAT_EQ(y[i], static_cast<float>(3 * (f + static_cast<double>(r[i]))));
  }
  Chain named("bias(B) | elu:alpha=0.5 | add(R) | scale(3)");
  named.bind("R", Array(r, {4, 3})).bind("B", b).run(Array(x, {4, 3}), want);
  EXPECT_EQ(y, want);
  EXPECT_THROW(named.bind("Q", r), actfun::Error);
  named.set(actfun::Tier::fast, 1).run(Array(x, {4, 3}), want);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(y[i], want[i], 1e-5);
}

template <class Call>
void expect_refused(actfun_status status, const std::string& says, const Call& call) {
  try {
    call();
    ADD_FAILURE() << "not refused: " << says;
  } catch (const actfun::Error& error) {
    EXPECT_EQ(error.status(), status) << error.what();
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  }
}

TEST(Chain, RefusesArraysThatDoNotFit) {
  std::vector<float> x = normal(12, 3), y(12), b(3), r(12), longer(14);
  const Chain chain = Chain().bias(b).then(actfun::gelu).add(r);
  expect_refused(ACTFUN_BAD_SHAPE, "a has shape (3,), but axis -1 of x has 12 channels", [&] { chain.run(x, y); });
  expect_refused(ACTFUN_BAD_SHAPE, "y has shape (14,), but x has (4, 3)", [&] { chain.run(Array(x, {4, 3}), longer); });
  expect_refused(ACTFUN_BAD_SHAPE, "y has shape (3, 4), but x has (4, 3)", [&] {
    chain.run(Array(x, {4, 3}), Array(y, {3, 4}));
  });
  expect_refused(ACTFUN_BAD_SHAPE, "x does not lie in C order", [&] { chain.run(Array(x, {4, 3}, {1, 4}), y); });
  expect_refused(ACTFUN_OVERLAP, "y overlaps x", [&] {
    chain.run(Array(std::span(longer).first(12), {4, 3}), Array(std::span(longer).last(12), {4, 3}));
  });
  expect_refused(ACTFUN_BAD_SHAPE, "lies along axis 2, which x of shape (4, 3) lacks", [&] {
    Chain().bias(b, 2).run(Array(x, {4, 3}), y);
  });
  expect_refused(ACTFUN_OVERLAP, "y overlaps a", [&] { Chain().bias(std::span(y).first(3)).run(Array(x, {4, 3}), y); });
  expect_refused(ACTFUN_NULL_POINTER, "B: the data are NULL", [&] { Chain("bias(B)").run(x, y); });
  std::vector<std::uint8_t> codes(12);
  expect_refused(ACTFUN_NOT_POSSIBLE, "quantize",
                 [&] { Chain().quantize<std::uint8_t>({.scale = 1}).backward(x, y, y); });
  expect_refused(ACTFUN_OVERLAP, "dx overlaps the gradient of b", [&] {
    chain.backward(Array(x, {4, 3}), r, y, {b, y});
  });
  expect_refused(ACTFUN_BAD_SHAPE, "the gradient of a has shape (12,)", [&] {
    chain.backward(Array(x, {4, 3}), r, y, {x, {}});
  });
  actfun_chain* made = nullptr;
  EXPECT_EQ(actfun_chain_create(nullptr, &made, nullptr, 0), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_chain_run(nullptr, nullptr, nullptr, nullptr, 0, nullptr, nullptr, 0), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_chain_operand(nullptr, 0), nullptr);
  actfun_chain_destroy(nullptr);
}

TEST(Chain, InPlaceOverXAndOverAnOperand) {
  const std::vector<float> x = normal(5000, 4), r = normal(5000, 5), dy = normal(5000, 6);
  for (const actfun::Tier tier : {actfun::Tier::exact, actfun::Tier::fast}) {
    std::vector<float> want(5000), y = x, z = r, dx(5000), dr(5000);
    Chain().then(actfun::silu).multiply(r).set(tier).run(x, want);
    Chain().then(actfun::silu).multiply(r).set(tier).run(y, y);
    Chain().then(actfun::silu).multiply(z).set(tier).run(x, z);
    EXPECT_EQ(y, want);
    EXPECT_EQ(z, want);
    const Chain chain = Chain().then(actfun::silu).multiply(r).set(tier);
    chain.backward(x, dy, dx, {dr});
    std::vector<float> at_x = x, at_dy = dy;
    chain.backward(at_x, at_dy, at_x, {at_dy});
    EXPECT_EQ(at_x, dx);
    EXPECT_EQ(at_dy, dr);
  }
}

TEST(Chain, EmptyArraysAndOneElement) {
  std::vector<float> none, one = {2};
  const std::vector<float> b = {1, 2, 3};
  Chain().bias(b).then(actfun::gelu).run(Array(none, {0, 3}), none);
  std::vector<double> db(3, 7);
  Chain().bias(b).then(actfun::gelu).backward(Array(none, {0, 3}), none, none, {db});
  EXPECT_EQ(db, std::vector<double>(3, 0)) << "a sum of nothing";
  Chain().scale(3).run(Array(one, {}), one);
  EXPECT_EQ(one[0], 6);
}

TEST(Dropout, KeepsAsManyAsItShould) {
  const std::size_t n = 1 << 20;
  const std::vector<float> ones(n, 1);
  for (const double p : {0.0, 0.1, 0.5, 0.9}) {
    std::vector<float> y(n);
    std::vector<std::uint8_t> kept(n / 8);
    const Chain chain = Chain().dropout(p);
    chain.run(ones, y, {.seed = 11, .kept = kept.data()});
    std::size_t count = 0, pairs = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const bool is = kept[i / 8] >> i % 8 & 1;
      ASSERT_EQ(y[i], is ? static_cast<float>(1 / (1 - p)) : 0);
      count += is;
      pairs += i > 0 && is && y[i - 1] != 0;
    }
    const double q = 1 - p, sigma = std::sqrt(static_cast<double>(n) * p * q);
    EXPECT_NEAR(static_cast<double>(count), static_cast<double>(n) * q, 5 * sigma);
    EXPECT_NEAR(static_cast<double>(pairs), static_cast<double>(n - 1) * q * q, 10 * sigma) << "neighbours go together";
  }
}

TEST(Dropout, FollowsFromTheSeedAlone) {
  const std::vector<float> ones(1000, 1);
  const auto run = [&](std::uint64_t seed, std::size_t first, std::size_t n) {
    std::vector<float> y(n);
    std::vector<std::uint8_t> kept((n + 7) / 8, 0xcc);
    Chain().dropout(0.5).dropout(0.5).run(std::span(ones).subspan(first, n), y, {.seed = seed, .kept = kept.data()});
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(kept[i / 8] >> i % 8 & 1, y[i] != 0);
    if (n % 8) {
      EXPECT_EQ(kept.back() >> n % 8, 0) << "bits that stand for nothing are 0";
    }
    return y;
  };
  EXPECT_EQ(run(3, 0, 1000), run(3, 0, 1000));
  EXPECT_NE(run(3, 0, 1000), run(4, 0, 1000));
  std::vector<float> part = run(3, 0, 1000);
  part.resize(501);
  EXPECT_EQ(run(3, 0, 501), part);
  const auto kept = std::count_if(part.begin(), part.end(), [](float y) { return y != 0; });
  EXPECT_NEAR(static_cast<double>(kept), 501 * 0.25, 5 * std::sqrt(501 * 0.25 * 0.75)) << "two draw from one stream";
  // What is dropped has no gradient, what is kept the scale.
  std::vector<float> y(1000), dx(1000);
  const Chain chain = Chain().dropout(0.25);
  chain.run(ones, y, {.seed = 5});
  chain.backward(ones, ones, dx, {}, {.seed = 5});
  EXPECT_EQ(dx, y);
}

TEST(Quantize, IsTheNearestIntegerCutToTheRange) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {0, 0.25f, 0.75f, -0.25f, 1.2f, 1000, -1000, inf, -inf, nan};
  for (const actfun::Tier tier : {actfun::Tier::exact, actfun::Tier::fast}) {
    std::vector<std::uint8_t> codes(x.size());
    Chain().quantize<std::uint8_t>({.scale = 0.5f, .zero_point = 3}).set(tier).run(x, codes);
    EXPECT_EQ(codes, (std::vector<std::uint8_t>{3, 3, 5, 3, 5, 255, 0, 255, 0, 3}));
    std::vector<std::int8_t> integers(x.size());
    Chain().scale(-1).quantize<std::int8_t>({.scale = 0.5f, .zero_point = -3}).set(tier).run(x, integers);
    EXPECT_EQ(integers, (std::vector<std::int8_t>{-3, -3, -5, -3, -5, -128, 127, -128, 127, -3}));
  }
}

TEST(Quantize, IsWhatTheFunctionComesToInDouble) {
  const std::vector<float> x = normal(4000, 7);
  std::vector<double> wide(x.begin(), x.end()), f(x.size());
  actfun::gelu(wide, f);
  std::vector<std::int8_t> codes(x.size());
  Chain().then(actfun::gelu).quantize<std::int8_t>({.scale = 0.013f, .zero_point = -5}).run(x, codes);
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_EQ(codes[i], std::clamp(std::nearbyint(f[i] / static_cast<double>(0.013f)) - 5, -128.0, 127.0));
}

}  // namespace
