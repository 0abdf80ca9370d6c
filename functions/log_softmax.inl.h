// SPDX-License-Identifier: Apache-2.0
// The logarithm of softmax along an axis, without ever forming the softmax.
struct LogSoftmax {
  static constexpr Info info{
      .name = "log_softmax",
      .family = "axis",
      .kind = Kind::axis,
      .formula = "x_i - m - log(sum_j(exp(x_j - m))), m = max_j(x_j)",
      .derivative = "delta_ij - exp(y_j)",
      .range = "[-inf, 0]",
      .paper = "Bridle 1990",
      .note =
          "one +inf in a row: the limit, 0 there and -inf elsewhere; several, or -inf everywhere: no limit, NaN; "
          "any NaN: all NaN",
  };
};
