// SPDX-License-Identifier: Apache-2.0
// Samples with labels, from files: NumPy's .npy, IDX (the format of MNIST) and CSV, each also compressed by gzip.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/matrix.h"

namespace actfun::lab {

struct Samples {
  Matrix<float> x;  ///< a sample a row
  std::vector<int> labels;
  std::size_t size() const { return labels.size(); }
};

struct Data {
  std::string name;
  Samples train, test;
  int classes = 0;
  std::string hash;  ///< of all numbers, in hexadecimal: runs on other data are other runs
};

struct DataOptions {
  std::string data{}, labels{};            ///< files; a CSV file without `labels` has them in its last column
  std::string test_data{}, test_labels{};  ///< if there are none, a share of the samples is set aside
  double test_share = 0.2;                 ///< (0, 1)
  int classes = 0;                         ///< 0: the largest label and 1 more
  bool standardise = true;                 ///< every feature to mean 0, deviation 1 over the training samples
};

/// The handwritten digits of the repository, or of the installed program: data/README.md.
DataOptions digits();

/// Throws what is wrong with which file: a format that is not known, a file that ends too early or has gzip errors,
/// shapes that do not fit, a NaN or infinity (with its place), labels that are not integers from 0 to classes - 1.
/// Which samples are set aside depends on their number alone.
Data read_data(const DataOptions& options);

/// The parts of it, for tests: the numbers of a file as a table, each row a sample (an array of one dimension is one
/// column), and what the first bytes or the name tell of its format.
struct Table {
  Index rows = 0, columns = 0;
  std::vector<double> values;
};
Table read_table(const std::string& path);

}  // namespace actfun::lab
