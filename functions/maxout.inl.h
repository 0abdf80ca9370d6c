// SPDX-License-Identifier: Apache-2.0
// Maxout: the largest of each group of k, and which it was.
struct Maxout {
  static constexpr Info info{
      .name = "maxout",
      .family = "axis",
      .kind = Kind::axis,
      .parameters = {{.name = "k", .preset = 2, .domain = "integer >= 1"}},
      .formula = "max(x_1, ..., x_k)",
      .derivative = "1 for the winner, 0 for the others",
      .range = "(-inf, inf)",
      .paper = "Goodfellow et al. 2013",
      .note = "the first of equals wins; a NaN wins over every number",
  };
};
