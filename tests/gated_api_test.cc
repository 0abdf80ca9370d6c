// SPDX-License-Identifier: Apache-2.0
// Gated units through the C and the C++ interface: what they refuse, and what they let pass.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "actfun/gated.hpp"

namespace {

using actfun::Array;

actfun_gated unit(const char* text) {
  actfun_gated found;
  EXPECT_EQ(actfun_glu_find(text, &found, nullptr, 0), ACTFUN_OK) << text;
  return found;
}

/// A call's status, and that its message names what is wrong.
template <class Call>
void expect_refused(actfun_status status, const char* says, const Call& call) {
  char message[256] = "";
  EXPECT_EQ(call(message, sizeof message), status) << says;
  EXPECT_NE(std::string(message).find(says), std::string::npos) << message;
}

TEST(GatedApi, FindTellsWhatIsWrong) {
  const auto find = [](const char* text) {
    return [text](char* message, std::size_t size) {
      actfun_gated found;
      return actfun_glu_find(text, &found, message, size);
    };
  };
  expect_refused(ACTFUN_BAD_FUNCTION, "swiglu", find("swigluu"));
  expect_refused(ACTFUN_BAD_FUNCTION, "pytorch", find("glu@torch"));
  expect_refused(ACTFUN_BAD_FUNCTION, "rows", find("softmax"));
  expect_refused(ACTFUN_BAD_PARAMETER, "> 0", find("swiglu:limit=0"));
  expect_refused(ACTFUN_BAD_PARAMETER, "step_limit", find("swiglu:alpha=1"));
  expect_refused(ACTFUN_NULL_POINTER, "NULL", find(nullptr));
  const actfun_gated oai = unit("clamped_swiglu@te:limit=5");
  EXPECT_EQ(oai.limit, 5);
  EXPECT_EQ(oai.offset, 1);
  EXPECT_EQ(oai.gate.parameters[0], 1.702);
  EXPECT_EQ(oai.layout, ACTFUN_GATE_FIRST);
  for (std::size_t i = 0; i < actfun_glu_count(); ++i) unit(actfun_glu_name(i));
  EXPECT_EQ(actfun_glu_name(actfun_glu_count()), nullptr);
}

TEST(GatedApi, SplitTellsWhatIsWrong) {
  std::vector<float> x(24);
  const Array even(x, {4, 6}), odd(x, {8, 3});
  actfun_array gate, value;
  const auto split = [&](const actfun_array* array, int axis, int layout) {
    return [=, &gate, &value](char* message, std::size_t size) {
      return actfun_glu_split(array, axis, static_cast<std::int32_t>(layout), &gate, &value, message, size);
    };
  };
  expect_refused(ACTFUN_BAD_SHAPE, "odd length", split(&odd, -1, 0));
  expect_refused(ACTFUN_BAD_SHAPE, "no axis 2", split(&even, 2, 0));
  expect_refused(ACTFUN_BAD_FORMAT, "layout 4", split(&even, 0, 4));
  expect_refused(ACTFUN_NULL_POINTER, "x", split(nullptr, 0, 0));
  EXPECT_EQ(split(&even, 0, ACTFUN_GATE_SECOND)(nullptr, 0), ACTFUN_OK);
  EXPECT_EQ(gate.data, x.data() + 12);
  EXPECT_EQ(value.data, x.data());
  EXPECT_EQ(split(&even, -1, ACTFUN_GATE_EVEN)(nullptr, 0), ACTFUN_OK);
  EXPECT_EQ(gate.strides[1], 2);
  EXPECT_EQ(value.data, x.data() + 1);
}

TEST(GatedApi, CallsTellWhichArrayIsWrong) {
  std::vector<float> a(12, 1), b(12, 2), y(12), z(12), s(3, 1), ds(3);
  std::vector<double> wide(12);
  actfun_gated f = unit("swiglu");
  const Array gate(a, {3, 4}), value(b, {3, 4}), to(y, {3, 4}), too(z, {3, 4}), scale(s, {3, 1}), dscale(ds, {3, 1});
  const auto forward = [&](const actfun_array* g, const actfun_array* v, const actfun_array* by,
                           const actfun_array* out) {
    return [=, &f](char* message, std::size_t size) { return actfun_glu(&f, g, v, by, out, message, size); };
  };
  const Array other(b, {4, 3}), doubles(wide, {3, 4});
  const Array shifted(actfun_array{a.data() + 1, ACTFUN_F32, 1, {11}, {1}}), from(a, {11}, {1}), second(b, {11}, {1});
  expect_refused(ACTFUN_BAD_SHAPE, "value has shape [4, 3]", forward(&gate, &other, nullptr, &to));
  expect_refused(ACTFUN_BAD_SHAPE, "y has shape [4, 3]", forward(&gate, &value, nullptr, &other));
  expect_refused(ACTFUN_BAD_FORMAT, "formats", forward(&gate, &doubles, nullptr, &to));
  expect_refused(ACTFUN_NULL_POINTER, "value", forward(&gate, nullptr, nullptr, &to));
  expect_refused(ACTFUN_OVERLAP, "y and gate", forward(&from, &second, nullptr, &shifted));
  expect_refused(ACTFUN_BAD_SHAPE, "scale has shape [4, 3]", forward(&gate, &value, &other, &to));
  expect_refused(ACTFUN_BAD_FORMAT, "scale", forward(&gate, &value, &doubles, &to));
  actfun_array one_row = to;
  one_row.strides[0] = 0;
  expect_refused(ACTFUN_BAD_SHAPE, "y", forward(&gate, &value, nullptr, &one_row));
  EXPECT_EQ(forward(&gate, &value, &scale, &to)(nullptr, 0), ACTFUN_OK);

  const auto backward = [&](const actfun_array* dg, const actfun_array* dv, const actfun_array* d, int axis) {
    return [=, &f, &gate, &value, &scale, &to](char* message, std::size_t size) {
      return actfun_glu_backward(&f, &gate, &value, &scale, &to, dg, dv, d, axis, message, size);
    };
  };
  expect_refused(ACTFUN_OVERLAP, "dgate and dvalue", backward(&too, &too, nullptr, -1));
  expect_refused(ACTFUN_BAD_SHAPE, "[1, 4] for axis 0", backward(&gate, &too, &dscale, 0));
  expect_refused(ACTFUN_BAD_SHAPE, "no axis 5", backward(&gate, &too, &dscale, 5));
  EXPECT_EQ(backward(&gate, &value, &dscale, -1)(nullptr, 0), ACTFUN_OK) << "in place";

  f.limit = -1;
  expect_refused(ACTFUN_BAD_PARAMETER, "limit", forward(&gate, &value, nullptr, &to));
  f = unit("swiglu"), f.gate.id = -1;
  expect_refused(ACTFUN_BAD_FUNCTION, "gate", forward(&gate, &value, nullptr, &to));
}

TEST(GatedApi, CppComputesAndThrows) {
  std::vector<float> x{-1, 2, 0.5f, 3, 4, 8, 1, 10}, y(4), dy{1, 2, 3, 4}, dx(8);
  const actfun::Gated swiglu("swiglu");
  swiglu(Array(x, {2, 4}), Array(y, {2, 2}));
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t at = i / 2 * 4 + i % 2;
    EXPECT_FLOAT_EQ(y[i], x[at] / (1 + std::exp(-x[at])) * x[at + 2]);
  }
  swiglu.backward(Array(x, {2, 4}), Array(dy, {2, 2}), Array(dx, {2, 4}));
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t at = i / 2 * 4 + i % 2;
    const float sigmoid = 1 / (1 + std::exp(-x[at]));
    EXPECT_FLOAT_EQ(dx[at], dy[i] * x[at + 2] * sigmoid * (1 + x[at] * (1 - sigmoid)));
    EXPECT_FLOAT_EQ(dx[at + 2], dy[i] * x[at] * sigmoid);
  }
  std::vector<float> again = x;
  swiglu.backward(Array(again, {2, 4}), Array(dy, {2, 2}), Array(again, {2, 4}));
  EXPECT_EQ(again, dx) << "both gradients in the place of x";
  std::vector<float> empty, none;
  swiglu(Array(empty, {0, 4}), Array(none, {0, 2}));
  std::vector<float> scale(3, 1), dscale(3, 7);
  const Array nothing(empty, {3, 0});
  swiglu.backward(nothing, nothing, Array(scale, {3, 1}), nothing, nothing, nothing, Array(dscale, {3, 1}));
  EXPECT_EQ(dscale, std::vector<float>(3, 0)) << "sums over nothing";
  EXPECT_THROW(actfun::Gated("swiglu:limit=0"), actfun::Error);
  EXPECT_THROW(swiglu(Array(x, {8, 1}), Array(y, {4, 1})), actfun::Error);
  try {
    swiglu(Array(x, {2, 4}), Array(y, {4, 1}));
    FAIL();
  } catch (const actfun::Error& error) {
    EXPECT_EQ(error.status(), ACTFUN_BAD_SHAPE);
    EXPECT_NE(std::string(error.what()).find("y has shape [4, 1]"), std::string::npos) << error.what();
  }
}

TEST(GatedApi, EveryUnitIsAnObject) {
  using namespace actfun;
  const GatedUnit* const units[] = {&glu,         &bilinear, &reglu,          &sreglu,      &geglu,    &geglu_tanh,
                                    &geglu_quick, &swiglu,   &clamped_swiglu, &swiglu_step, &situ_glu, &fatrelu_glu};
  ASSERT_EQ(std::size(units), actfun_glu_count());
  for (std::size_t i = 0; i < std::size(units); ++i) EXPECT_STREQ(units[i]->name, actfun_glu_name(i));
  std::vector<float> x{-1, 2, 0.5f, 3}, y(2), z(2), dy{1, 2}, dx(4), dz(4);
  swiglu(Array(x, {4}), Array(y, {2}));
  Gated{"swiglu"}(Array(x, {4}), Array(z, {2}));
  EXPECT_EQ(y, z);
  swiglu.backward(Array(x, {4}), Array(dy, {2}), Array(dx, {4}));
  swiglu.with({.threads = 1}).backward(Array(x, {4}), Array(dy, {2}), Array(dz, {4}));
  EXPECT_EQ(dx, dz);
}

}  // namespace
