// SPDX-License-Identifier: Apache-2.0
// The C and the C++ interface: what they compute, and what they refuse.
#include <gtest/gtest.h>

#include <actfun/actfun.hpp>
#include <array>
#include <thread>
#include <vector>

namespace {

actfun_function found(const char* text) {
  actfun_function f{};
  EXPECT_EQ(actfun_find(text, &f, nullptr, 0), ACTFUN_OK) << text;
  return f;
}

TEST(C, FindsNamesAliasesAndParameters) {
  EXPECT_STREQ(actfun_name(found("gelu_new").id), "gelu_tanh");
  EXPECT_EQ(found("elu").parameters[0], 1.0);
  EXPECT_EQ(found("elu:alpha=0x1p-3").parameters[0], 0.125);
  char message[200];
  actfun_function f{};
  EXPECT_EQ(actfun_find("gleu", &f, message, sizeof message), ACTFUN_BAD_FUNCTION);
  EXPECT_NE(std::string(message).find("gelu"), std::string::npos) << message;
  for (const char* bad : {"elu:beta=1", "elu:alpha", "elu:alpha=", "elu:alpha=nan", "elu:alpha=inf",
                          "elu:alpha=1,alpha=2", "softplus:beta=0", "softplus:beta=-1", "relu:a=1",
                          "elu:", "elu:alpha=1x", "maxout:k=0", "maxout:k=2.5", "elu:alpha= 1"})
    EXPECT_EQ(actfun_find(bad, &f, message, sizeof message), ACTFUN_BAD_PARAMETER) << bad;
  for (const char* bad : {"", ":", "GELU", "gelu ", " gelu"})
    EXPECT_EQ(actfun_find(bad, &f, message, sizeof message), ACTFUN_BAD_FUNCTION) << bad;
  EXPECT_EQ(actfun_find(nullptr, &f, message, sizeof message), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_find("gelu", nullptr, message, sizeof message), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_find("gleu", &f, message, 5), ACTFUN_BAD_FUNCTION);
  EXPECT_EQ(std::string(message).size(), 4u) << "cut to the buffer";
}

TEST(C, RefusesWhatItCannotDo) {
  const actfun_function gelu = found("gelu");
  std::vector<float> x(100, 1.0f), y(100);
  EXPECT_EQ(actfun_value(nullptr, x.data(), y.data(), 1), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_value(&gelu, nullptr, y.data(), 1), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_value(&gelu, x.data(), nullptr, 1), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_value(&gelu, nullptr, nullptr, 0), ACTFUN_OK);
  EXPECT_EQ(actfun_value(&gelu, x.data(), x.data() + 1, 50), ACTFUN_OVERLAP);
  EXPECT_EQ(actfun_value(&gelu, x.data() + 1, x.data(), 50), ACTFUN_OVERLAP);
  EXPECT_EQ(actfun_value(&gelu, x.data(), x.data() + 50, 50), ACTFUN_OK);
  EXPECT_EQ(actfun_value(&gelu, x.data(), x.data(), 50), ACTFUN_OK);
  EXPECT_EQ(actfun_value(&gelu, x.data(), y.data(), SIZE_MAX / 4), ACTFUN_BAD_SHAPE);
  EXPECT_EQ(actfun_value_and_slope(&gelu, x.data(), y.data(), y.data(), 50), ACTFUN_OVERLAP);
  EXPECT_EQ(actfun_value_and_slope(&gelu, x.data(), y.data(), y.data() + 1, 50), ACTFUN_OVERLAP);
  actfun_function bad = gelu;
  for (const int id : {-1, 1000, found("softmax").id}) {
    bad.id = id;
    EXPECT_EQ(actfun_value(&bad, x.data(), y.data(), 1), ACTFUN_BAD_FUNCTION);
  }
  bad = found("softplus");
  bad.parameters[0] = -1;
  EXPECT_EQ(actfun_value(&bad, x.data(), y.data(), 1), ACTFUN_BAD_PARAMETER);
  EXPECT_EQ(actfun_softmax(x.data(), y.data(), SIZE_MAX / 2, 3, 1), ACTFUN_BAD_SHAPE);
  EXPECT_EQ(actfun_softmax(x.data(), x.data() + 1, 1, 10, 1), ACTFUN_OVERLAP);
  EXPECT_EQ(actfun_softmax(nullptr, nullptr, 0, 10, 1), ACTFUN_OK);
  EXPECT_EQ(actfun_maxout(x.data(), y.data(), nullptr, 1, 1, 0, 1), ACTFUN_BAD_SHAPE);
  EXPECT_EQ(actfun_maxout(x.data(), x.data(), nullptr, 1, 1, 2, 1), ACTFUN_OVERLAP);
  EXPECT_EQ(actfun_name(-1), nullptr);
  EXPECT_EQ(actfun_name(1000), nullptr);
}

TEST(Cpp, ReadsAsTheReadmeSays) {
  const std::vector<float> x = {-5.5f, -1, 0, 1, 5.5f};
  std::vector<float> y(5), dy(5);
  actfun::gelu(x, y);
  EXPECT_EQ(y[0], -0x1.c093d8p-24f);  // -1.0444259356238245661e-7; popular libraries return 0 or miss by half
  EXPECT_EQ(y[3], 0.84134475f);
  actfun::gelu.slope(x, dy);
  EXPECT_EQ(dy[2], 0.5f);
  actfun::gelu.value_and_slope(x, y, dy);
  EXPECT_EQ(dy[2], 0.5f);
  actfun::gelu.curvature(x, y);
  EXPECT_EQ(y[2], 0.79788458f);
  actfun::Elu{.alpha = 0.5}(x, y);
  const std::vector<float> elu = y;
  actfun::function("elu:alpha=0.5")(x, y);
  EXPECT_EQ(y, elu);
  EXPECT_EQ(actfun::relu(-3.0f), 0.0f);
  EXPECT_EQ(actfun::sigmoid.slope(0.0f), 0.25f);
  std::array<float, 5> p{};
  actfun::softmax(x, p);
  EXPECT_NEAR(p[0] + p[1] + p[2] + p[3] + p[4], 1.0f, 1e-6f);
}

TEST(Cpp, ThrowsWhatItRefuses) {
  std::vector<float> x(4), y(3);
  EXPECT_THROW(actfun::gelu(x, y), actfun::Error);
  EXPECT_THROW(actfun::gelu(std::span(x).first(3), std::span(x).last(3)), actfun::Error);
  EXPECT_THROW(actfun::Softplus{.beta = 0}(x, x), actfun::Error);
  EXPECT_THROW(actfun::function("gleu"), actfun::Error);
  EXPECT_THROW(actfun::maxout(x, y, 3), actfun::Error);
  try {
    actfun::function("gleu");
    FAIL();
  } catch (const actfun::Error& error) {
    EXPECT_EQ(error.status(), ACTFUN_BAD_FUNCTION);
    EXPECT_NE(std::string(error.what()).find("gelu"), std::string::npos) << error.what();
  }
}

TEST(Cpp, ManyThreadsAtOnce) {
  std::vector<float> x(10000), want(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 0.002f - 10;
  actfun::silu(x, want);
  std::vector<std::thread> threads;
  std::array<bool, 8> equal{};
  for (std::size_t t = 0; t < equal.size(); ++t)
    threads.emplace_back([&, t] {
      std::vector<float> y(x.size());
      for (int repeat = 0; repeat < 20; ++repeat) actfun::function("silu")(x, y);
      equal[t] = y == want;
    });
  for (std::thread& thread : threads) thread.join();
  for (const bool e : equal) EXPECT_TRUE(e);
}

}  // namespace
