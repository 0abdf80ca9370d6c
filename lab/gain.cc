// SPDX-License-Identifier: Apache-2.0
#include "lab/gain.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "api/expression.h"
#include "tool/text.h"

namespace actfun::lab {
namespace {

/// Beyond, the normal density is below 1e-55: nothing that grows like exp(x) reaches over it.
constexpr double kFar = 16;
constexpr double kWidth = 1.0 / 32;  ///< of a piece without kinks that one Gauss rule integrates

/// Points x and weights for the mean of a function of a normal x, cut so that no kink lies inside a piece:
/// Gauss-Legendre of five points on each piece of [-kFar, kFar] deviations.
struct Quadrature {
  std::vector<double> x, weight;

  Quadrature(const Call& call, double deviation) {
    std::vector<double> cuts = {-kFar, kFar};
    for (const Kink& kink : call.info().kinks)
      if (const auto at = evaluate(kink.x, call); at && std::fabs(*at) < kFar * deviation)
        cuts.push_back(static_cast<double>(*at) / deviation);
    for (double at = -kFar + kWidth; at < kFar; at += kWidth) cuts.push_back(at);
    std::sort(cuts.begin(), cuts.end());
    const double root = std::sqrt(10.0 / 7), near = std::sqrt(5 - 2 * root) / 3, far = std::sqrt(5 + 2 * root) / 3;
    const double large = (322 + 13 * std::sqrt(70.0)) / 900, small = (322 - 13 * std::sqrt(70.0)) / 900;
    for (std::size_t i = 1; i < cuts.size(); ++i) {
      const double middle = (cuts[i - 1] + cuts[i]) / 2, half = (cuts[i] - cuts[i - 1]) / 2;
      for (const auto& [node, share] :
           {std::pair{0.0, 128.0 / 225}, {-near, large}, {near, large}, {-far, small}, {far, small}}) {
        const double at = middle + half * node;
        x.push_back(deviation * at);
        weight.push_back(half * share * std::exp(-at * at / 2) / std::sqrt(2 * std::numbers::pi));
      }
    }
  }
};

}  // namespace

double Moments::gain() const { return slope > 0 ? 1 / std::sqrt(slope) : std::numeric_limits<double>::infinity(); }

Moments moments(const Call& call, double deviation) {
  if (call.info().name == "maxout") return {deviation * deviation, 1};
  if (!call.entry->elementwise()) tool::fail("{} works on rows: it has no gain", call.text());
  const Quadrature quadrature(call, deviation);
  const auto mean_square = [&](Order order) {
    std::vector<double> y(quadrature.x.size());
    call.apply(order, Format::f64, quadrature.x.data(), y.data(), y.size(), current_target());
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += quadrature.weight[i] * y[i] * y[i];
    return sum;
  };
  return {mean_square(Order::value), mean_square(Order::slope)};
}

double weight_variance(Initialiser initialiser, double gain, Index in, Index out) {
  const auto n = static_cast<double>(in), m = static_cast<double>(out);
  switch (initialiser) {
    case Initialiser::he:
      return gain * gain / n;
    case Initialiser::glorot:
      return 2 * gain * gain / (n + m);
    case Initialiser::lecun:
      return 1 / n;
  }
  return 0;
}

}  // namespace actfun::lab
