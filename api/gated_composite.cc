// SPDX-License-Identifier: Apache-2.0
#include "api/gated_composite.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "backends/cpu/rounding.h"

namespace actfun {
namespace {

constexpr std::size_t kTile = kProductTile;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

/// A number within `error` of `value`. Sums and products round by 2^-53 each.
struct Near {
  double value, error = 0;
  Near(double x, double e = 0) : value(x), error(e) {}  // NOLINT: exact numbers convert
};
Near operator*(Near a, Near b) {
  const double y = a.value * b.value;
  return {y, std::fabs(a.value) * b.error + std::fabs(b.value) * a.error + a.error * b.error + std::fabs(y) * 0x1p-52};
}
Near operator+(Near a, Near b) {
  const double y = a.value + b.value;
  return {y, a.error + b.error + std::fabs(y) * 0x1p-52};
}

/// The same for high + low. An error of infinity: nothing is known.
struct Wide {
  double high, low = 0, error = 0;
  Wide(double x) : high(x) {}  // NOLINT: exact numbers convert
  Wide(double h, double l, double e) : high(h), low(l), error(e) {}
};
Wide operator*(Wide a, Wide b) {
  const double high = a.high * b.high, rest = std::fma(a.high, b.high, -high);
  const double size = std::fabs(high);
  const double error = std::fabs(a.high) * b.error + std::fabs(b.high) * a.error + a.error * b.error + size * 0x1p-98;
  const bool usual = high == 0 ? a.high == 0 || b.high == 0 : size > 0x1p-900 && size < 0x1p900;
  return {high, rest + (a.high * b.low + a.low * b.high), usual ? error : kInfinity};
}
Wide operator+(Wide a, Wide b) {
  const double high = a.high + b.high, t = high - a.high, rest = (a.high - (high - t)) + (b.high - t);
  return {high, rest + (a.low + b.low), a.error + b.error + (std::fabs(a.high) + std::fabs(b.high)) * 0x1p-98};
}

/// Whether a number lies beyond a limit: 1, 0, or -1 where that is not known.
int beyond(Near a, double limit) { return a.value - a.error > limit ? 1 : a.value + a.error <= limit ? 0 : -1; }
int beyond(Wide a, double limit) {
  const double distance = (a.high - limit) + a.low, error = a.error + std::fabs(a.high) * 0x1p-50;
  return distance > error ? 1 : distance < -error ? 0 : -1;
}
int beyond(const big::Big& a, double limit) { return (a > big::Big(limit)).holds ? 1 : 0; }

/// What a convention says of f(x), or null.
const Exception* exception_at(const Factor& f, double x) {
  for (const Exception& each : f.exceptions)
    if (each.x == x) return &each;
  return nullptr;
}

Near unknown(Near a) { return {a.value, kInfinity}; }
Wide unknown(Wide a) { return {a.high, a.low, kInfinity}; }
big::Big unknown(const big::Big& a) { return a; }

/// 1 / beta as a sum of two doubles.
Constant inverse(double beta) {
  const double high = 1 / beta;
  return {high, std::fma(-high, beta, 1) / beta};
}

Call soft_limit(double beta) {
  Call call = parse_function("scaled_tanh");
  call.parameters[0] = beta, call.parameters[1] = 1 / beta;
  return call;
}
constexpr Part kValueAndSlope[] = {Part::value, Part::slope};

}  // namespace

GatedComposite::SoftLimit::SoftLimit(double beta, const Target& target)

    : beta_(beta), constants_{Constant{beta}, inverse(beta)}, factors_(soft_limit(beta), kValueAndSlope, target) {
  value = factors_[0], slope = factors_[1];
  value.parameters = slope.parameters = constants_.data();
}

big::Big GatedComposite::SoftLimit::big(const Factor& f, double x) const {
  const Constant parameters[] = {{&f == &value ? beta_ : 1.0}, {1.0}};
  return f.big((std::isinf(x) ? stand_in_for_infinity(x) : big::Big(x)) / big::Big(beta_), parameters);
}

const GatedComposite::SoftLimit* GatedComposite::soft_limit_with(const Factor& f) const {
  for (const auto& soft : {&soft_gate_, &soft_value_})
    if (*soft && (&f == &(*soft)->value || &f == &(*soft)->slope)) return &**soft;
  return nullptr;
}

big::Big GatedComposite::big(const Factor& f, double x) const {
  if (const SoftLimit* soft = soft_limit_with(f)) return soft->big(f, x);
  if (const Exception* exception = exception_at(f, x)) return exception->y;
  return f.big(std::isinf(x) ? stand_in_for_infinity(x) : big::Big(x), f.parameters);
}

GatedComposite::GatedComposite(const Factor& value, const Factor& slope, const GatedExtras& extras, Format format,
                               const Target& target)
    : h_(value), slope_of_h_(slope), extras_(extras), format_(format), overflow_(value.overflow) {
  if (extras.beta1 != 0) soft_gate_.emplace(extras.beta1, target);
  if (extras.beta2 != 0) soft_value_.emplace(extras.beta2, target);
}

template <class N>
N GatedComposite::Sides<N>::of(Product which) const {
  return which == Product::by_gate ? a_slope * b : which == Product::by_value ? a * b_slope : a * b;
}

/// Calls evaluate(function, x) for each function that is needed.
template <class N, class Evaluate>
GatedComposite::Sides<N> GatedComposite::sides(const Element& at, bool slopes, const Evaluate& evaluate) const {
  const N zero(0.0), one(1.0);
  Sides<N> y{evaluate(h_, at.g), slopes ? evaluate(slope_of_h_, at.g) : zero, one, one};
  if (soft_gate_) {
    const N k = evaluate(soft_gate_->value, at.g);
    if (slopes) y.a_slope = evaluate(soft_gate_->slope, at.g) * y.a + k * y.a_slope;
    y.a = k * y.a;
  }
  if (extras_.step_limit != GatedExtras::kNone) {
    const int cut = beyond(y.a, extras_.step_limit);
    if (cut == 1)
      y.a = N(extras_.step_limit), y.a_slope = zero;
    else if (cut == -1)
      y.a = unknown(y.a), y.a_slope = unknown(y.a_slope);
  }
  y.b = soft_value_ ? evaluate(soft_value_->value, at.v) : N(at.v);
  if (extras_.offset != 0) y.b = y.b + N(extras_.offset);
  if (slopes && soft_value_) y.b_slope = evaluate(soft_value_->slope, at.v);
  return y;
}

namespace {

/// f(x) by the raw kernels, for one element.
Near near(const Factor& f, double x) {
  if (const Exception* exception = exception_at(f, x)) return exception->y.nearest();
  double y, error;
  f.raw(&x, &y, &error, 1, f.parameters);
  return {y, error};
}
Wide wide(const Factor& f, double x) {
  if (const Exception* exception = exception_at(f, x)) return exception->y.nearest();
  constexpr double kFarthest = 0x1p100;
  const double from = std::clamp(x, -kFarthest, kFarthest);
  double high, low, error;
  f.wide(&from, &high, &low, &error, 1, f.parameters);
  const bool usual = (x == 0 || !extreme(x) || (error < 0 && std::fabs(x) < kFarthest)) && !extreme(high);
  return {high, low, usual ? std::max(error, 0.0) : kInfinity};
}

/// What kernels on doubles say of the functions in question, for a tile.
class Estimates {
 public:
  Estimates(const double* x, std::size_t n, std::initializer_list<const Factor*> functions) {
    for (const Factor* f : functions) {
      if (!f) continue;
      Estimate& estimate = all_[count_++];
      estimate.function = f;
      f->raw(x, estimate.y, estimate.error, n, f->parameters);
      for (const Exception& exception : f->exceptions)
        for (std::size_t i = 0; i < n; ++i)
          if (x[i] == exception.x) estimate.y[i] = exception.y.nearest(), estimate.error[i] = 0;
    }
  }
  /// Null where it is none of them.
  const Near* find(const Factor& f, std::size_t i) {
    for (std::size_t k = 0; k < count_; ++k)
      if (all_[k].function == &f) return &(found_ = {all_[k].y[i], all_[k].error[i]});
    return nullptr;
  }

 private:
  struct Estimate {
    const Factor* function;
    alignas(64) double y[kTile], error[kTile];
  } all_[4];
  std::size_t count_ = 0;
  Near found_ = 0.0;
};

/// The number of a format that all within the bounds round to, or NaN.
double settled(Near y, const FormatInfo& format) {
  const double least = y.value - y.error, most = y.value + y.error;
  if (std::signbit(least) != std::signbit(most)) return kNan;
  if (format.precision != 24) return rounded(least, format) == rounded(most, format) ? rounded(y.value, format) : kNan;
  const auto low = static_cast<float>(least), high = static_cast<float>(most);
  return low == high && std::isfinite(low) ? static_cast<double>(low) : kNan;
}

}  // namespace

double GatedComposite::by_256_bits(Product which, const Element& at, const FormatInfo& format) const {
  const bool slopes = which == Product::by_gate || which == Product::by_value;
  if ((std::isinf(at.g) && !(slopes ? slope_of_h_ : h_).has_limits)) return kNan;
  const bool value_is_infinite = std::isinf(at.v) && !soft_value_;
  const Element finite{at.g, value_is_infinite ? 1.0 : at.v, at.s, at.dy};
  const auto y = sides<big::Big>(finite, slopes, [this](const Factor& f, double x) { return big(f, x); });
  const big::Big &p = which == Product::by_gate ? y.a_slope : y.a, &q = which == Product::by_value ? y.b_slope : y.b;
  const double by_b = value_is_infinite && which != Product::by_value ? at.v : 1;
  const double outer = at.s * at.dy * by_b;
  // An infinity makes one, but beside a zero, which the limit of a function may be.
  const auto outline = [&](const big::Big& side, double x) {
    const double nearest = side.nearest();
    return nearest != 0 || side.zero() || std::isinf(x) ? nearest : side.negative() ? -1.0 : 1.0;
  };
  if (!std::isfinite(outer) || std::isinf(p.nearest()) || std::isinf(q.nearest()))
    if (const double product = outline(p, at.g) * outline(q, at.v) * at.s * at.dy * by_b; !std::isfinite(product))
      return product;
  const big::Big product = p * q * big::Big(at.s) * big::Big(at.dy);
  if (!product.zero()) return rounded(product, format);
  const auto signs =
      sides<Near>({std::isinf(at.g) ? std::copysign(0x1p100, at.g) : at.g, finite.v, at.s, at.dy}, slopes,
                  [](const Factor& f, double x) { return near(f, static_cast<double>(static_cast<float>(x))); });
  const Near near_p = which == Product::by_gate ? signs.a_slope : signs.a,
             near_q = which == Product::by_value ? signs.b_slope : signs.b;
  return std::copysign(0.0, std::copysign(1.0, near_p.value) * std::copysign(1.0, near_q.value) *
                                std::copysign(1.0, at.s) * std::copysign(1.0, at.dy));
}

double GatedComposite::again(Product which, const Element& at, const FormatInfo& format) const {
  if (is_nan(at.g) || is_nan(at.v) || is_nan(at.s) || is_nan(at.dy)) return kNan;
  if (std::isfinite(at.g) && std::isfinite(at.v) && std::isfinite(at.s) && std::isfinite(at.dy)) {
    const bool slopes = which == Product::by_gate || which == Product::by_value;
    // Where tanh has long been 1, exp is too large for its double-doubles.
    const auto evaluate = [this](const Factor& f, double x) {
      const SoftLimit* soft = soft_limit_with(f);
      return soft && soft->saturated(x) ? Wide{0, 0, kInfinity} : wide(f, x);
    };
    const Wide y = sides<Wide>(at, slopes, evaluate).of(which) * Wide(at.s) * Wide(at.dy);
    const double reach = y.error + std::fabs(y.high) * 0x1p-98;
    if (y.high != 0 && reach < kInfinity) {
      const double under = rounded(y.high, y.low - reach, format), over = rounded(y.high, y.low + reach, format);
      if (under == over) return under;
    }
  }
  const double y = by_256_bits(which, at, format);
  return is_nan(y) ? kNan : y;
}

void GatedComposite::run(const Tile& in, std::initializer_list<Output> outputs, bool slopes) const {
  const auto soft = [&](const std::optional<SoftLimit>& limit, bool slope) -> const Factor* {
    return !limit ? nullptr : !slope ? &limit->value : slopes ? &limit->slope : nullptr;
  };
  Estimates of_gate(in.g, in.n,
                    {&h_, slopes ? &slope_of_h_ : nullptr, soft(soft_gate_, false), soft(soft_gate_, true)}),
      of_value(in.v, in.n, {soft(soft_value_, false), soft(soft_value_, true)});
  for (std::size_t i = 0; i < in.n; ++i) {
    const Element at{in.g[i], in.v[i], in.s ? in.s[i] : 1, in.dy ? in.dy[i] : 1};
    const auto y = sides<Near>(at, slopes, [&](const Factor& f, double) {
      const Near* known = of_gate.find(f, i);
      return known ? *known : *of_value.find(f, i);
    });
    for (const auto& [which, to, format, scaled] : outputs) {
      const Element own{at.g, at.v, scaled ? at.s : 1, at.dy};
      const FormatInfo& info = info_of(format);
      double product = format == Format::f64 ? kNan : settled(y.of(which) * Near(own.s) * Near(own.dy), info);
      if (is_nan(product)) product = again(which, own, info);
      if (which == Product::term) {
        static_cast<double*>(to)[i] = product;
        continue;
      }
      const std::uint64_t code = encode(format, product, overflow_);
      std::memcpy(static_cast<unsigned char*>(to) + i * info.bytes, &code, info.bytes);
    }
  }
}

void GatedComposite::value(const double* g, const double* v, const double* s, void* y, std::size_t n) const {
  run({g, v, s, nullptr, n}, {{Product::value, y, format_, true}}, false);
}

void GatedComposite::gradients(const double* g, const double* v, const double* s, const double* dy, void* dg, void* dv,
                               double* terms, std::size_t n) const {
  const Tile tile{g, v, s, dy, n};
  const Output by_gate{Product::by_gate, dg, format_, true}, by_value{Product::by_value, dv, format_, true};
  if (!terms) return run(tile, {by_gate, by_value}, true);
  run(tile, {by_gate, by_value, {Product::term, terms, format_ == Format::f64 ? Format::f64 : Format::f32, false}},
      true);
}

}  // namespace actfun
