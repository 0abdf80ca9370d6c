// SPDX-License-Identifier: Apache-2.0
// The health check's C interface. Nothing throws past it.
#include <cmath>
#include <memory>
#include <new>
#include <stdexcept>

#include "actfun/health.h"
#include "api/c_checks.h"
#include "health/layer.h"

/// The layer points to the plan: both stay where they are.
struct actfun_health {
  actfun::health::Plan plan;
  actfun::health::Layer layer;

  actfun_health(const actfun::health::Plan& made, std::size_t channels) : plan(made), layer(plan, channels) {}
};

namespace {

using namespace actfun::health;

/// Runs `body`; what it throws becomes a status.
template <class Body>
actfun_status guarded(Body body) noexcept {
  try {
    body();
    return ACTFUN_OK;
  } catch (const std::exception&) {  // too large for memory, or for a layer
    return ACTFUN_BAD_SHAPE;
  }
}

void fill(const Summary& s, std::size_t dead, actfun_health_summary& to) {
  to = {.elements = s.elements,
        .inactive = s.counts[Count::inactive],
        .saturated = s.counts[Count::saturated],
        .nan = s.counts[Count::nan],
        .plus_inf = s.counts[Count::plus_inf],
        .minus_inf = s.counts[Count::minus_inf],
        .zero = s.counts[Count::zero],
        .subnormal = s.counts[Count::subnormal],
        .f16_overflow = s.counts[Count::f16_overflow],
        .f16_subnormal = s.counts[Count::f16_subnormal],
        .f16_underflow = s.counts[Count::f16_underflow],
        .bf16_overflow = s.counts[Count::bf16_overflow],
        .bf16_subnormal = s.counts[Count::bf16_subnormal],
        .bf16_underflow = s.counts[Count::bf16_underflow],
        .lost = s.counts[Count::lost],
        .dead = dead,
        .mean = s.mean,
        .spread = s.spread,
        .f_mean = s.f_mean,
        .f_spread = s.f_spread,
        .gain = s.gain,
        .f_mean_error = s.f_error,
        .gain_error = s.gain_error,
        .largest = static_cast<double>(s.largest)};
}

}  // namespace

extern "C" {

actfun_status actfun_health_new(const actfun_function* f, actfun_format format, size_t channels, double tolerance,
                                int exact, actfun_health** made) {
  if (!made) return ACTFUN_NULL_POINTER;
  *made = nullptr;
  const auto limit = static_cast<float>(tolerance);
  if (!actfun::c::valid(format) || !(limit > 0) || std::isinf(limit)) return ACTFUN_BAD_FORMAT;
  const auto elements = static_cast<actfun::Format>(format);
  const actfun::Entry* entry = nullptr;
  if (f)
    if (const actfun_status status = actfun::c::check(f, entry); status != ACTFUN_OK) return status;
  if (!actfun::c::target_in_use()) return ACTFUN_BAD_TARGET;
  return guarded([&] {
    const Plan plan = f ? Plan(actfun::c::call_of(f, entry), elements, limit, exact != 0) : Plan(elements);
    *made = new actfun_health(plan, channels);
  });
}

void actfun_health_free(actfun_health* check) { delete check; }

actfun_status actfun_health_add(actfun_health* check, const void* x, size_t outer, size_t channels, size_t inner) {
  if (!check) return ACTFUN_NULL_POINTER;
  size_t count = 0;
  if (!actfun::c::multiply(count, outer, channels, inner) || channels != check->layer.channels())
    return ACTFUN_BAD_SHAPE;
  if (!x && count > 0) return ACTFUN_NULL_POINTER;
  const actfun::Target* const target = actfun::c::target_in_use();
  if (!target) return ACTFUN_BAD_TARGET;
  return guarded([&] { check->layer.add(x, {outer, channels, inner}, *target); });
}

actfun_status actfun_health_merge(actfun_health* check, const actfun_health* other) {
  if (!check || !other) return ACTFUN_NULL_POINTER;
  return guarded([&] { check->layer.merge(other->layer); });
}

actfun_status actfun_health_channel(const actfun_health* check, size_t channel, actfun_health_summary* summary) {
  if (!check || !summary) return ACTFUN_NULL_POINTER;
  if (channel >= check->layer.channels()) return ACTFUN_BAD_SHAPE;
  return guarded([&] {
    const Summary s = check->layer.channel(channel);
    fill(s, s.dead, *summary);
  });
}

actfun_status actfun_health_all(const actfun_health* check, actfun_health_summary* summary) {
  if (!check || !summary) return ACTFUN_NULL_POINTER;
  return guarded([&] { fill(check->layer.all(), check->layer.dead(), *summary); });
}

}  // extern "C"
