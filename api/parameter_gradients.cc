// SPDX-License-Identifier: Apache-2.0
// Sums of derivatives with respect to parameters, over an array or by channel.
#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/factors.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"
#include "backends/cpu/sum.h"

namespace actfun {
namespace {

constexpr std::size_t kTile = kProductTile;

/// The order of additions, by the array's shape alone. Number j of a channel, its rows one behind the other, goes to
/// the channel's sum number j % (rows * inner), and these are folded in the end; but every `stretch` numbers anew.
struct Additions {
  std::size_t rows = kTile, inner = 1, stretch;
  bool short_rows;

  explicit Additions(const Channels& shape) : short_rows(shape.inner <= kTile / 2) {
    std::size_t groups = shape.channels;
    if (short_rows) {
      const std::size_t row = shape.channels * shape.inner;
      rows = std::max<std::size_t>(1, kTile / row), inner = shape.inner;
      groups = (row + kMostSums - 1) / kMostSums;
    }
    const std::size_t period = rows * inner, periods = (shape.outer * shape.inner + period - 1) / period,
                      most = std::max<std::size_t>(1, kStretches / groups), together = shape.channels / groups * period;
    stretch = period * std::max((periods + most - 1) / most, (kLeast + together - 1) / together);
  }

  /// Sums of an array that are kept side by side, in the array's order.
  static constexpr std::size_t kMostSums = 1024;

 private:
  /// Stretches of all channels: so many are enough for threads. Shorter ones are not worth their folding.
  static constexpr std::size_t kStretches = 16, kLeast = 32768;
};

/// Channels that are worked on together.
struct Group {
  std::size_t first, channels;
};

class Groups {
 public:
  Groups(const Call& call, const Channels& shape, const Additions& order) : all_(shape.channels) {
    const bool together = order.short_rows && channels_share_tiles(call, shape);
    const std::size_t sums = shape.varies() ? kTile : Additions::kMostSums,
                      most = together ? std::max<std::size_t>(1, sums / (order.rows * order.inner)) : 1;
    count_ = (all_ + most - 1) / most;
    each_ = (all_ + count_ - 1) / count_;
  }
  std::size_t count() const { return count_; }
  Group operator[](std::size_t i) const { return {i * each_, std::min(each_, all_ - i * each_)}; }

 private:
  std::size_t all_, count_, each_;
};

/// Numbers first to first + n - 1 of a group, its rows one behind the other, as doubles or floats: in `y`, or where
/// they are.
template <class T>
const T* gather(Format format, const Channels& shape, const Group& group, const void* x, std::size_t first, T* y,
                std::size_t n, const Target& target) {
  const std::size_t row = shape.channels * shape.inner,
                    part = group.channels == shape.channels ? shape.size() : group.channels * shape.inner;
  for (std::size_t i = 0; i < n;) {
    const std::size_t at = (first + i) % part, m = std::min(n - i, part - at);
    const void* from = element_at(format, x, (first + i) / part * row + group.first * shape.inner + at);
    reads(from, m * info_of(format).bytes);
    if (std::is_same_v<T, float> && format == Format::f32 && m == n) return static_cast<const T*>(from);
    load(format, from, y + i, m, target.bit);
    i += m;
  }
  return y;
}

}  // namespace

void Call::parameter_gradients(Format format, const Channels& shape, const void* x, const void* g,
                               double* const* gradients, const Target& target) const {
  const DefaultFloatEnvironment environment;
  std::vector<Part> parts;
  std::vector<double*> results;
  for (std::size_t k = 0; k < info().parameters.size(); ++k)
    if (gradients[k]) parts.push_back(gradient_by(k)), results.push_back(gradients[k]);
  if (shape.size() == 0) {
    for (double* result : results) std::fill_n(result, shape.channels, 0.0);
    return;
  }

  const Additions order(shape);
  const Groups groups(*this, shape, order);
  const bool each_its_own = shape.varies() && channels_share_tiles(*this, shape);
  const std::size_t numbers = shape.outer * shape.inner, stretches = (numbers + order.stretch - 1) / order.stretch;
  // By group, stretch and part.
  std::vector<Sums> sums(groups.count() * stretches * parts.size(), Sums(0, target.bit));

  // Number `stretch` of a group, to the sums of its channels.
  const auto add_up = [&](const Group& group, std::size_t stretch, const Factors& factors, EachParameters each,
                          Sums* of_channels) {
    alignas(64) double inputs[kTile], factors_f64[kTile];
    alignas(64) float factors_f32[kTile];
    const std::size_t row = group.channels * order.inner, period = order.rows * row,
                      step = period < kTile ? kTile / period * period : kTile,
                      start = stretch * order.stretch * group.channels,
                      n = std::min(order.stretch, numbers - stretch * order.stretch) * group.channels;
    std::vector<Sums> all;
    for (std::size_t k = 0; k < parts.size(); ++k) all.emplace_back(period, target.bit);
    for (std::size_t i = 0; i < n; i += step) {
      const std::size_t m = std::min(step, n - i);
      const double* from = gather(format, shape, group, x, start + i, inputs, m, target);
      const auto add = [&](const auto* by) {
        for (std::size_t k = 0; k < parts.size(); ++k)
          multiply_and_add(factors[k], from, by, all[k], i % period, m, each);
      };
      if (format == Format::f64)
        add(gather(format, shape, group, g, start + i, factors_f64, m, target));
      else
        add(gather(format, shape, group, g, start + i, factors_f32, m, target));
    }
    for (std::size_t k = 0; k < parts.size(); ++k) {
      all[k].fold(1, order.rows, row), all[k].fold(group.channels, order.inner, 1);
      of_channels[k] = all[k].every(order.inner, group.channels);
    }
  };
  const std::size_t a_thousand = 1 + 1024 / (std::min(order.stretch, numbers) * groups[0].channels);
  in_parts(groups.count() * stretches, a_thousand, threads, [&](std::size_t first, std::size_t count) {
    std::optional<Factors> factors;
    std::optional<ParametersOfElements> of_elements;
    for (std::size_t i = first; i < first + count; ++i) {
      const Group group = groups[i / stretches];
      EachParameters each;
      if (each_its_own) {
        if (!of_elements) of_elements.emplace(*this, shape);
        each = (*of_elements)(group.first, group.channels, group.first, kTile / shape.inner * shape.inner);
      }
      if (!factors || (shape.varies() && !each_its_own))
        factors.emplace(call_of_channel(*this, shape, group.first), parts, target);
      add_up(group, i % stretches, *factors, each, &sums[i * parts.size()]);
    }
  });
  for (std::size_t i = 0; i < groups.count(); ++i)
    for (std::size_t k = 0; k < parts.size(); ++k) {
      Sums& all = sums[i * stretches * parts.size() + k];
      for (std::size_t stretch = 1; stretch < stretches; ++stretch)
        all.add(sums[(i * stretches + stretch) * parts.size() + k]);
      all.values(results[k] + groups[i].first);
    }
}

}  // namespace actfun
