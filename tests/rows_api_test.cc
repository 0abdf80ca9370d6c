// SPDX-License-Identifier: Apache-2.0
// The C and C++ interfaces to what works along axes of arrays: results, and every way to misuse them.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "actfun/loss.hpp"
#include "actfun/maxout.hpp"
#include "actfun/simplex.hpp"

namespace {

using actfun::Array;

std::vector<float> numbers(std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(static_cast<int>(i * 7 % 13) - 6) * 0.25f;
  return x;
}

/// What the call throws, which must be an Error with this status.
template <class Call>
std::string refusal(actfun_status status, const Call& call) {
  try {
    call();
  } catch (const actfun::Error& error) {
    EXPECT_EQ(error.status(), status) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "not refused";
  return "";
}

TEST(SimplexApi, AlongAxes) {
  std::vector<float> x = {0.75f, 0, 0.25f, -1}, y(4);
  actfun::sparsemax(Array(x, {2, 2}), Array(y, {2, 2}), 0);
  EXPECT_EQ(y, (std::vector<float>{0.75f, 1, 0.25f, 0}));
  actfun::sparsemax(Array(x, {2, 2}, {1, 2}), Array(y, {2, 2}, {1, 2}));  // the same, transposed
  EXPECT_EQ(y, (std::vector<float>{0.75f, 1, 0.25f, 0}));
  actfun::entmax(1.5, Array(x, {4}), Array(x, {4}));
  EXPECT_NEAR(x[0] + x[1] + x[2] + x[3], 1, 1e-6);
  std::vector<actfun::bfloat16> half(2), winner(2);
  half[1] = actfun::bfloat16(3.0f);
  actfun::hardmax(Array(half, {2}), Array(winner, {2}));
  EXPECT_EQ(static_cast<float>(winner[0]), 0);
  EXPECT_EQ(static_cast<float>(winner[1]), 1);
  std::vector<float> none;
  actfun::sparsemax(Array(none, {3, 0}), Array(none, {3, 0}));
  actfun::sparsemax(Array(none, {0, 3}), Array(none, {0, 3}));
}
TEST(SimplexApi, Gradients) {
  std::vector<double> y = {0.5, 0.5, 0}, g = {1, 3, 9}, dx(3);
  actfun::sparsemax_backward(Array(y, {3}), Array(g, {3}), Array(dx, {3}));
  EXPECT_EQ(dx, (std::vector<double>{-1, 1, 0}));
  actfun::entmax_backward(2, Array(y, {3}), Array(g, {3}), Array(g, {3}));
  EXPECT_EQ(g, dx);
  EXPECT_EQ(actfun::entmax_alpha_gradient(1.5, Array(y, {3}), Array(dx, {3})), 0);  // ties do not depend on alpha
}
TEST(SimplexApi, Gumbel) {
  std::vector<float> x = numbers(60), noise(60), again(60), y(60), hard(60), g(60, 1), dx(60);
  actfun::gumbel_noise(3, Array(noise, {60}));
  actfun::gumbel_noise(3, Array(again, {3, 4, 5}, {1, 3, 12}));
  EXPECT_EQ(again[1 * 1 + 2 * 3 + 3 * 12], noise[1 * 20 + 2 * 5 + 3]);
  actfun::gumbel_softmax(0.5, 3, Array(x, {6, 10}), Array(y, {6, 10}), Array(hard, {6, 10}));
  for (std::size_t row = 0; row < 6; ++row) {
    std::size_t largest = 0;
    for (std::size_t i = 1; i < 10; ++i)
      if (x[10 * row + i] + noise[10 * row + i] > x[10 * row + largest] + noise[10 * row + largest]) largest = i;
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(hard[10 * row + i], i == largest ? 1.0f : 0.0f);
  }
  actfun::gumbel_softmax_backward(0.5, Array(y, {6, 10}), Array(g, {6, 10}), Array(dx, {6, 10}));
  for (const float each : dx) EXPECT_NEAR(each, 0, 1e-7);
}

TEST(SimplexApi, TellsWhatIsWrong) {
  std::vector<float> x = numbers(6), y(6);
  std::vector<double> wide(6);
  const Array in(x, {2, 3}), out(y, {2, 3});
  EXPECT_EQ(refusal(ACTFUN_BAD_PARAMETER, [&] { actfun::entmax(0.5, in, out); }),
            "actfun: entmax: alpha is 0.5; 1 to 32 are allowed");
  EXPECT_NE(refusal(ACTFUN_BAD_PARAMETER, [&] { actfun::entmax(std::nan(""), in, out); }).find("nan"),
            std::string::npos);
  refusal(ACTFUN_BAD_PARAMETER, [&] { actfun::entmax(33, in, out); });
  EXPECT_EQ(refusal(ACTFUN_BAD_PARAMETER, [&] { actfun::gumbel_softmax(0, 1, in, out); }),
            "actfun: gumbel_softmax: tau is 0; 1e-30 to 1e+30 are allowed");
  EXPECT_EQ(refusal(ACTFUN_BAD_SHAPE, [&] { actfun::sparsemax(in, out, 2); }),
            "actfun: sparsemax: x has no axis 2: its shape is (2, 3)");
  EXPECT_EQ(refusal(ACTFUN_BAD_SHAPE,
                    [&] {
                      actfun::hardmax(in, Array(y, {3, 2}));
                    }),
            "actfun: hardmax: y has shape (3, 2), but x has shape (2, 3)");
  EXPECT_EQ(refusal(ACTFUN_BAD_FORMAT,
                    [&] {
                      actfun::hardmax(in, Array(wide, {2, 3}));
                    }),
            "actfun: hardmax: y is f64, but x is f32");
  EXPECT_EQ(
      refusal(ACTFUN_OVERLAP,
              [&] { actfun::sparsemax(Array(std::span(x).first(3), {3}), Array(std::span(x).subspan(1, 3), {3})); }),
      "actfun: sparsemax: y overlaps x, and is not the same view of it");
  EXPECT_EQ(refusal(ACTFUN_OVERLAP, [&] { actfun::gumbel_softmax(1, 1, in, out, out); }),
            "actfun: gumbel_softmax: y overlaps hard");
  EXPECT_EQ(refusal(ACTFUN_BAD_SHAPE,
                    [&] {
                      actfun::sparsemax(in, Array(y, {2, 3}, {0, 1}));
                    }),
            "actfun: sparsemax: y, of shape (2, 3), has elements at one place, or does not fit memory");
  refusal(ACTFUN_BAD_PARAMETER, [&] { actfun::entmax_alpha_gradient(1, in, out); });
  char message[64] = "";
  EXPECT_EQ(actfun_sparsemax(nullptr, &out, 0, message, sizeof message), ACTFUN_NULL_POINTER);
  EXPECT_STREQ(message, "x is NULL");
  EXPECT_EQ(actfun_gumbel_softmax(1, 1, &in, nullptr, nullptr, 0, nullptr, 0), ACTFUN_NULL_POINTER);
  EXPECT_EQ(actfun_entmax_alpha_gradient(2, &in, &out, 0, nullptr, nullptr, 0), ACTFUN_NULL_POINTER);
  actfun_array broken = in;
  broken.rank = 9;
  EXPECT_EQ(actfun_sparsemax(&broken, &out, 0, message, sizeof message), ACTFUN_BAD_SHAPE);
  EXPECT_STREQ(message, "x's rank is 9; 0 to 8 are allowed");
  broken = in;
  broken.format = static_cast<actfun_format>(7);
  EXPECT_EQ(actfun_sparsemax(&broken, &out, 0, message, sizeof message), ACTFUN_BAD_FORMAT);
  broken = in;
  broken.data = nullptr;
  EXPECT_EQ(actfun_sparsemax(&broken, &out, 0, message, sizeof message), ACTFUN_NULL_POINTER);
  EXPECT_STREQ(message, "x's data is NULL");
  EXPECT_EQ(actfun_sparsemax(&in, &out, 0, message, sizeof message), ACTFUN_OK);
  EXPECT_STREQ(message, "");
}

TEST(LossApi, IsThatOfContiguousArraysAtItsDefaults) {
  const std::vector<float> x = numbers(24);
  const std::vector<std::int32_t> labels = {0, 1, 2, 3, 0, 1};
  std::vector<float> dx(24), want(24);
  const double loss = actfun::cross_entropy(Array(x, {2, 4, 3}), labels, Array(dx, {2, 4, 3}), {.scale = 3, .axis = 1});
  EXPECT_EQ(loss, actfun::cross_entropy(x, labels, want, {2, 4, 3}, actfun::Reduction::mean, 3));
  EXPECT_EQ(dx, want);
  std::vector<float> targets(24, 0.25f);
  EXPECT_EQ(actfun::cross_entropy(Array(x, {2, 4, 3}), Array(targets, {2, 4, 3}), Array(dx, {2, 4, 3}), {.axis = 1}),
            actfun::soft_cross_entropy(x, targets, want, {2, 4, 3}));
  EXPECT_EQ(dx, want);
  // All of a label spread over the classes is a target of 1/4 each.
  EXPECT_NEAR(actfun::cross_entropy(Array(x, {2, 4, 3}), labels, {.label_smoothing = 1, .axis = 1}),
              actfun::soft_cross_entropy(x, targets, {2, 4, 3}), 1e-15);
}
TEST(LossApi, Options) {
  std::vector<double> x = {0, 0, 0, 0}, dx(4);
  const std::vector<std::int32_t> labels = {0, -100};
  const std::vector<double> weights = {2, 6};
  EXPECT_NEAR(actfun::cross_entropy(Array(x, {2, 2}), labels, Array(dx, {2, 2}),
                                    {.z_loss = 0.5, .class_weights = weights, .ignored = -100}),
              std::log(2.0) + 0.25 * std::log(2.0) * std::log(2.0), 1e-15);
  EXPECT_EQ(dx[2], 0);
  const std::vector<double> losses =
      actfun::cross_entropies(Array(x, {2, 2}), std::vector<std::int32_t>{0, 1}, {.class_weights = weights});
  EXPECT_NEAR(losses[0], 2 * std::log(2.0), 1e-15);
  EXPECT_NEAR(losses[1], 6 * std::log(2.0), 1e-15);
}
TEST(LossApi, TellsWhatIsWrong) {
  std::vector<float> x = numbers(6), dx(6, 9);
  std::vector<std::int32_t> labels = {0, 3};
  const Array in(x, {2, 3}), out(dx, {2, 3});
  EXPECT_EQ(refusal(ACTFUN_BAD_LABEL, [&] { actfun::cross_entropy(in, labels, out); }),
            "actfun: cross_entropy: the label of row 1 is 3; there are 3 classes, numbered from 0");
  EXPECT_EQ(dx, std::vector<float>(6, 9));
  labels[1] = 2;
  EXPECT_EQ(refusal(ACTFUN_BAD_PARAMETER, [&] { actfun::cross_entropy(in, labels, {.label_smoothing = 1.5}); }),
            "actfun: cross_entropy: label_smoothing is 1.5; 0 to 1 are allowed");
  refusal(ACTFUN_BAD_PARAMETER, [&] { actfun::cross_entropy(in, labels, {.z_loss = -1}); });
  const std::vector<double> weights = {1, -2, 1}, few = {1};
  EXPECT_NE(refusal(ACTFUN_BAD_PARAMETER, [&] { actfun::cross_entropy(in, labels, {.class_weights = weights}); })
                .find("class_weights[1] is -2"),
            std::string::npos);
  refusal(ACTFUN_BAD_SHAPE, [&] { actfun::cross_entropy(in, labels, {.class_weights = few}); });
  refusal(ACTFUN_BAD_SHAPE, [&] { actfun::cross_entropy(in, std::vector<std::int32_t>{1}); });
  refusal(ACTFUN_BAD_SHAPE, [&] { actfun::cross_entropy(in, labels, {.axis = 2}); });
  refusal(ACTFUN_BAD_PARAMETER, [&] { actfun::cross_entropy(in, in, {.ignored = 1}); });
  refusal(ACTFUN_BAD_SHAPE, [&] { actfun::cross_entropy(in, Array(dx, {3, 2})); });
  std::vector<float> none;
  EXPECT_NE(refusal(ACTFUN_BAD_SHAPE,
                    [&] {
                      actfun::cross_entropy(Array(none, {2, 0}), labels);
                    })
                .find("no classes"),
            std::string::npos);
  double loss = 0;
  char message[128];
  const auto call = [&](const actfun_loss_options* options, const std::int32_t* given, double* to) {
    return actfun_label_loss(options, &in, given, 1, 1, to, nullptr, message, sizeof message);
  };
  EXPECT_EQ(call(nullptr, nullptr, &loss), ACTFUN_NULL_POINTER);
  EXPECT_EQ(call(nullptr, labels.data(), nullptr), ACTFUN_NULL_POINTER);
  EXPECT_EQ(call(nullptr, labels.data(), reinterpret_cast<double*>(x.data())), ACTFUN_OVERLAP);
  EXPECT_STREQ(message, "loss overlaps x");
  EXPECT_EQ(call(nullptr, labels.data(), reinterpret_cast<double*>(labels.data())), ACTFUN_OVERLAP);
  actfun_loss_options wrong{};
  wrong.reduction = static_cast<actfun_reduction>(3);
  EXPECT_EQ(call(&wrong, labels.data(), &loss), ACTFUN_BAD_FORMAT);
  EXPECT_EQ(call(nullptr, labels.data(), &loss), ACTFUN_OK);
}

TEST(MaxoutApi, AnyFormatAndItsGradient) {
  std::vector<double> x = {1, 5, 2, 7, 7, 0}, y(3), dx(6);
  std::vector<std::int32_t> index(3);
  actfun::maxout(Array(x, {6}), 2, Array(y, {3}), index);
  EXPECT_EQ(y, (std::vector<double>{5, 7, 7}));
  EXPECT_EQ(index, (std::vector<std::int32_t>{1, 1, 0}));
  actfun::maxout_backward(Array(y, {3}), index, 2, Array(dx, {6}));
  EXPECT_EQ(dx, (std::vector<double>{0, 5, 0, 7, 7, 0}));
  actfun::maxout(Array(x, {2, 3}), 2, Array(y, {1, 3}), {}, 0);
  EXPECT_EQ(y, (std::vector<double>{7, 7, 2}));
}
TEST(MaxoutApi, TellsWhatIsWrong) {
  std::vector<float> x = numbers(6), y(3), dx(6, 9);
  std::vector<std::int32_t> index = {0, 1, 2};
  EXPECT_EQ(refusal(ACTFUN_BAD_SHAPE, [&] { actfun::maxout(Array(x, {6}), 4, Array(y, {3})); }),
            "actfun: maxout: k is 4, which must divide the axis of x, of length 6");
  refusal(ACTFUN_BAD_SHAPE, [&] { actfun::maxout(Array(x, {6}), 0, Array(y, {3})); });
  EXPECT_EQ(refusal(ACTFUN_BAD_SHAPE, [&] { actfun::maxout(Array(x, {6}), 3, Array(y, {3})); }),
            "actfun: maxout: y has shape (3) in place of (2)");
  refusal(ACTFUN_OVERLAP, [&] { actfun::maxout(Array(x, {6}), 1, Array(x, {6})); });
  refusal(ACTFUN_OVERLAP, [&] { actfun::maxout(Array(x, {6}), 2, Array(std::span(x).first(3), {3})); });
  EXPECT_EQ(refusal(ACTFUN_BAD_LABEL, [&] { actfun::maxout_backward(Array(y, {3}), index, 2, Array(dx, {6})); }),
            "actfun: maxout_backward: the winner of group 2 is 2; a group has 2 members, numbered from 0");
  EXPECT_EQ(dx, std::vector<float>(6, 9));
  refusal(ACTFUN_BAD_SHAPE,
          [&] { actfun::maxout_backward(Array(y, {3}), std::span(index).first(2), 2, Array(dx, {6})); });
  const Array few(y, {3}), all(dx, {6});
  EXPECT_EQ(actfun_maxout_gradient(&few, nullptr, 2, &all, 0, nullptr, 0), ACTFUN_NULL_POINTER);
}

}  // namespace
