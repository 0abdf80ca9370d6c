// SPDX-License-Identifier: Apache-2.0
#include "health/verdict.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace actfun::health {
namespace {

__attribute__((format(printf, 1, 2))) std::string print(const char* format, ...) {
  char text[256];
  va_list list;
  va_start(list, format);
  std::vsnprintf(text, sizeof text, format, list);
  va_end(list);
  return text;
}

double share(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}
double percent(std::uint64_t part, std::uint64_t all) { return 100 * share(part, all); }

bool constant(const Summary& s) {
  return s.finite() > 1 && !s.dead && s.spread <= limits::kConstantSpread * std::fabs(s.mean);
}

unsigned long long long_of(std::uint64_t n) { return n; }

}  // namespace

std::string_view name_of(Level level) {
  static constexpr std::string_view names[] = {"healthy", "warning", "sick"};
  return names[static_cast<int>(level)];
}

double headroom(const Summary& summary, Format format) {
  return std::log2(info_of(format).largest / static_cast<double>(summary.largest));
}

Diagnosis diagnose(const Layer& layer) {
  Diagnosis d;
  d.all = layer.all();
  const Summary& all = d.all;
  for (std::size_t c = 0; c < layer.channels(); ++c) {
    d.channels.push_back(layer.channel(c));
    d.dead += d.channels.back().dead;
    d.constant += constant(d.channels.back());
  }
  const std::size_t units = d.channels.size();
  const bool function = layer.plan().call.has_value();
  const auto find = [&](Level level, std::string_view name, std::string reason, std::string_view help) {
    d.findings.push_back({level, name, std::move(reason), help});
    d.verdict = std::max(d.verdict, level);
  };
  const auto levels = [](double value, double warning, double sick) {
    return value >= sick ? Level::sick : value >= warning ? Level::warning : Level::healthy;
  };

  if (const std::uint64_t n = all.counts[nan]; n > 0)
    find(Level::sick, "NaN", print("%llu elements of %llu are NaN", long_of(n), long_of(all.elements)),
         "Look for the first layer that has them, in the order of the forward pass. Usual causes: 0/0 or inf - inf "
         "after "
         "an overflow, the logarithm of a negative number, rows that are masked altogether. Lower the learning rate, "
         "clip gradients.");
  if (const std::uint64_t n = all.infinite(); n > 0)
    find(Level::sick, "infinite", print("%llu elements of %llu are infinite", long_of(n), long_of(all.elements)),
         "Something overflowed. Lower the learning rate, clip gradients, normalise; bf16 or f32 instead of f16.");

  const double rms = std::hypot(all.mean, all.spread);
  if (const Level level = levels(rms, limits::kLarge, limits::kHuge); level != Level::healthy)
    find(level, "exploding", print("the root of the mean square is %.3g", rms),
         "Smaller initial weights (He or Glorot by the function's gain), normalisation before the function, a lower "
         "learning rate or a warm-up, clipped gradients.");
  if (rms > 0 && rms < limits::kSmall)
    find(rms < limits::kTiny ? Level::sick : Level::warning, "vanishing",
         print("the root of the mean square is %.3g", rms),
         "Larger initial weights (He or Glorot by the function's gain), normalisation, residual connections.");

  if (const Level level = levels(share(d.dead, units), limits::kDead, limits::kDeadSick); level != Level::healthy)
    find(level, "dead units",
         print("%zu units of %zu (%.1f %%) %s for all %llu elements", d.dead, units, percent(d.dead, units),
               function ? "have f = f' = 0" : "are 0", long_of(all.elements)),
         "No gradient reaches them again. Lower the learning rate or warm it up, look for large negative biases, use "
         "He's "
         "initialisation, or a function that keeps a slope: leaky_relu, prelu, elu, gelu, silu.");
  if (const Level level = levels(share(d.constant, units), limits::kConstant, 2); level != Level::healthy)
    find(level, "constant units",
         print("%zu units of %zu (%.1f %%) hardly change with the data", d.constant, units, percent(d.constant, units)),
         "They say nothing about the input. Look for dead units in the layer before, weights that all are equal or "
         "zero, "
         "and batches that repeat.");
  if (function) {
    const std::uint64_t flat = all.counts[saturated] - std::min(all.counts[saturated], all.counts[inactive]);
    if (const Level level = levels(share(flat, all.elements), limits::kSaturated, limits::kSaturatedSick);
        level != Level::healthy)
      find(level, "saturated",
           print("%.1f %% of the elements have |f'| < %g and are not inactive", percent(flat, all.elements),
                 static_cast<double>(layer.plan().tolerance)),
           "Hardly any gradient passes them. Smaller initial weights (Glorot by the function's gain), normalisation "
           "before "
           "the function, a lower learning rate, or a function that is not flat on both sides.");
    if (all.gain < limits::kLeastGain)
      find(Level::warning, "small gain",
           print("E[f'^2] = %.3g: unless the weights make up for it, gradients shrink by %.3g in this layer", all.gain,
                 std::sqrt(all.gain)),
           "Initialise the weights by the function's gain, normalise before the function, add residual connections, or "
           "take a function with a steeper slope.");
    if (all.gain > limits::kLargestGain)
      find(Level::warning, "large gain",
           print("E[f'^2] = %.3g: unless the weights make up for it, gradients grow by %.3g in this layer", all.gain,
                 std::sqrt(all.gain)),
           "Smaller weights, normalisation before the function, clipped gradients.");
    if (const std::uint64_t n = all.counts[lost]; n > 0)
      find(Level::warning, "overflow of f", print("f or f' is not finite for %llu finite elements", long_of(n)),
           "Smaller arguments, or a function that grows more slowly.");
  }
  const Format format = layer.plan().format;
  if (const std::uint64_t n = all.counts[f16_overflow]; n > 0 && format != Format::f16)
    find(Level::warning, "too large for f16", print("%llu elements would be infinite in f16", long_of(n)),
         "Train this layer in bf16 or f32, or normalise before it.");
  if (const double lost_share = share(all.counts[f16_underflow], all.elements); lost_share >= limits::kUnderflow)
    find(Level::warning, "too small for f16", print("%.1f %% of the elements would be 0 in f16", 100 * lost_share),
         "Scale the loss, or use bf16 or f32.");
  return d;
}

}  // namespace actfun::health
