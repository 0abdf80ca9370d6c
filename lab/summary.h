// SPDX-License-Identifier: Apache-2.0
// Numbers of several runs taken together.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace actfun::lab {

using Json = nlohmann::ordered_json;

/// The numbers of an array, null as NaN.
std::vector<double> numbers(const Json& array);
/// The last number of an array; NaN when it is empty.
double last(const Json& array);
/// The numbers that all layers of a run have for `key` ("gradient", "dead", ...) at one entry; -1 is the last one.
std::vector<double> by_layer(const Json& run, const std::string& key, std::ptrdiff_t entry);
/// The mean over the layers of a run, entry by entry.
std::vector<double> over_layers(const Json& run, const std::string& key);

struct Summary {
  double mean = 0, deviation = 0;  ///< of a sample: divided by count - 1; 0 for one number
  double low = 0, high = 0;
  std::size_t count = 0;  ///< of finite numbers; all others are left out
};
Summary summary(const std::vector<double>& values);

/// Mean, lowest and highest of several curves, entry by entry, as far as any of them goes.
struct Band {
  std::vector<double> x, mean, low, high;
};
Band band(const std::vector<std::vector<double>>& curves, double first_x = 0);

/// "0.95 ± 0.01": mean and deviation with `digits` decimals; "-" for nothing.
std::string plus_minus(const Summary& summary, int digits);

}  // namespace actfun::lab
