// SPDX-License-Identifier: Apache-2.0
// Softmax along an axis.
struct Softmax {
  static constexpr Info info{
      .name = "softmax",
      .family = "axis",
      .kind = Kind::axis,
      .formula = "exp(x_i - m)/sum_j(exp(x_j - m)), m = max_j(x_j)",
      .derivative = "y_i*(delta_ij - y_j)",
      .range = "[0, 1]",
      .paper = "Bridle 1990",
      .note = "one +inf in a row: the limit, one-hot; several, or -inf everywhere: no limit, NaN; any NaN: all NaN",
  };
};
