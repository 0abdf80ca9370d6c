// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/products.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "backends/cpu/rounding.h"
#include "core/code.h"

namespace actfun {
namespace {

constexpr std::size_t kTile = kProductTile;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Beyond, wide kernels may lack the exponents.
constexpr double kFarthest = 0x1p100;

/// f(x) as the wide kernels have it, or f(+-kFarthest) if x lies farther out.
struct Estimate {
  double high, low, error;
};

/// One element of a tile.
struct Element {
  double x, a, b;
};

/// The parameters of element i.
class Parameters {
 public:
  Parameters(const Factor& f, EachParameters each, std::size_t i) : all_(f.parameters) {
    if (!each.values) return;
    for (std::size_t k = 0; k < f.count; ++k) own_[k].high = each.values[k][i];
    all_ = own_;
  }
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;
  const Constant* get() const { return all_; }

 private:
  Constant own_[kMaxParameters];
  const Constant* all_;
};

/// A zero f(x) with the sign that it has at the float nearest to x: double-doubles forget it.
double signed_zero(const Factor& f, const Constant* p, double x) {
  const auto near = static_cast<double>(static_cast<float>(x));
  double y, error;
  f.raw(&near, &y, &error, 1, p);
  return y == 0 ? y : 0.0;
}

/// A zero a b y: the product of the signs.
double signed_zero(const Element& at, double y) {
  return std::copysign(1.0, at.a) * std::copysign(1.0, at.b) * std::copysign(0.0, y);
}

/// Neither zero nor infinite nor NaN.
bool ordinary(double x) { return x != 0 && std::isfinite(x); }

/// The exact a b y.
big::Big product(const Element& at, const big::Big& y) { return big::Big(at.a) * big::Big(at.b) * y; }

/// a b y where the convention says y.
double product_with(const big::Big& y, const Element& at, const FormatInfo& format) {
  if (y.zero() || !ordinary(at.a) || !ordinary(at.b)) return at.a * at.b * y.nearest();
  return rounded(product(at, y), format);
}

/// a b f(x) for an infinite x.
double product_with_limit(const Factor& f, const Constant* p, const Element& at, const FormatInfo& format) {
  if (!f.has_limits) return kNan;
  const big::Big limit = f.big(stand_in_for_infinity(at.x), p);
  const double nearest = limit.zero() ? signed_zero(f, p, std::copysign(kFarthest, at.x)) : limit.nearest();
  if (!ordinary(nearest) || !ordinary(at.a) || !ordinary(at.b)) return at.a * at.b * nearest;
  return rounded(product(at, limit), format);
}

/// By 256 bits: right for any finite x, a and b, but slow.
double product_big(const Factor& f, const Constant* p, const Element& at, const FormatInfo& format) {
  const auto y = [&](const big::Big& x) { return product(at, f.big(x, p)); };
  const big::Big here = f.big(at.x, p);
  const double sign = here.zero() ? signed_zero(f, p, at.x) : here.negative() ? -1.0 : 1.0;
  if (here.zero() || at.a == 0 || at.b == 0) return signed_zero(at, sign);
  return rounded(y, at.x, y(at.x), format);
}

/// Machines differ in the sign of 0 times infinity.
double one_nan(double y) { return is_nan(y) ? kNan : y; }

/// a b f(x) rounded once, where the wide kernel says `y` of f(x).
double product_of(const Factor& f, const Constant* p, const Element& at, Estimate y, const FormatInfo& format) {
  const auto [x, a, b] = at;
  if (is_nan(x) || is_nan(a) || is_nan(b)) return kNan;
  if (std::isinf(x)) return product_with_limit(f, p, at, format);
  const double factor = a * b;
  if (!std::isfinite(a) || !std::isfinite(b)) {
    const big::Big here = f.big(x, p);
    return here.zero() ? kNan : here.negative() ? -factor : factor;
  }
  const bool usual = x == 0 || !extreme(x) || (y.error < 0 && std::fabs(x) < kFarthest);
  const double size = std::fabs(factor), error = y.error > 0 ? y.error : 0;
  if (usual && y.high == 0 && y.low == 0 && size < 0x1p60) return signed_zero(at, signed_zero(f, p, x));
  // Far tails, which wide kernels do not underestimate: no format but f64 has numbers for them. What they are at
  // +-2^100 already, they are beyond.
  const bool settled = x == 0 || std::fabs(x) > 0x1p-300;
  if (settled && std::fabs(y.high) < 0x1p-300 && std::fabs(y.high) > error && size * std::fabs(y.high) < 0x1p-200 &&
      format.precision <= 24)
    return signed_zero(at, y.high);
  const double high = factor * y.high;
  if (usual && !extreme(y.high) && size > 0x1p-600 && size < 0x1p600 && std::fabs(high) > 0x1p-900) {
    const double rest = std::fma(a, b, -factor);
    const double low = std::fma(factor, y.high, -high) + (factor * y.low + rest * y.high);
    const double reach = size * error + std::fabs(high) * 0x1p-98;
    const double under = rounded(high, low - reach, format), over = rounded(high, low + reach, format);
    if (under == over) return under;
  }
  return product_big(f, p, at, format);
}

/// products[k] = a b f(x) at elements[k], whose place in the tile is where[k]; count <= kTile.
void multiply_wide(const Factor& f, const FormatInfo& format, const Element* elements, const std::uint16_t* where,
                   double* products, std::size_t count, EachParameters each) {
  double x[kTile], high[kTile], low[kTile], error[kTile];
  for (std::size_t k = 0; k < count; ++k) x[k] = std::clamp(elements[k].x, -kFarthest, kFarthest);
  if (!each.values) f.wide(x, high, low, error, count, f.parameters);
  for (std::size_t k = 0; k < count; ++k) {
    const Parameters p(f, each, where[k]);
    if (each.values) f.wide(x + k, high + k, low + k, error + k, 1, p.get());
    products[k] = one_nan(product_of(f, p.get(), elements[k], {high[k], low[k], error[k]}, format));
  }
}

/// The elements of a tile that are done again.
struct Again {
  Element elements[kTile];
  std::uint16_t where[kTile];
  double products[kTile];
  std::size_t count = 0;
  void add(std::size_t i, double x, double a, double b) {
    where[count] = static_cast<std::uint16_t>(i);
    elements[count++] = {x, a, b};
  }
  void run(const Factor& f, const FormatInfo& format, EachParameters each) {
    if (count > 0) multiply_wide(f, format, elements, where, products, count, each);
  }
};

/// y[i] = f(x[i]) within error[i].
void evaluate(const Factor& f, const double* x, double* y, double* error, std::size_t n, EachParameters each) {
  if (each.values)
    f.each(x, y, error, n, each.values);
  else
    f.raw(x, y, error, n, f.parameters);
}

/// y[i] = a[i] b[i] f(x[i]) as floats, on doubles; whether any is open.
bool multiply_on_doubles(const Factor& f, const double* x, const double* a, const double* b, float* y,
                         std::uint32_t* open, std::size_t n, EachParameters each) {
  alignas(64) double values[kTile], error[kTile], factors[kTile];
  evaluate(f, x, values, error, n, each);
  if (b) {
    for (std::size_t i = 0; i < n; ++i) factors[i] = a[i] * b[i];  // exact: of floats
    a = factors;
  }
  return product_steps(f.target).round(a, values, error, y, open, n);
}

/// Calls set(i, product) wherever a convention says what f(x) is.
template <class Set>
void make_exceptions(const Factor& f, const FormatInfo& format, const double* x, const double* a, const double* b,
                     std::size_t n, Set set) {
  for (const Exception& exception : f.exceptions)
    for (std::size_t i = 0; i < n; ++i)
      if (x[i] == exception.x) set(i, one_nan(product_with(exception.y, {x[i], a[i], b ? b[i] : 1.0}, format)));
}

template <Format format, class Storage>
void multiply_narrow(const Factor& f, const double* x, const double* a, const double* b, Storage* y, std::size_t n,
                     EachParameters each) {
  using C = Code<format>;
  alignas(64) float products[kTile];
  std::uint32_t open[kTile];
  const bool any_open = multiply_on_doubles(f, x, a, b, products, open, n, each);
  const bool any_tie = conversions(format, f.target).narrow(products, y, n, f.overflow);
  const auto set = [&](std::size_t i, double p) { y[i] = static_cast<Storage>(encode(format, p, f.overflow)); };
  if (any_open || any_tie) {
    // Where the float is a tie of the narrower format, or next to one, the product may lie on either side.
    Again again;
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint32_t u = std::bit_cast<std::uint32_t>(products[i]) & 0x7fffffff;
      const bool tie = u != 0 && u < C::kInfinity && C::round(u - 1, C::kOverflow) != C::round(u + 1, C::kOverflow);
      if (open[i] || tie) again.add(i, x[i], a[i], b ? b[i] : 1.0);
    }
    again.run(f, info_of(format), each);
    for (std::size_t k = 0; k < again.count; ++k) set(again.where[k], again.products[k]);
  }
  make_exceptions(f, info_of(format), x, a, b, n, set);
}

void multiply_floats(const Factor& f, const double* x, const double* a, const double* b, float* y, std::size_t n,
                     EachParameters each) {
  std::uint32_t open[kTile];
  const auto set = [&](std::size_t i, double p) { y[i] = static_cast<float>(p); };
  if (multiply_on_doubles(f, x, a, b, y, open, n, each)) {
    Again again;
    for (std::size_t i = 0; i < n; ++i)
      if (open[i]) again.add(i, x[i], a[i], b ? b[i] : 1.0);
    again.run(f, info_of(Format::f32), each);
    for (std::size_t k = 0; k < again.count; ++k) set(again.where[k], again.products[k]);
  }
  make_exceptions(f, info_of(Format::f32), x, a, b, n, set);
}

void multiply_doubles(const Factor& f, const double* x, const double* a, const double* b, double* y, std::size_t n,
                      EachParameters each) {
  Again again;
  for (std::size_t i = 0; i < n; ++i) again.add(i, x[i], a[i], b ? b[i] : 1.0);
  again.run(f, info_of(Format::f64), each);
  make_exceptions(f, info_of(Format::f64), x, a, b, n, [&](std::size_t i, double p) { again.products[i] = p; });
  std::copy_n(again.products, n, y);
}

/// run(i, sum, m) for those m of n numbers from i on that are added to the sums from number `sum` on.
template <class Run>
void in_turns(std::size_t first, std::size_t n, const Sums& sums, const Run& run) {
  for (std::size_t i = 0, sum = first, m; i < n; i += m, sum = 0) {
    m = std::min(n - i, sums.size() - sum);
    run(i, sum, m);
  }
}

}  // namespace

bool multiply_exact(const Factor& f, const float* x, const float* a, float* y, std::size_t n) {
  if (!f.exact || !f.exceptions.empty()) return false;
  alignas(64) float values[kTile];
  f.exact(x, values, n, f.parameters, Passage::near);
  return product_steps(f.target).multiply(a, values, y, n);
}

void load(Format format, const void* x, double* y, std::size_t n, std::int64_t target) {
  if (format == Format::f64) {
    if (n > 0) std::memcpy(y, x, n * sizeof(double));
    return;
  }
  if (format == Format::f32) return product_steps(target).widen(static_cast<const float*>(x), y, n);
  alignas(64) float floats[kTile];
  conversions(format, target).widen(x, floats, n);
  product_steps(target).widen(floats, y, n);
}

void load(Format format, const void* x, float* y, std::size_t n, std::int64_t target) {
  if (format == Format::f32)
    std::copy_n(static_cast<const float*>(x), n, y);
  else
    conversions(format, target).widen(x, y, n);
}

void multiply(const Factor& f, Format format, const double* x, const double* a, const double* b, void* y, std::size_t n,
              EachParameters each) {
  switch (format) {
    case Format::f32:
      return multiply_floats(f, x, a, b, static_cast<float*>(y), n, each);
    case Format::f64:
      return multiply_doubles(f, x, a, b, static_cast<double*>(y), n, each);
    case Format::f16:
      return multiply_narrow<Format::f16, std::uint16_t>(f, x, a, b, static_cast<std::uint16_t*>(y), n, each);
    case Format::bf16:
      return multiply_narrow<Format::bf16, std::uint16_t>(f, x, a, b, static_cast<std::uint16_t*>(y), n, each);
    case Format::f8e4m3fn:
      return multiply_narrow<Format::f8e4m3fn, std::uint8_t>(f, x, a, b, static_cast<std::uint8_t*>(y), n, each);
    case Format::f8e5m2:
      return multiply_narrow<Format::f8e5m2, std::uint8_t>(f, x, a, b, static_cast<std::uint8_t*>(y), n, each);
  }
}

void multiply(const Factor& f, Format format, const double* x, const double* a, double* y, std::size_t n,
              EachParameters each) {
  if (format == Format::f64) return multiply_doubles(f, x, a, nullptr, y, n, each);
  alignas(64) float products[kTile];
  std::uint32_t open[kTile];
  const bool any_open = multiply_on_doubles(f, x, a, nullptr, products, open, n, each);
  product_steps(f.target).widen(products, y, n);
  Again again;
  if (any_open)
    for (std::size_t i = 0; i < n; ++i)
      if (open[i]) again.add(i, x[i], a[i], 1.0);
  again.run(f, info_of(Format::f32), each);
  for (std::size_t k = 0; k < again.count; ++k) y[again.where[k]] = again.products[k];
}

void multiply_and_add(const Factor& f, const double* x, const double* a, Sums& sums, std::size_t first, std::size_t n,
                      EachParameters each) {
  double products[kTile];
  multiply_doubles(f, x, a, nullptr, products, n, each);
  in_turns(first, n, sums, [&](std::size_t i, std::size_t sum, std::size_t m) { sums.add(sum, products + i, m); });
}

void multiply_and_add(const Factor& f, const double* x, const float* a, Sums& sums, std::size_t first, std::size_t n,
                      EachParameters each) {
  alignas(64) double values[kTile], error[kTile];
  evaluate(f, x, values, error, n, each);
  const ProductSteps& steps = product_steps(f.target);
  in_turns(first, n, sums, [&](std::size_t start, std::size_t sum, std::size_t size) {
    std::uint32_t left =
        steps.multiply_and_add(a + start, values + start, error + start, sums.high() + sum, sums.low() + sum, size);
    for (; left != 0; left &= left - 1) {
      const std::size_t block = kBlock * static_cast<std::size_t>(std::countr_zero(left)), at = start + block;
      if (block >= size) break;
      const std::size_t m = std::min(kBlock, size - block);
      double factors[kBlock], products[kBlock];
      float floats[kBlock];
      std::uint32_t open[kBlock];
      steps.widen(a + at, factors, m);
      steps.round(factors, values + at, error + at, floats, open, m);
      steps.widen(floats, products, m);
      Again again;
      for (std::size_t i = 0; i < m; ++i)
        if (open[i]) again.add(at + i, x[at + i], factors[i], 1.0);
      again.run(f, info_of(Format::f32), each);
      for (std::size_t k = 0; k < again.count; ++k) products[again.where[k] - at] = again.products[k];
      sums.add(sum + block, products, m);
    }
  });
}

void multiply_arrays(const Factor& f, Format format, const void* x, const void* a, void* y, std::size_t n,
                     EachParameters each) {
  if (format == Format::f32 && a &&
      multiply_exact(f, static_cast<const float*>(x), static_cast<const float*>(a), static_cast<float*>(y), n))
    return;
  alignas(64) double inputs[kTile], factors[kTile];
  load(format, x, inputs, n, f.target);
  if (a)
    load(format, a, factors, n, f.target);
  else
    std::fill_n(factors, n, 1.0);
  multiply(f, format, inputs, factors, nullptr, y, n, each);
}

}  // namespace actfun
