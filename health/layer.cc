// SPDX-License-Identifier: Apache-2.0
#include "health/layer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "backends/cpu/float_environment.h"

namespace actfun::health {
namespace {

/// Channels whose elements lie together in runs of at least this length are counted run by run.
constexpr std::size_t kRun = 128;
/// Rows shorter than this are taken together.
constexpr std::size_t kShortRow = 256;
/// Elements of a part, so that its sums are worth being added exactly, and at least as many rows.
constexpr std::size_t kPart = std::size_t{1} << 22, kPartRows = 1024;
/// Elements of a run that are looked at at a time.
constexpr std::size_t kRunPiece = std::size_t{1} << 16;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// high + low, where |low| is at most half a unit in the last place of high: twice a double's precision.
struct Pair {
  double high = 0, low = 0;
};
Pair sum(double a, double b) {  // exact (Knuth)
  const double s = a + b, t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
Pair product(double a, double b) {  // exact (Dekker, Veltkamp)
  const auto split = [](double x) {
    const double t = 134217729.0 * x, high = t - (t - x);
    return Pair{high, x - high};
  };
  const double p = a * b;
  const Pair x = split(a), y = split(b);
  return {p, ((x.high * y.high - p) + x.high * y.low + x.low * y.high) + x.low * y.low};
}
Pair operator-(Pair a, Pair b) {
  const Pair s = sum(a.high, -b.high);
  return sum(s.high, s.low + (a.low - b.low));
}
Pair operator*(Pair a, Pair b) {
  const Pair p = product(a.high, b.high);
  return sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}
Pair operator/(Pair a, double n) {
  const double q = a.high / n;
  const Pair back = product(q, n);
  return sum(q, (((a.high - back.high) - back.low) + a.low) / n);
}

/// The mean and the standard deviation (of all, not of a sample) from a sum and a sum of squares.
struct Moments {
  double mean = kNan, spread = kNan;
};
Moments moments(const ExactSum& total, const ExactSum& squares, std::uint64_t n) {
  if (n == 0) return {};
  const auto count = static_cast<double>(n);
  const Pair first{total.value(), total.rest()}, second{squares.value(), squares.rest()};
  const Pair mean = first / count;
  const Pair variance = second / count - mean * mean;
  return {mean.high, std::sqrt(std::max(0.0, variance.high))};
}

void check_channels(std::size_t channels) {
  if (channels == 0) throw std::invalid_argument("there are no channels");
  if (channels > kMostChannels)
    throw std::invalid_argument(std::to_string(channels) + " channels: at most " + std::to_string(kMostChannels) +
                                " are allowed; is this the channel axis?");
}

}  // namespace

Cut::Cut(Shape shape) : shape_(shape) {
  const std::size_t slab = shape.channels * shape.inner, size = shape.size();
  runs_ = shape.inner >= kRun && shape.channels > 1;
  if (runs_) {
    columns_ = kLanes * shape.channels;
    step_ = std::max<std::size_t>(1, kPart / shape.inner);
    if (step_ > shape.channels) step_ -= step_ % shape.channels;
    const std::size_t runs = shape.outer * shape.channels;
    parts_ = (runs + step_ - 1) / step_;
  } else {
    columns_ = slab;
    if (slab < kShortRow) columns_ *= kLanes / std::gcd(slab, kLanes);  // so that no row has a rest
    step_ = 1;
    parts_ = 0;
    if (size == 0) return;
    const std::size_t rows = (size + columns_ - 1) / columns_;
    step_ = std::max(kPartRows, kPart / columns_ / kBlockRows * kBlockRows);
    parts_ = (rows + step_ - 1) / step_;
  }
  if (size == 0) parts_ = 0;
}

std::size_t Cut::channel_of(std::size_t column) const {
  return runs_ ? column / kLanes : column / shape_.inner % shape_.channels;
}

std::size_t Cut::channel_of_element(std::size_t element) const { return element / shape_.inner % shape_.channels; }

std::size_t Cut::first(std::size_t part) const {
  return std::min(shape_.size(), part * step_ * (runs_ ? shape_.inner : columns_));
}

std::size_t Cut::largest_piece() const {
  return std::min(shape_.size(), runs_ ? std::min(kRunPiece, shape_.inner) : kBlockRows * columns_);
}

void Cut::for_pieces(std::size_t part, const std::function<void(const Piece&)>& body) const {
  const std::size_t end = first(part + 1);
  std::size_t at = first(part);
  // `limit` elements from `at` on as whole rows, then as the rest of one.
  const auto rows = [&](std::size_t limit, std::size_t width, std::size_t column) {
    if (limit >= width) body({at, limit / width, width, column});
    const std::size_t rest = limit % width;
    if (rest > 0) body({at + limit - rest, 1, rest, column});
    at += limit;
  };
  if (!runs_) {
    while (at < end) rows(std::min(end - at, kBlockRows * columns_), columns_, 0);
    return;
  }
  while (at < end) {
    const std::size_t within = at % shape_.inner, channel = at / shape_.inner % shape_.channels;
    rows(std::min(shape_.inner - within, kRunPiece), kLanes, kLanes * channel);
  }
}

Layer::Layer(const Plan& plan, std::size_t channels) : plan_(&plan), channels_(channels), exact_(plan.exact) {
  check_channels(channels);
  state_.elements.assign(channels, 0);
  state_.counts.assign(kCounts * channels, 0);
  state_.bins.assign(kBins * channels, 0);
  state_.largest.assign(channels, 0);
  state_.sums.assign(kSums * channels, {});
}

void Layer::add(const void* x, Shape shape, const Target& target) {
  if (shape.channels != channels_)
    throw std::invalid_argument("the array has " + std::to_string(shape.channels) + " channels, the layer " +
                                std::to_string(channels_));
  const Cut cut(shape);
  std::vector<float> floats;
  const Get get = [&](std::size_t first, std::size_t n) -> const float* {
    if (plan_->format == Format::f32) return static_cast<const float*>(x) + first;
    floats.resize(n);
    to_floats(plan_->format, static_cast<const char*>(x) + first * info_of(plan_->format).bytes, floats.data(), n,
              target);
    return floats.data();
  };
  for (std::size_t part = 0; part < cut.parts(); ++part) add_part(cut, part, get, target);
}

void Layer::add_part(const Cut& cut, std::size_t part, const Get& get, const Target& target) {
  const DefaultFloatEnvironment environment;
  if (scratch_.empty() || scratch_[0].width != cut.columns())
    scratch_.assign(1, Columns(cut.columns()));
  else
    scratch_[0].clear();
  cut.for_pieces(part, [&](const Cut::Piece& piece) {
    const float* const x = get(piece.element, piece.size());
    count(*plan_, x, piece.rows, piece.width, piece.width, scratch_[0], piece.column, target);
    if (plan_->exact) add_exactly(piece, x, cut, target);
    if (cut.runs()) state_.elements[cut.channel_of(piece.column)] += piece.size();
  });
  if (!cut.runs())
    for (std::uint64_t& elements : state_.elements) elements += (cut.first(part + 1) - cut.first(part)) / channels_;
  flush(scratch_[0], cut);
}

/// Adds the sums of a piece without rounding: what they are depends on the elements alone.
void Layer::add_exactly(const Cut::Piece& piece, const float* x, const Cut& cut, const Target& target) {
  constexpr std::size_t kTile = 1024;
  float y[kTile], slope[kTile];
  for (std::size_t from = 0; from < piece.size(); from += kTile) {
    const std::size_t n = std::min(kTile, piece.size() - from);
    if (plan_->call) plan_->call->evaluate_value_and_slope(x + from, y, slope, n, target);
    for (std::size_t i = 0; i < n; ++i) {
      ExactSum* const sums = &state_.sums[cut.channel_of_element(piece.element + from + i)];
      const auto add = [&](Sum which, float value, bool squared) {
        const auto wide = static_cast<double>(value);
        sums[which * channels_].add(squared ? wide * wide : wide);
      };
      if (!std::isfinite(x[from + i])) continue;
      add(sum_x, x[from + i], false);
      add(sum_xx, x[from + i], true);
      if (!plan_->call || !std::isfinite(y[i]) || !std::isfinite(slope[i])) continue;
      add(sum_f, y[i], false);
      add(sum_ff, y[i], true);
      add(sum_gg, slope[i], true);
    }
  }
}

/// Columns are added to their channels in their order, the sums of a channel then exactly to what is known.
void Layer::flush(const Columns& columns, const Cut& cut) {
  std::vector<std::size_t> channel(columns.width);
  for (std::size_t column = 0; column < columns.width; ++column) channel[column] = cut.channel_of(column);
  const auto fold = [&](const auto& from, auto& to, std::size_t kinds, auto combine) {
    for (std::size_t kind = 0; kind < kinds; ++kind)
      for (std::size_t column = 0; column < columns.width; ++column) {
        auto& total = to[kind * channels_ + channel[column]];
        total = combine(total, from[kind * columns.stride + column]);
      }
  };
  fold(columns.counts, state_.counts, kCounts, std::plus<std::uint64_t>());
  fold(columns.bins, state_.bins, kBins, std::plus<std::uint64_t>());
  fold(columns.largest, state_.largest, 1, [](float a, float b) { return std::max(a, b); });

  if (plan_->exact) return;
  std::vector<double> sums(kSums * channels_);
  fold(columns.sums, sums, kSums, std::plus<double>());
  if (plan_->call && !plan_->exact) {  // where zeros were usual, f(0) and f'(0)^2 take the place of the cubics' values
    const auto [f, slope] = plan_->curve.at(kCells / 2, 0);
    const float ff = f * f, gg = slope * slope;
    const auto right_f = static_cast<double>(plan_->value_at_zero),
               right_slope = static_cast<double>(plan_->slope_at_zero);
    const double f_less = right_f - static_cast<double>(f), ff_less = right_f * right_f - static_cast<double>(ff),
                 gg_less = right_slope * right_slope - static_cast<double>(gg);
    std::vector<std::uint64_t> zeros(channels_);
    for (std::size_t column = 0; column < columns.width; ++column)
      zeros[channel[column]] += columns.counts[replaced * columns.stride + column];
    for (std::size_t c = 0; c < channels_; ++c) {
      const auto n = static_cast<double>(zeros[c]);
      sums[sum_f * channels_ + c] += n * f_less;
      sums[sum_ff * channels_ + c] += n * ff_less;
      sums[sum_gg * channels_ + c] += n * gg_less;
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i) state_.sums[i].add(sums[i]);
}

void Layer::merge(const Layer& other) {
  const auto differ = [](const std::string& what, const std::string& a, const std::string& b) {
    throw std::invalid_argument("they differ in " + what + ": " + a + " and " + b);
  };
  if (channels_ != other.channels_)
    differ("their channels", std::to_string(channels_), std::to_string(other.channels_));
  if (plan_->format != other.plan_->format)
    differ("their format", std::string(info_of(plan_->format).name), std::string(info_of(other.plan_->format).name));
  const auto function = [](const Plan& plan) { return plan.call ? plan.call->text() : "none (activations)"; };
  if (function(*plan_) != function(*other.plan_)) differ("their function", function(*plan_), function(*other.plan_));
  if (plan_->call && plan_->call->kinks != other.plan_->call->kinks)
    differ("their derivatives at kinks", std::string(name_of(plan_->call->kinks)),
           std::string(name_of(other.plan_->call->kinks)));
  if (plan_->call && plan_->tolerance != other.plan_->tolerance)
    differ("their tolerance", std::to_string(plan_->tolerance), std::to_string(other.plan_->tolerance));

  const auto add = [](auto& to, const auto& from) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
  };
  add(state_.elements, other.state_.elements);
  add(state_.counts, other.state_.counts);
  add(state_.bins, other.state_.bins);
  for (std::size_t i = 0; i < state_.sums.size(); ++i) state_.sums[i].add(other.state_.sums[i]);
  for (std::size_t c = 0; c < channels_; ++c) state_.largest[c] = std::max(state_.largest[c], other.state_.largest[c]);
  exact_ = exact_ && other.exact_;
}

Summary Layer::summary(std::size_t from, std::size_t to) const {
  Summary s{};
  ExactSum sums[kSums];
  for (std::size_t c = from; c < to; ++c) {
    s.elements += state_.elements[c];
    for (std::size_t i = 0; i < kCounts; ++i) s.counts[i] += state_.counts[i * channels_ + c];
    for (std::size_t i = 0; i < kBins; ++i) s.bins[i] += state_.bins[i * channels_ + c];
    for (std::size_t i = 0; i < kSums; ++i) sums[i].add(state_.sums[i * channels_ + c]);
    s.largest = std::max(s.largest, state_.largest[c]);
  }
  const Moments x = moments(sums[sum_x], sums[sum_xx], s.finite());
  s.mean = x.mean;
  s.spread = x.spread;
  s.f_mean = s.f_spread = s.gain = kNan;
  if (plan_->call) {
    const std::uint64_t kept = s.finite() - s.counts[lost];
    const Moments f = moments(sums[sum_f], sums[sum_ff], kept);
    s.f_mean = f.mean;
    s.f_spread = f.spread;
    if (kept > 0) s.gain = sums[sum_gg].value() / static_cast<double>(kept);
    for (std::size_t b = 0; b < kBins && kept > 0 && !exact_; ++b) {
      const double share = static_cast<double>(s.bins[b]) / static_cast<double>(kept);
      s.f_error += share * plan_->value_error[b];
      s.gain_error += share * plan_->gain_error[b];
    }
  }
  s.dead = s.elements > 0 && s.counts[inactive] == s.elements;
  return s;
}
Summary Layer::channel(std::size_t c) const { return summary(c, c + 1); }
Summary Layer::all() const { return summary(0, channels_); }

std::size_t Layer::dead() const {
  std::size_t count = 0;
  for (std::size_t c = 0; c < channels_; ++c) {
    const std::uint64_t n = state_.elements[c];
    count += n > 0 && state_.counts[inactive * channels_ + c] == n;
  }
  return count;
}

void Layer::restore(State state) {
  if (state.elements.size() != channels_ || state.counts.size() != kCounts * channels_ ||
      state.bins.size() != kBins * channels_ || state.largest.size() != channels_ ||
      state.sums.size() != kSums * channels_)
    throw std::invalid_argument("its lists have not the length that its channels need");
  for (std::size_t c = 0; c < channels_; ++c) {
    const auto of = [&](Count which) { return state.counts[which * channels_ + c]; };
    const std::uint64_t n = state.elements[c];
    std::uint64_t parts = 0;
    bool more = false;
    for (const Count which : {nan, plus_inf, minus_inf, lost}) more |= __builtin_add_overflow(parts, of(which), &parts);
    for (const Count which : {zero, saturated, inactive, subnormal}) more |= of(which) > n;
    if (more || parts > n) throw std::invalid_argument("it counts more elements than there are");
  }
  state_ = std::move(state);
}

void to_floats(Format format, const void* x, float* y, std::size_t n, const Target& target) {
  if (format == Format::f32) {
    std::memcpy(y, x, n * sizeof *y);
  } else if (format == Format::f64) {
    constexpr float largest = std::numeric_limits<float>::max(), least = std::numeric_limits<float>::denorm_min();
    for (std::size_t i = 0; i < n; ++i) {
      double value;
      std::memcpy(&value, static_cast<const char*>(x) + i * sizeof value, sizeof value);
      const auto rounded = static_cast<float>(value);
      if (std::isinf(rounded) && std::isfinite(value))
        y[i] = std::copysign(largest, rounded);
      else
        y[i] = rounded == 0 && value != 0 ? std::copysign(least, rounded) : rounded;
    }
  } else {
    conversions(format, target.bit).widen(x, y, n);
  }
}

}  // namespace actfun::health
