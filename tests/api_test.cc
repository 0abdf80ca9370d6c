// SPDX-License-Identifier: Apache-2.0
// The C and the C++ interface: what they compute, and what they refuse.
#include <gtest/gtest.h>

#include <actfun/actfun.hpp>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
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

TEST(C, BackwardRefusesWhatItCannotDo) {
  const actfun_function prelu = found("prelu"), softmax = found("softmax");
  std::vector<float> x(100, 1.0f), g(100, 2.0f), gg(100, 3.0f), y(100), z(100);
  const auto backward = [&](const void* in, const void* factor, void* out, size_t n) {
    return actfun_backward(&prelu, ACTFUN_F32, in, factor, out, n);
  };
  EXPECT_EQ(backward(nullptr, nullptr, nullptr, 0), ACTFUN_OK);
  EXPECT_EQ(backward(nullptr, g.data(), y.data(), 1), ACTFUN_NULL_POINTER);
  EXPECT_EQ(backward(x.data(), nullptr, y.data(), 1), ACTFUN_NULL_POINTER);
  EXPECT_EQ(backward(x.data(), g.data(), nullptr, 1), ACTFUN_NULL_POINTER);
  EXPECT_EQ(backward(x.data(), g.data(), x.data() + 1, 50), ACTFUN_OVERLAP);
  EXPECT_EQ(backward(x.data(), g.data(), g.data() + 1, 50), ACTFUN_OVERLAP);
  EXPECT_EQ(backward(x.data(), x.data() + 1, y.data(), 50), ACTFUN_OK) << "inputs may overlap";
  EXPECT_EQ(backward(x.data(), x.data(), x.data(), 50), ACTFUN_OK);
  EXPECT_EQ(backward(x.data(), g.data(), y.data(), SIZE_MAX / 4), ACTFUN_BAD_SHAPE);
  EXPECT_EQ(actfun_backward(&prelu, static_cast<actfun_format>(9), x.data(), g.data(), y.data(), 1), ACTFUN_BAD_FORMAT);
  EXPECT_EQ(actfun_backward(&softmax, ACTFUN_F32, x.data(), g.data(), y.data(), 1), ACTFUN_BAD_FUNCTION);

  const auto twice = [&](void* dx, void* dg) {
    return actfun_double_backward(&prelu, ACTFUN_F32, x.data(), g.data(), gg.data(), dx, dg, 50);
  };
  EXPECT_EQ(twice(y.data(), z.data()), ACTFUN_OK);
  EXPECT_EQ(twice(gg.data(), x.data()), ACTFUN_OK);
  EXPECT_EQ(twice(y.data(), y.data()), ACTFUN_OVERLAP);
  EXPECT_EQ(twice(y.data(), y.data() + 1), ACTFUN_OVERLAP);
  EXPECT_EQ(twice(gg.data() + 1, y.data()), ACTFUN_OVERLAP);
  EXPECT_EQ(twice(nullptr, y.data()), ACTFUN_NULL_POINTER);

  std::vector<double> weights(5, 0.5), d(5);
  double* gradients[ACTFUN_MAX_PARAMETERS] = {d.data()};
  actfun_channels shape{2, 5, 10, ACTFUN_F64, {weights.data()}};
  const auto by_channel = [&](const actfun_function& f) {
    return actfun_parameter_gradients(&f, ACTFUN_F32, &shape, x.data(), g.data(), gradients);
  };
  EXPECT_EQ(by_channel(prelu), ACTFUN_OK);
  EXPECT_EQ(by_channel(found("celu")), ACTFUN_OK);
  EXPECT_EQ(by_channel(found("gelu")), ACTFUN_BAD_PARAMETER) << "has none";
  weights[4] = -1;
  EXPECT_EQ(by_channel(prelu), ACTFUN_OK);
  EXPECT_EQ(by_channel(found("celu")), ACTFUN_BAD_PARAMETER);
  EXPECT_EQ(actfun_apply_channels(&prelu, ACTFUN_VALUE, ACTFUN_F32, &shape, x.data(), y.data()), ACTFUN_OK);
  EXPECT_EQ(actfun_backward_channels(&prelu, ACTFUN_F32, &shape, x.data(), nullptr, y.data()), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_apply_channels(&prelu, ACTFUN_VALUE, ACTFUN_F32, nullptr, x.data(), y.data()), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_parameter_gradients(&prelu, ACTFUN_F32, &shape, x.data(), g.data(), nullptr), ACTFUN_NULL_POINTER);
  gradients[0] = weights.data();
  EXPECT_EQ(by_channel(prelu), ACTFUN_OVERLAP);
  gradients[0] = reinterpret_cast<double*>(g.data() + 2);
  EXPECT_EQ(by_channel(prelu), ACTFUN_OVERLAP);
  gradients[0] = nullptr;
  EXPECT_EQ(by_channel(prelu), ACTFUN_OK);
  shape.format = ACTFUN_F16;
  EXPECT_EQ(by_channel(prelu), ACTFUN_BAD_FORMAT);
  shape = {SIZE_MAX / 2, 3, 1, ACTFUN_F64, {}};
  EXPECT_EQ(by_channel(prelu), ACTFUN_BAD_SHAPE);
}

TEST(Cpp, BackwardReadsAsTheHeaderSays) {
  std::vector<float> x = {-2, -1, 0, 1}, g = {1, 2, 3, 4}, gg = {2, 2, 2, 2}, dx(4), dg(4), y(4);
  actfun::prelu.backward(x, g, dx);
  EXPECT_EQ(dx, (std::vector<float>{0.25, 0.5, 0.75, 4}));
  actfun::ReluSquared{}.double_backward(x, g, gg, dx, dg);
  EXPECT_EQ(dx, (std::vector<float>{0, 0, 0, 16}));
  EXPECT_EQ(dg, (std::vector<float>{0, 0, 0, 4}));
  EXPECT_EQ(actfun::prelu.parameter_gradients(x, g)[0], -4.0);
  EXPECT_EQ(actfun::function("affine").parameter_gradients(x, g), (std::array<double, 4>{0, 10}));

  const std::vector<float> weights = {0.5, -1};
  std::vector<double> d(2);
  const actfun::Channels columns{.outer = 2, .channels = 2, .parameters = {weights}};
  actfun::prelu(x, y, columns);
  EXPECT_EQ(y, (std::vector<float>{-1, 1, 0, 1}));
  actfun::prelu.backward(x, g, dx, columns);
  EXPECT_EQ(dx, (std::vector<float>{0.5, -2, 1.5, 4}));
  actfun::prelu.parameter_gradients(x, g, columns, {d});
  EXPECT_EQ(d, (std::vector<double>{-2, -2}));
  std::vector<double> bias(2);
  actfun::star_relu.parameter_gradients(x, g, {2, 2}, {{}, bias});
  EXPECT_EQ(bias, (std::vector<double>{4, 6}));
  actfun::prelu.backward(x, g, g);
  EXPECT_EQ(g, (std::vector<float>{0.25, 0.5, 0.75, 4})) << "in place";

  EXPECT_THROW(actfun::prelu.backward(x, g, std::span(y).first(3)), actfun::Error);
  EXPECT_THROW(actfun::prelu(x, y, {.outer = 1, .channels = 2}), actfun::Error);
  EXPECT_THROW(actfun::prelu(x, y, {.outer = 1, .channels = 4, .parameters = {weights}}), actfun::Error);
  EXPECT_THROW(actfun::star_relu(x, y, {.outer = 2, .channels = 2, .parameters = {weights, d}}), actfun::Error);
  EXPECT_THROW(actfun::prelu.parameter_gradients(x, g, columns, {std::span(d).first(1)}), actfun::Error);
}

TEST(C, Presets) {
  EXPECT_EQ(found("leaky_relu@keras").parameters[0], 0.3);
  EXPECT_EQ(found("lrelu@tensorflow").parameters[0], 0.2);
  EXPECT_EQ(found("leaky_relu@keras:negative_slope=0.5").parameters[0], 0.5);
  EXPECT_EQ(found("selu@mlx").id, found("scaled_elu").id);
  EXPECT_EQ(found("selu@onnx:lambda=2").parameters[0], static_cast<double>(1.6732632423543772f));
  EXPECT_EQ(found("selu@onnx:lambda=2").parameters[1], 2.0);
  char message[200];
  actfun_function f{};
  for (const char* bad : {"leaky_relu@torch", "leaky_relu@", "leaky_relu@KERAS", "leaky_relu@keras@keras", "@keras"})
    EXPECT_EQ(actfun_find(bad, &f, message, sizeof message), ACTFUN_BAD_FUNCTION) << bad;
  EXPECT_EQ(actfun_find("leaky_relu@torch", &f, message, sizeof message), ACTFUN_BAD_FUNCTION);
  EXPECT_NE(std::string(message).find("pytorch, jax"), std::string::npos) << message;
  EXPECT_EQ(actfun_find("leaky_relu@keras:alpha=1", &f, message, sizeof message), ACTFUN_BAD_PARAMETER);
}

TEST(C, KinksOfOthers) {
  actfun_function f = found("hardtanh:min_val=-2");
  char message[200];
  EXPECT_EQ(actfun_set_kinks(&f, ACTFUN_KINKS_JAX, message, sizeof message), ACTFUN_OK);
  EXPECT_EQ(f.kinks, ACTFUN_KINKS_JAX);
  const float x[] = {-2, -2.0000002f, 0, 1, 1.0000001f, -0.0f};
  float y[6], dy[6];
  EXPECT_EQ(actfun_slope(&f, x, y, 6), ACTFUN_OK);
  const std::vector<float> want = {1, 0, 1, 1, 0, 1};
  EXPECT_EQ(std::vector(y, y + 6), want);
  EXPECT_EQ(actfun_value_and_slope(&f, x, y, dy, 6), ACTFUN_OK);
  EXPECT_EQ(std::vector(dy, dy + 6), want);
  EXPECT_EQ(y[0], -2.0f);
  EXPECT_EQ(actfun_curvature(&f, x, y, 6), ACTFUN_OK);
  EXPECT_EQ(std::vector(y, y + 6), std::vector<float>(6, 0));

  EXPECT_EQ(actfun_set_kinks(&f, ACTFUN_KINKS_ONNXRUNTIME, message, sizeof message), ACTFUN_BAD_KINKS);
  EXPECT_NE(std::string(message).find("actfun, pytorch, jax, tensorflow"), std::string::npos) << message;
  EXPECT_EQ(f.kinks, ACTFUN_KINKS_JAX) << "left alone";
  EXPECT_EQ(actfun_set_kinks(&f, static_cast<actfun_kinks>(5), message, sizeof message), ACTFUN_BAD_KINKS);
  EXPECT_EQ(actfun_set_kinks(nullptr, ACTFUN_KINKS_JAX, message, sizeof message), ACTFUN_NULL_POINTER);
  for (const uint8_t bad : {ACTFUN_KINKS_ONNXRUNTIME + 0, 5, 255}) {
    f.kinks = bad;
    EXPECT_EQ(actfun_slope(&f, x, y, 6), ACTFUN_BAD_KINKS);
    EXPECT_EQ(actfun_value(&f, x, y, 6), ACTFUN_BAD_KINKS);
  }
  f = found("silu");
  EXPECT_EQ(actfun_set_kinks(&f, ACTFUN_KINKS_ONNXRUNTIME, nullptr, 0), ACTFUN_OK) << "has no kink";
  EXPECT_EQ(actfun_slope(&f, x, y, 6), ACTFUN_OK);
}

TEST(C, Tiers) {
  actfun_function f = found("gelu");
  EXPECT_EQ(f.tier, ACTFUN_EXACT);
  const float x[] = {-9, -3, -0.5f, 0, 1, INFINITY, NAN};
  float exact[7], fast[7], dy[7];
  EXPECT_EQ(actfun_value(&f, x, exact, 7), ACTFUN_OK);
  f.tier = ACTFUN_FAST;
  EXPECT_EQ(actfun_value(&f, x, fast, 7), ACTFUN_OK);
  for (int i = 0; i < 5; ++i) EXPECT_LE(std::abs(fast[i] - exact[i]), std::abs(exact[i]) * 0x1p-22f) << x[i];
  EXPECT_EQ(fast[5], INFINITY);
  EXPECT_TRUE(std::isnan(fast[6]));
  EXPECT_EQ(actfun_value_and_slope(&f, x, exact, dy, 7), ACTFUN_OK);
  EXPECT_EQ(std::memcmp(exact, fast, sizeof fast), 0) << "in one pass, too";
  f.tier = 2;
  EXPECT_EQ(actfun_value(&f, x, fast, 7), ACTFUN_BAD_TIER);
  EXPECT_EQ(actfun::Gelu{.tier = actfun::Tier::fast}(-3.0f), exact[1]);
  EXPECT_EQ(actfun::function("gelu", actfun::Kinks::actfun, actfun::Tier::fast)(-3.0f), exact[1]);
}

/// Every slope of `function` at the inputs, but that at `kink` is `slope`; in place and apart, short and long.
template <class T>
void expect_slope(const char* function, actfun::Kinks kinks, double kink, double slope) {
  const auto as = [](double v) {
    if constexpr (std::is_same_v<T, double>)
      return v;
    else
      return static_cast<T>(static_cast<float>(v));
  };
  const auto bits = [](const std::vector<T>& v) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(v.data());
    return std::vector<unsigned char>(bytes, bytes + v.size() * sizeof(T));
  };
  for (const std::size_t repeats : {1, 700}) {
    std::vector<T> x, own, theirs;
    for (std::size_t i = 0; i < repeats; ++i)
      for (const double at : {-3.0, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0, 6.0}) x.push_back(as(at));
    own.resize(x.size());
    theirs.resize(x.size());
    actfun::function(function).slope(x, own);
    actfun::function(function, kinks).slope(x, theirs);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (static_cast<float>(x[i]) == static_cast<float>(kink)) own[i] = as(slope);
    EXPECT_EQ(bits(theirs), bits(own)) << function << " " << sizeof(T);
    actfun::function(function, kinks).slope(x, x);
    EXPECT_EQ(bits(x), bits(own)) << function << " in place";
  }
}

TEST(Cpp, KinksInEveryFormat) {
  const auto expect = [](const char* function, actfun::Kinks kinks, double kink, double slope) {
    expect_slope<float>(function, kinks, kink, slope);
    expect_slope<double>(function, kinks, kink, slope);
    expect_slope<actfun::float16>(function, kinks, kink, slope);
    expect_slope<actfun::bfloat16>(function, kinks, kink, slope);
    expect_slope<actfun::float8_e4m3fn>(function, kinks, kink, slope);
    expect_slope<actfun::float8_e5m2>(function, kinks, kink, slope);
  };
  using enum actfun::Kinks;
  expect("relu", jax, 0, 0);
  expect("hardtanh:min_val=-3", pytorch, 1, 0);
  expect("hardtanh:min_val=-20", jax, 1, 1);
  expect("hardtanh:max_val=20", tensorflow, -1, 1);
  expect("leaky_relu", jax, 0, 1);
  expect("leaky_relu@keras", tensorflow, 0, 0.3);
  expect("prelu", tensorflow, 0, 0);
  expect("celu:alpha=0.5", tensorflow, 0, 2);
  EXPECT_EQ(actfun::function("selu", tensorflow).slope(0.0), 1.0507009873554804934193349852946);
  EXPECT_EQ(actfun::function("selu", tensorflow).slope(0.0f), 1.0507009873554804934193349852946f);
  EXPECT_EQ(actfun::function("sparse_sigmoid", jax).slope(-1.0), 0.25);
}

TEST(Cpp, KinksReadAsTheHeaderSays) {
  EXPECT_EQ(actfun::Hardtanh{.kinks = actfun::Kinks::jax}.slope(1.0f), 1.0f);
  EXPECT_EQ((actfun::Hardtanh{.max_val = 2, .kinks = actfun::Kinks::jax}.slope(2.0f)), 1.0f);
  EXPECT_EQ(actfun::hardtanh.slope(1.0f), 0.0f);
  try {
    actfun::Relu{.kinks = actfun::Kinks::onnxruntime}.slope(1.0f);
    FAIL();
  } catch (const actfun::Error& error) {
    EXPECT_EQ(error.status(), ACTFUN_BAD_KINKS);
    EXPECT_NE(std::string(error.what()).find("pytorch, jax, tensorflow"), std::string::npos) << error.what();
  }
  EXPECT_THROW(actfun::function("rrelu", actfun::Kinks::pytorch), actfun::Error);
}

TEST(C, KinksOfQuantizedIntegers) {
  actfun_function f = found("celu");
  ASSERT_EQ(actfun_set_kinks(&f, ACTFUN_KINKS_TENSORFLOW, nullptr, 0), ACTFUN_OK);
  const actfun_quantization in{1, 0.5f, 3}, out{0, 0.125f, 10}, coarse{1, 4.0f, 0}, fine{0, 1e-30f, 0};
  const std::int8_t x[] = {3, 4, 100};  // 0, 1/2, large
  std::uint8_t y[3];
  EXPECT_EQ(actfun_apply_quantized(&f, ACTFUN_SLOPE, &in, &out, x, y, 3), ACTFUN_OK);
  EXPECT_EQ(std::vector(y, y + 3), (std::vector<std::uint8_t>{26, 18, 18}));
  EXPECT_EQ(actfun_apply_quantized(&f, ACTFUN_SLOPE, &in, &coarse, x, y, 3), ACTFUN_OK);
  EXPECT_EQ(y[0], 0) << "2 / 4 is a tie";
  EXPECT_EQ(actfun_apply_quantized(&f, ACTFUN_SLOPE, &in, &fine, x, y, 3), ACTFUN_OK);
  EXPECT_EQ(y[0], 255);
  float z[3];
  EXPECT_EQ(actfun_apply_quantized(&f, ACTFUN_SLOPE, &in, nullptr, x, z, 3), ACTFUN_OK);
  EXPECT_EQ(std::vector(z, z + 3), (std::vector<float>{2, 1, 1}));
  EXPECT_EQ(actfun_apply_quantized(&f, ACTFUN_VALUE, &in, nullptr, x, z, 3), ACTFUN_OK);
  EXPECT_EQ(z[0], 0.0f);
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

std::vector<float> seven(std::size_t n) { return std::vector<float>(n, 7); }

TEST(Cpp, GradientsAlongAnAxis) {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  std::vector<float> y(6), dx(6), jacobian(9);
  actfun::softmax(x, y, {2, 3});
  actfun::softmax_backward(y, x, dx, {2, 3});
  EXPECT_NEAR(dx[0] + dx[1] + dx[2], 0, 1e-6);
  EXPECT_EQ(dx[0], dx[3]);
  actfun::softmax_jacobian(std::span(y).first(3), jacobian);
  EXPECT_NEAR(jacobian[0] * x[0] + jacobian[1] * x[1] + jacobian[2] * x[2], dx[0], 1e-6);
  actfun::log_softmax(x, y, {2, 3});
  actfun::log_softmax_backward(y, x, dx, {2, 3});
  EXPECT_NEAR(dx[0] + dx[1] + dx[2], 0, 1e-6);
  EXPECT_THROW(actfun::softmax_jacobian(y, jacobian), actfun::Error);
  EXPECT_THROW(actfun::softmax_backward(y, x, dx, {2, 2}), actfun::Error);
  EXPECT_EQ(actfun_softmax_backward(static_cast<actfun_format>(9), x.data(), x.data(), dx.data(), 2, 3, 1),
            ACTFUN_BAD_FORMAT);
  EXPECT_EQ(actfun_softmax_backward(ACTFUN_F32, x.data(), nullptr, dx.data(), 2, 3, 1), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_softmax_backward(ACTFUN_F32, x.data(), y.data(), y.data() + 1, 1, 3, 1), ACTFUN_OVERLAP);
  EXPECT_EQ(actfun_softmax_backward(ACTFUN_F32, x.data(), y.data(), y.data(), SIZE_MAX / 2, 3, 1), ACTFUN_BAD_SHAPE);
  EXPECT_EQ(actfun_softmax_jacobian(ACTFUN_F32, x.data(), y.data(), SIZE_MAX / 2), ACTFUN_BAD_SHAPE);
}

TEST(Cpp, CrossEntropyAndWhatItRefuses) {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  std::vector<float> dx = seven(6);
  std::vector<std::int32_t> labels = {2, 3};
  try {
    actfun::cross_entropy(x, labels, dx, {2, 3});
    FAIL();
  } catch (const actfun::Error& error) {
    EXPECT_EQ(error.status(), ACTFUN_BAD_LABEL);
    EXPECT_STREQ(error.what(), "actfun: cross_entropy: the label of row 1 is 3; there are 3 classes, numbered from 0");
  }
  EXPECT_EQ(dx, seven(6)) << "nothing is written";
  labels[1] = -1;
  EXPECT_THROW(actfun::cross_entropy(x, labels, {2, 3}), actfun::Error);
  labels[1] = 0;
  const double mean = actfun::cross_entropy(x, labels, dx, {2, 3});
  EXPECT_NEAR(mean, std::log(1 + std::exp(-1.0) + std::exp(-2.0)) + 1, 1e-15);
  EXPECT_NEAR(dx[1], 0.5 / (std::exp(-1.0) + 1 + std::exp(1.0)), 1e-7);
  EXPECT_EQ(mean, actfun::cross_entropy(x, labels, {2, 3}));
  const double sum = actfun::cross_entropy(x, labels, {2, 3}, actfun::Reduction::sum);
  EXPECT_EQ(mean, sum / 2);
  std::vector<double> losses(2);
  actfun::cross_entropies(x, labels, losses, {2, 3});
  EXPECT_EQ(losses[0] + losses[1], sum);
  const std::vector<float> weights = {0, 0, 1, 1, 0, 0};
  EXPECT_NEAR(actfun::soft_cross_entropy(x, weights, dx, {2, 3}), mean, 1e-15);
  EXPECT_EQ(actfun::soft_cross_entropy(x, weights, {2, 3}, actfun::Reduction::sum),
            2 * actfun::soft_cross_entropy(x, weights, {2, 3}));
  EXPECT_THROW(actfun::cross_entropy(x, labels, {2, 2}), actfun::Error);
  EXPECT_THROW(actfun::cross_entropy(x, std::vector<std::int32_t>(3), {2, 3}), actfun::Error);
  EXPECT_THROW(actfun::cross_entropy(std::vector<float>(), labels, {2, 0}), actfun::Error);
  double loss = 0;
  EXPECT_EQ(actfun_cross_entropy(ACTFUN_F32, static_cast<actfun_reduction>(3), x.data(), labels.data(), 1, &loss,
                                 nullptr, 2, 3, 1, nullptr, 0),
            ACTFUN_BAD_FORMAT);
  EXPECT_EQ(
      actfun_cross_entropy(ACTFUN_F32, ACTFUN_SUM, x.data(), labels.data(), 1, nullptr, nullptr, 2, 3, 1, nullptr, 0),
      ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_soft_cross_entropy(ACTFUN_F32, ACTFUN_SUM, x.data(), nullptr, 1, &loss, nullptr, 2, 3, 1),
            ACTFUN_NULL_POINTER);
}

TEST(Cpp, MaxoutBackward) {
  const std::vector<float> x = {3, 3, -1, 2};
  std::vector<float> top(2);
  std::vector<std::int32_t> winners(2);
  actfun::maxout(x, top, winners, 2, {1, 4});
  const std::vector<actfun::bfloat16> g = {actfun::bfloat16(5.0f), actfun::bfloat16(6.0f)};
  std::vector<actfun::bfloat16> dx(4);
  actfun::maxout_backward(g, winners, dx, 2, {1, 4});
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(static_cast<float>(dx[i]), (std::vector<float>{5, 0, 0, 6}[i]));
  winners[1] = 2;
  try {
    actfun::maxout_backward(g, winners, dx, 2, {1, 4});
    FAIL();
  } catch (const actfun::Error& error) {
    EXPECT_EQ(error.status(), ACTFUN_BAD_LABEL);
    EXPECT_STREQ(error.what(),
                 "actfun: maxout_backward: the winner of group 1 is 2; a group has 2 members, numbered from 0");
  }
  EXPECT_THROW(actfun::maxout_backward(g, winners, dx, 3, {1, 4}), actfun::Error);
}

TEST(Cpp, FromTheOutput) {
  const std::vector<float> x = {-2, -0.5f, 0, 0.5f, 3}, g = {1, 2, 3, 4, -5};
  std::vector<float> y(5), dx(5), want(5), back(5);
  actfun::softplus(x, y);
  actfun::softplus.backward_from_output(y, g, dx);
  actfun::softplus.backward(x, g, want);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(dx[i], want[i], 1e-6);
  actfun::softplus.inverse(y, back);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(back[i], x[i], 1e-5);
  EXPECT_EQ(actfun::sigmoid.inverse(0.5), 0.0);
  EXPECT_EQ(actfun::sigmoid.inverse(0.75f), 1.09861231f);
  EXPECT_EQ((actfun::Elu{.alpha = 2}.inverse(-2.0f)), -std::numeric_limits<float>::infinity());

  std::vector<std::uint8_t> bits(1);
  actfun::LeakyRelu{.negative_slope = 0.25}.value_and_bits(x, y, bits);
  EXPECT_EQ(bits[0], 0b11000);
  actfun::LeakyRelu{.negative_slope = 0.25}.backward_from_bits({}, bits, g, dx);
  EXPECT_EQ(dx, (std::vector<float>{0.25f, 0.5f, 0.75f, 4, -5}));
  actfun::silu.value_and_bits(x, y, bits);
  EXPECT_EQ(bits[0], 0b00001);
  actfun::silu.backward_from_bits(y, bits, g, dx);
  actfun::silu.backward(x, g, want);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(dx[i], want[i], 1e-4);

  const auto refused = [](actfun_status status, const char* text, auto call) {
    try {
      call();
      FAIL() << text;
    } catch (const actfun::Error& error) {
      EXPECT_EQ(error.status(), status) << error.what();
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    }
  };
  refused(ACTFUN_NOT_POSSIBLE, "silu has no backward pass from its output",
          [&] { actfun::silu.backward_from_output(y, g, dx); });
  refused(ACTFUN_NOT_POSSIBLE, "that needs alpha >= 0",
          [&] { actfun::Elu{.alpha = -1}.backward_from_output(y, g, dx); });
  refused(ACTFUN_NOT_POSSIBLE, "relu has no inverse: constant for x <= 0", [&] { actfun::relu.inverse(y, back); });
  refused(ACTFUN_NOT_POSSIBLE, "has more than two values", [&] { actfun::abs.value_and_bits(x, y, bits); });
  refused(ACTFUN_BAD_SHAPE, "2 bytes for the bits of 5 elements", [&] {
    std::vector<std::uint8_t> two(2);
    actfun::relu.value_and_bits(x, y, two);
  });
  refused(ACTFUN_BAD_SHAPE, "lengths differ", [&] { actfun::tanh.inverse(y, std::span(back).first(4)); });
  refused(ACTFUN_NULL_POINTER, "NULL", [&] { actfun::silu.backward_from_bits({}, bits, g, dx); });

  const actfun_function silu = found("silu");
  char message[200];
  EXPECT_EQ(actfun_can(&silu, ACTFUN_CAN_INVERSE, message, sizeof message), ACTFUN_NOT_POSSIBLE);
  EXPECT_EQ(actfun_can(&silu, ACTFUN_CAN_BACKWARD_FROM_BITS, message, sizeof message), ACTFUN_OK);
  EXPECT_STREQ(message, "");
  EXPECT_EQ(actfun_can(&silu, static_cast<actfun_ability>(3), message, sizeof message), ACTFUN_BAD_FORMAT);
  EXPECT_EQ(actfun_can(nullptr, ACTFUN_CAN_INVERSE, message, sizeof message), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_inverse(&silu, ACTFUN_F32, x.data(), y.data(), SIZE_MAX / 4), ACTFUN_BAD_SHAPE);
  EXPECT_EQ(actfun_inverse(&silu, ACTFUN_F32, y.data(), y.data() + 1, 3), ACTFUN_OVERLAP);
  EXPECT_EQ(actfun_value_and_bits(&silu, ACTFUN_F32, x.data(), y.data(), nullptr, 5), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_value_and_bits(&silu, ACTFUN_F32, x.data(), y.data(), reinterpret_cast<uint8_t*>(y.data()), 5),
            ACTFUN_OVERLAP);
}

TEST(C, ThreadsOfTheEnvironment) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";  // the variable is read once: each is a process of its own
  const auto status_with = [](const char* threads) {
    setenv("ACTFUN_NUM_THREADS", threads, 1);
    actfun_function f;
    actfun_find("gelu", &f, nullptr, 0);
    float x = 1;
    const actfun_status status = actfun_value(&f, &x, &x, 1);
    if (status != actfun_softmax(&x, &x, 1, 1, 1) || status != actfun_convert(ACTFUN_F32, &x, ACTFUN_F32, &x, 1))
      exit(99);
    exit(static_cast<int>(status) + 20 * static_cast<int>(actfun_threads()));
  };
  for (const char* bad : {"0", "-1", "two", "2x", " 2", "65536", "1e3"})
    EXPECT_EXIT(status_with(bad), testing::ExitedWithCode(ACTFUN_BAD_THREADS), "") << bad;
  EXPECT_EXIT(status_with("3"), testing::ExitedWithCode(60), "");
}

TEST(Cpp, ThreadsChangeNothing) {
  std::vector<float> x(300000), want(x.size()), got(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 1e-4f - 15;
  actfun::Gelu{.threads = 1}(x, want);
  for (const unsigned threads : {0u, 2u, 7u}) {
    actfun::Gelu{.threads = threads}(x, got);
    EXPECT_EQ(got, want) << threads;
    EXPECT_EQ(actfun::function("gelu", actfun::Kinks::actfun, actfun::Tier::exact, threads).handle().threads, threads);
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
