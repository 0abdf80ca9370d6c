// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/formats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <new>

#include "backends/cpu/rounding.h"
#include "core/code.h"

namespace actfun {
namespace {

constexpr std::size_t kTile = 1024;  ///< elements that are worked on at a time, in L1

/// From here on all 65536 results of a 16-bit format are computed first and looked up then.
constexpr std::size_t kLookUpFrom = std::size_t{1} << 18;

/// f(x), which is y to 256 bits, rounded once.
double to_format(const Elementwise& f, double x, const big::Big& y, const FormatInfo& format) {
  return rounded([&f](const big::Big& at) { return f.big(at, f.parameters); }, x, y, format);
}

double at_infinity(const Elementwise& f, double x) {
  if (!f.has_limits) return std::numeric_limits<double>::quiet_NaN();
  return f.big(stand_in_for_infinity(x), f.parameters).nearest();
}

/// The sign of an exact zero f(x) is what the kernel for floats says: double-doubles forget it.
double signed_zero(const Elementwise& f, double x) {
  const auto near = static_cast<float>(x);
  float y;
  f.kernel(&near, &y, 1, f.parameters, Passage::near);
  return y == 0 ? static_cast<double>(y) : 0.0;
}

/// f of doubles, rounded once to a format of at most 53 bits; in place if you like. n <= kTile.
template <bool narrow>
void evaluate_wide(const Elementwise& f, const FormatInfo& format, const double* x, double* y, std::size_t n) {
  double high[kTile], low[kTile], error[kTile];
  f.wide(x, high, low, error, n, f.parameters);
  for (std::size_t i = 0; i < n; ++i) {
    const double s = high[i], l = low[i], e = error[i], input = x[i];
    if (e < 0 && !is_nan(input)) {  // exact, infinite inputs too; a zero's sign is lost in s + 0.0
      y[i] = narrow ? rounded(s, format) : s;
      continue;
    }
    const double under = rounded(s, l - e, format), over = rounded(s, l + e, format);
    const bool usual = input == 0 || !extreme(input);
    if (under == over && usual && !extreme(s))
      y[i] = under;
    else if (is_nan(input))
      y[i] = input;
    else if (std::isinf(input))
      y[i] = at_infinity(f, input);
    else if (usual && s == 0 && l == 0)
      y[i] = signed_zero(f, input);
    else
      y[i] = to_format(f, input, f.big(input, f.parameters), format);
    if (y[i] == 0 && !is_nan(y[i]) && input == 0) y[i] = signed_zero(f, input);
  }
}

/// The tables that were made last. Some results take 256-bit arithmetic, so that a table may cost milliseconds; parts
/// of an array, and one batch after another, want the same one. Any thread may ask.
template <class Storage>
class Tables {
 public:
  using Table = std::shared_ptr<const Storage[]>;

  Table find(const Elementwise& f) {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_)
      if (entry.table && entry.is_of(f)) return entry.table;
    return nullptr;
  }
  void add(const Elementwise& f, Table table) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[next_++ % kTables];
    entry.f = f;
    std::copy_n(f.parameters, kMaxParameters, entry.parameters);
    entry.table = std::move(table);
  }

 private:
  static constexpr std::size_t kTables = 16;  // 2 MiB of 16-bit codes
  struct Entry {
    Elementwise f{};
    Constant parameters[kMaxParameters];
    Table table;
    bool is_of(const Elementwise& g) const {
      return f.kernel == g.kernel && f.big == g.big && f.overflow == g.overflow &&
             std::memcmp(parameters, g.parameters, sizeof parameters) == 0;
    }
  };
  std::mutex mutex_;
  Entry entries_[kTables];
  std::size_t next_ = 0;
};

template <Format format, class Storage>
struct Narrow {
  static constexpr FormatInfo kInfo = info_of(format);
  using C = Code<format>;

  /// y[i] = f(x[i]) by the kernel for floats. Where its result is a tie of the narrower format, what it was rounded
  /// from may lie on either side: those are done again. n <= kTile.
  static void direct(const Elementwise& f, const Storage* x, Storage* y, std::size_t n) {
    alignas(64) float in[kTile], out[kTile];
    const Conversions& convert = conversions(format, f.target);
    convert.widen(x, in, n);
    f.kernel(in, out, n, f.parameters, Passage::near);
    if (!convert.narrow(out, y, n, f.overflow)) return;
    double inputs[kTile];
    std::uint16_t which[kTile];
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint32_t u = std::bit_cast<std::uint32_t>(out[i]) & 0x7fffffff;
      if (u == 0 || u >= C::kInfinity || C::round(u - 1, C::kOverflow) == C::round(u + 1, C::kOverflow)) continue;
      which[count] = static_cast<std::uint16_t>(i);
      inputs[count++] = static_cast<double>(in[i]);
    }
    evaluate_wide<true>(f, kInfo, inputs, inputs, count);
    for (std::size_t k = 0; k < count; ++k) y[which[k]] = static_cast<Storage>(encode(format, inputs[k], f.overflow));
  }

  static constexpr std::size_t kCodes = std::size_t{1} << (8 * sizeof(Storage));

  /// All results, where n are worth it and memory is there.
  static std::shared_ptr<const Storage[]> table_for(const Elementwise& f, std::size_t n) {
    if (n < (sizeof(Storage) == 1 ? kCodes : kLookUpFrom)) return nullptr;
    try {
      return table_of(f);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }
  static std::shared_ptr<const Storage[]> table_of(const Elementwise& f) {
    static auto& tables = *new Tables<Storage>;  // outlives threads that run while the program ends
    if (auto found = tables.find(f)) return found;
    const std::shared_ptr<Storage[]> table(new Storage[kCodes + 1]());  // see look_up
    for (std::size_t i = 0; i < kCodes; ++i) table[i] = static_cast<Storage>(i);
    direct_all(f, table.get(), table.get(), kCodes);
    tables.add(f, table);
    return table;
  }
  static void direct_all(const Elementwise& f, const Storage* x, Storage* y, std::size_t n) {
    for (std::size_t i = 0; i < n; i += kTile) direct(f, x + i, y + i, std::min(kTile, n - i));
  }
};

/// Calls run(Narrow<format, Storage>()) for a format of 16 or 8 bits.
template <class Run>
void on_narrow(Format format, const Run& run) {
  switch (format) {
    case Format::f16:
      return run(Narrow<Format::f16, std::uint16_t>());
    case Format::bf16:
      return run(Narrow<Format::bf16, std::uint16_t>());
    case Format::f8e4m3fn:
      return run(Narrow<Format::f8e4m3fn, std::uint8_t>());
    case Format::f8e5m2:
      return run(Narrow<Format::f8e5m2, std::uint8_t>());
    default:
      return;
  }
}

void look_up(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::size_t n, std::int64_t target,
             Passage /*passage*/) {
  actfun::look_up(table, x, y, n, target);
}

}  // namespace

Runner::Runner(const Elementwise& f, Format format, std::size_t n, Passage passage)
    : f_(f), format_(format), passage_(passage) {
  on_narrow(format, [&]<Format narrow, class Storage>(Narrow<narrow, Storage>) {
    table_ = Narrow<narrow, Storage>::table_for(f, n);
  });
}

void Runner::operator()(const void* x, void* y, std::size_t n) const {
  if (format_ == Format::f32)
    return f_.kernel(static_cast<const float*>(x), static_cast<float*>(y), n, f_.parameters, passage_);
  if (format_ == Format::f64) {
    for (std::size_t i = 0; i < n; i += kTile)
      evaluate_wide<false>(f_, info_of(format_), static_cast<const double*>(x) + i, static_cast<double*>(y) + i,
                           std::min(kTile, n - i));
    return;
  }
  on_narrow(format_, [&]<Format narrow, class Storage>(Narrow<narrow, Storage>) {
    const auto* from = static_cast<const Storage*>(x);
    auto* to = static_cast<Storage*>(y);
    if (table_)
      look_up(static_cast<const Storage*>(table_.get()), from, to, n, f_.target, passage_);
    else
      Narrow<narrow, Storage>::direct_all(f_, from, to, n);
  });
}

namespace {

/// The nearest integer to y / scale, where y is the double nearest to f(x).
double quantized(const Elementwise& f, double x, double y, double scale) {
  const double quotient = y / scale, nearest = std::nearbyint(quotient);
  // Far from a tie the rounding of y and of the quotient do not matter, nor beyond all 8-bit integers.
  if (std::fabs(std::fabs(quotient - nearest) - 0.5) > 0x1p-30 || std::fabs(quotient) > 1024) return nearest;
  return static_cast<double>((f.big(x, f.parameters) / big::Big(scale)).nearest_integer());
}

}  // namespace

QuantizedRunner::QuantizedRunner(const Elementwise& f, const Quantization& in, const Quantization* out)
    : target_(f.target), to_integers_(out) {
  double inputs[kCodes], values[kCodes];
  for (std::size_t code = 0; code < kCodes; ++code) {
    const int q = in.is_signed ? static_cast<std::int8_t>(code) : static_cast<int>(code);
    inputs[code] = (q - in.zero_point) * static_cast<double>(in.scale);  // exact: 9 bits by 24
  }
  if (!out) {
    evaluate_wide<true>(f, info_of(Format::f32), inputs, values, kCodes);
    for (std::size_t code = 0; code < kCodes; ++code) floats_[code] = static_cast<float>(values[code]);
    return;
  }
  evaluate_wide<false>(f, info_of(Format::f64), inputs, values, kCodes);
  const double least = out->is_signed ? -128 : 0, largest = out->is_signed ? 127 : 255;
  for (std::size_t code = 0; code < kCodes; ++code) {
    const double q = quantized(f, inputs[code], values[code], static_cast<double>(out->scale)) + out->zero_point;
    integers_[code] = static_cast<std::uint8_t>(static_cast<int>(std::clamp(q, least, largest)));
  }
}

void QuantizedRunner::operator()(const void* x, void* y, std::size_t n) const {
  const auto* from = static_cast<const std::uint8_t*>(x);
  to_integers_ ? look_up(integers_, from, static_cast<std::uint8_t*>(y), n, target_)
               : look_up(floats_, from, static_cast<float*>(y), n, target_);
}

double evaluate_big(const Elementwise& f, Format format, double x) {
  return to_format(f, x, f.big(x, f.parameters), info_of(format));
}

namespace {

template <Format format>
std::uint64_t encode_narrow(double x, Overflow overflow) {
  using C = Code<format>;
  return C::of(static_cast<float>(x), overflow == Overflow::nan && !C::kInfo.infinite ? C::kNan : C::kOverflow);
}

}  // namespace

std::uint64_t encode(Format format, double x, Overflow overflow) {
  switch (format) {
    case Format::f32:
      return std::bit_cast<std::uint32_t>(static_cast<float>(x));
    case Format::f64:
      return std::bit_cast<std::uint64_t>(x);
    case Format::f16:
      return encode_narrow<Format::f16>(x, overflow);
    case Format::bf16:
      return encode_narrow<Format::bf16>(x, overflow);
    case Format::f8e4m3fn:
      return encode_narrow<Format::f8e4m3fn>(x, overflow);
    case Format::f8e5m2:
      return encode_narrow<Format::f8e5m2>(x, overflow);
  }
  return 0;
}

double decode(Format format, std::uint64_t code) {
  const auto low = static_cast<std::uint32_t>(code);
  switch (format) {
    case Format::f32:
      return static_cast<double>(std::bit_cast<float>(low));
    case Format::f64:
      return std::bit_cast<double>(code);
    case Format::f16:
      return static_cast<double>(Code<Format::f16>::value(low));
    case Format::bf16:
      return static_cast<double>(Code<Format::bf16>::value(low));
    case Format::f8e4m3fn:
      return static_cast<double>(Code<Format::f8e4m3fn>::value(low));
    case Format::f8e5m2:
      return static_cast<double>(Code<Format::f8e5m2>::value(low));
  }
  return 0;
}

double round_to(Format format, double x) { return format == Format::f64 ? x : rounded(x, info_of(format)); }

namespace {

std::uint64_t load(Format format, const void* x, std::size_t i) {
  const auto* from = static_cast<const unsigned char*>(x) + i * info_of(format).bytes;
  std::uint64_t code = 0;
  std::memcpy(&code, from, info_of(format).bytes);  // little-endian
  return code;
}
void store(Format format, void* y, std::size_t i, std::uint64_t code) {
  std::memcpy(static_cast<unsigned char*>(y) + i * info_of(format).bytes, &code, info_of(format).bytes);
}
static_assert(std::endian::native == std::endian::little);

}  // namespace

void convert(Format from, const void* x, Format to, void* y, std::size_t n, std::int64_t target) {
  const auto narrow = [](Format f) { return info_of(f).bytes < 4; };
  if (narrow(from) && to == Format::f32) return conversions(from, target).widen(x, static_cast<float*>(y), n);
  if (from == Format::f32 && narrow(to)) {
    conversions(to, target).narrow(static_cast<const float*>(x), y, n, Overflow::saturate);
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double value = decode(from, load(from, x, i));
    store(to, y, i, encode(to, round_to(to, value), Overflow::saturate));
  }
}

}  // namespace actfun
