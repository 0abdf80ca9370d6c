// SPDX-License-Identifier: Apache-2.0
// Backward passes that keep one bit an element in the place of the input.
#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "api/expression.h"
#include "api/inverse.h"
#include "api/kinks.h"
#include "api/parts.h"
#include "backends/cpu/float_environment.h"
#include "backends/cpu/inverse.h"

namespace actfun {
namespace {

constexpr std::size_t kTile = 1024;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Elements of an array of a format, by the byte.
class Elements {
 public:
  Elements(Format format, const void* data) : bytes_(info_of(format).bytes), data_(static_cast<const char*>(data)) {}
  const void* at(std::size_t i) const { return data_ + i * bytes_; }
  void* to(std::size_t i) const { return const_cast<char*>(data_) + i * bytes_; }

 private:
  std::size_t bytes_;
  const char* data_;
};

bool bit(const std::uint8_t* bits, std::size_t i) { return bits[i / 8] >> (i % 8) & 1; }

/// set(i) for n elements, as bits from the first of `bits` on.
template <class Set>
void pack(std::uint8_t* bits, std::size_t n, const Set& set) {
  for (std::size_t i = 0; i < n; i += 8) {
    unsigned byte = 0;
    for (std::size_t k = 0; k < std::min<std::size_t>(8, n - i); ++k) byte |= (set(i + k) ? 1u : 0u) << k;
    bits[i / 8] = static_cast<std::uint8_t>(byte);
  }
}

// ---- f' has two values

/// The values that f' takes by the call's convention, in order; three stand for more.
List<long double, 3> slopes(const Call& call) {
  List<long double, 3> all;
  const auto add = [&](std::string_view text) {
    const auto slope = evaluate(text, call);
    const bool known = slope && std::find(all.begin(), all.end(), *slope) != all.end();
    if (slope && !known && all.count < 3) all.items[all.count++] = *slope;
  };
  for (std::size_t i = 0; i < call.info().kinks.size(); ++i) {
    const OneSided& slope = call.info().kinks[i].slope;
    add(slope.left), add(slope.right), add(call.slope_at(i));
  }
  std::sort(all.items, all.items + all.count);
  return all;
}
bool piecewise_linear(const Call& call) {
  return call.info().second_derivative == "0" && !call.info().kinks.empty();
}

/// f' at a number, by the call's convention, as the nearest double.
double slope_at(const Call& call, double x, const Target& target) {
  call.apply(Order::slope, Format::f64, &x, &x, 1, target);
  return x;
}

/// A number of the format where f' has this value; NaN where there is none.
double representative(const Call& call, Format format, double slope, const Target& target) {
  std::vector<double> kinks, places = {0, 1, -1};
  for (const Kink& kink : call.info().kinks)
    if (const auto x = evaluate(kink.x, call)) kinks.push_back(static_cast<double>(*x));
  for (const double kink : kinks) {
    places.insert(places.end(), {2 * kink + 1, 2 * kink - 1, std::midpoint(kink, kinks.front())});
    const double at = round_to(format, kink);
    for (const double side : {-1.0, 1.0}) {  // of the format's neighbours of the kink, those that are surely others
      const double step = std::ldexp(side * std::max(std::fabs(at), info_of(format).least()), 2 - info_of(format).precision);
      places.insert(places.end(), {at, at + step});
    }
  }
  for (const double place : places)
    if (const double x = round_to(format, place); slope_at(call, x, target) == slope) return x;
  return std::numeric_limits<double>::quiet_NaN();
}

class TwoSlopes {
 public:
  TwoSlopes(const Call& call, Format format, const Target& target) : call_(call), format_(format), target_(target) {
    const auto all = slopes(call);
    off_ = static_cast<double>(all[0]), on_ = static_cast<double>(all[all.size() - 1]);
  }

  /// Whether f' is the larger one at each x.
  void tell(const void* x, std::uint8_t* bits, std::size_t n) const {
    double slope[kTile];
    convert(format_, x, Format::f64, slope, n, target_.bit);
    call_.apply(Order::slope, Format::f64, slope, slope, n, target_);
    pack(bits, n, [&](std::size_t i) { return slope[i] == on_; });
  }

 private:
  const Call& call_;
  Format format_;
  const Target& target_;
  double off_, on_;
};

}  // namespace
}  // namespace actfun
