// SPDX-License-Identifier: Apache-2.0
// Gated units: arrays are cut into strips of rows, which are worked on in tiles that stay in L1, so that memory is read
// and written once.
#include "api/gated.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "api/array.h"
#include "api/factors.h"
#include "api/gated_composite.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"
#include "backends/cpu/gated.h"
#include "backends/cpu/sum.h"

namespace actfun {
namespace {

constexpr std::size_t kTile = kProductTile;
/// Floats of a tile of the first try and of the fast tier: four arrays of them fit L1.
constexpr std::size_t kFloatTile = 2048;

Format format_of(const actfun_array& array) { return static_cast<Format>(array.format); }

/// Elements of an array, a stride apart.
struct Strip {
  unsigned char* data = nullptr;
  std::ptrdiff_t stride = 1;
  Format format = Format::f32;

  std::size_t bytes() const { return info_of(format).bytes; }
  Strip from(std::size_t i) const { return {data + static_cast<std::ptrdiff_t>(i * bytes()) * stride, stride, format}; }
};

template <class T>
void gather_codes(const unsigned char* from, std::ptrdiff_t stride, void* to, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i)
    static_cast<T*>(to)[i] = reinterpret_cast<const T*>(from)[static_cast<std::ptrdiff_t>(i) * stride];
}
template <class T>
void scatter_codes(const void* from, unsigned char* to, std::ptrdiff_t stride, std::size_t n) {
  if (stride == 1) {
    std::memcpy(to, from, n * sizeof(T));
    return;
  }
  for (std::size_t i = 0; i < n; ++i)
    reinterpret_cast<T*>(to)[static_cast<std::ptrdiff_t>(i) * stride] = static_cast<const T*>(from)[i];
}

/// The strip's first n elements side by side: where they lie, or else in `buffer`.
const void* read(const Strip& strip, void* buffer, std::size_t n) {
  if (strip.stride == 1) return strip.data;
  switch (strip.bytes()) {
    case 1:
      gather_codes<std::uint8_t>(strip.data, strip.stride, buffer, n);
      break;
    case 2:
      gather_codes<std::uint16_t>(strip.data, strip.stride, buffer, n);
      break;
    case 4:
      gather_codes<std::uint32_t>(strip.data, strip.stride, buffer, n);
      break;
    default:
      gather_codes<std::uint64_t>(strip.data, strip.stride, buffer, n);
  }
  return buffer;
}
void write(const void* from, const Strip& strip, std::size_t n) {
  switch (strip.bytes()) {
    case 1:
      return scatter_codes<std::uint8_t>(from, strip.data, strip.stride, n);
    case 2:
      return scatter_codes<std::uint16_t>(from, strip.data, strip.stride, n);
    case 4:
      return scatter_codes<std::uint32_t>(from, strip.data, strip.stride, n);
    default:
      return scatter_codes<std::uint64_t>(from, strip.data, strip.stride, n);
  }
}

/// Two strips.
template <class Pointer>
struct PairOf {
  Pointer first, second;
};
/// -1 if the elements of two strips of floats take turns, the first strip's coming first, 1 if the second's do, else 0.
int turns(const PairOf<const Strip&>& strips) {
  const auto& [a, b] = strips;
  const std::ptrdiff_t distance = b.data - a.data, bytes = sizeof(float);
  if (a.bytes() != sizeof(float) || a.stride != 2 || b.stride != 2) return 0;
  return distance == bytes ? -1 : distance == -bytes ? 1 : 0;
}
PairOf<const void*> read(const PairOf<const Strip&>& strips, PairOf<void*> buffers, std::size_t n,
                         const GatedSteps& steps, Passage passage) {
  const auto& [a, b] = strips;
  const int order = turns(strips);
  if (order == 0) return {read(a, buffers.first, n), read(b, buffers.second, n)};
  auto *p = static_cast<float*>(buffers.first), *q = static_cast<float*>(buffers.second);
  steps.deinterleave(reinterpret_cast<const float*>(order < 0 ? a.data : b.data), order < 0 ? p : q, order < 0 ? q : p,
                     n, passage);
  return {p, q};
}
void write(PairOf<const void*> from, const PairOf<const Strip&>& strips, std::size_t n, const GatedSteps& steps) {
  const auto& [a, b] = strips;
  const int order = turns(strips);
  if (order == 0) return write(from.first, a, n), write(from.second, b, n);
  const auto *p = static_cast<const float*>(from.first), *q = static_cast<const float*>(from.second);
  steps.interleave(order < 0 ? p : q, order < 0 ? q : p, reinterpret_cast<float*>(order < 0 ? a.data : b.data), n);
}

/// Arrays of one shape, as rows side by side. The rows of two neighbours are neighbours in each.
template <std::size_t count>
class Rows {
 public:
  Rows(const std::array<actfun_array, count>& arrays, int axis)
      : rows_(make(arrays, axis, std::make_index_sequence<count>())) {
    for (std::size_t k = 0; k < count; ++k) formats_[k] = format_of(arrays[k]);
  }
  std::size_t rows() const { return rows_[0].count(); }
  std::size_t length() const { return rows_[0].length(); }
  /// Array k from element j of row i on.
  Strip strip(std::size_t k, std::size_t i, std::size_t j) const {
    return Strip{rows_[k].row(i), rows_[k].stride(), formats_[k]}.from(j);
  }

 private:
  template <std::size_t... k>
  static std::array<RowsOf, count> make(const std::array<actfun_array, count>& arrays, int axis,
                                        std::index_sequence<k...>) {
    return {RowsOf(arrays[k], axis)...};
  }
  std::array<RowsOf, count> rows_;
  Format formats_[count];
};

/// One number that stands for all of an array of this shape: no scale.
actfun_array ones_like(const actfun_array& shape) {
  static float one = 1;
  actfun_array ones = shape;
  ones.data = &one, ones.format = ACTFUN_F32;
  std::fill_n(ones.strides, ones.rank, 0);
  return ones;
}

/// Whether results go past the caches: all of them at one alignment, and none in the place of an input.
Passage gated_passage(std::initializer_list<const void*> in, std::initializer_list<const void*> out,
                      std::size_t bytes) {
  if (bytes < kFarFrom) return Passage::near;
  const auto misaligned = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 64; };
  for (const void* to : out) {
    if (misaligned(to) != misaligned(*out.begin()) || misaligned(to) % sizeof(float) != 0) return Passage::far;
    for (const void* from : in)
      if (from == to) return Passage::far;
  }
  return Passage::streamed;
}

bool holds_a_float(double x) { return static_cast<double>(static_cast<float>(x)) == x; }

/// A limit as arrays of a format can have it.
double limit_in(Format format, double limit) {
  return std::isinf(limit) ? limit : decode(format, encode(format, limit, Overflow::saturate));
}

/// A tile's elements, of any format.
struct Codes {
  alignas(64) unsigned char bytes[kTile * sizeof(double)];
};

/// What is worked out once a call.
class Unit {
 public:
  Unit(const Gated& gated, Format format, bool scaled, const Target& target)
      : gate_(gated.gate),
        format_(format),
        target_(target),
        steps_(gated_steps(target.bit)),
        extras_(gated.extras),
        factors_(gated.gate, kParts, target),
        value_(factors_[0]),
        scaled_(scaled) {
    extras_.limit = limit_in(format, extras_.limit);
    extras_.step_limit = limit_in(format, extras_.step_limit);
    value_limit_ = std::min(extras_.limit, extras_.step_limit);
    if (extras_.step_limit != GatedExtras::kNone || extras_.beta1 != 0 || extras_.beta2 != 0)
      composite_.emplace(factors_[0], factors_[1], extras_, format, target);
    plain_ = extras_ == GatedExtras{} && !scaled;
    if (gate_.preset() && !gate_.instead) loops_ = gated_kernels(gate_.entry->id, target.bit);
    // A gate that is exact on floats leaves one product.
    if (arithmetic(gate_) == Arithmetic::single && std::ranges::all_of(gate_.parameters, holds_a_float))
      value_.exact = kernels(gate_, target).order[0];
  }
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  /// Whether the fast tier has loops for it: they know no soft limits.
  bool has_fast_value() const {
    return format_ == Format::f32 && gate_.tier == Tier::fast && extras_.beta1 == 0 && extras_.beta2 == 0;
  }
  bool has_fast_gradients() const { return has_fast_value() && plain_ && loops_.backward; }

  /// y = h(g) v by the fast tier.
  void apply_fast(const Strip& g, const Strip& v, const Strip& s, const Strip& y, std::size_t n,
                  Passage passage) const {
    const bool one_loop = plain_ && loops_.forward;
    const std::size_t tile = one_loop && g.stride == 1 && v.stride == 1 && y.stride == 1 ? n : kFloatTile;
    for (std::size_t i = 0; i < n; i += tile) {
      const std::size_t m = std::min(tile, n - i);
      alignas(64) float gates[kFloatTile], values[kFloatTile], results[kFloatTile];
      const auto [x, factor] = read_floats({g.from(i), v.from(i)}, {gates, values}, m, passage);
      float* to = y.stride == 1 ? floats(y.from(i)) : results;
      if (one_loop)
        loops_.forward(x, factor, to, m, passage);
      else
        finish(x, factor, s.from(i), to, m);
      if (to == results) write(results, y.from(i), m);
    }
  }

  /// The same, rounded once.
  void apply_exact(const Strip& g, const Strip& v, const Strip& s, const Strip& y, std::size_t n,
                   Passage passage) const {
    const std::size_t tile = makes_products() ? kFloatTile : kTile;
    for (std::size_t i = 0; i < n; i += tile) {
      const std::size_t m = std::min(tile, n - i);
      if (makes_products()) {
        alignas(64) float gates[kFloatTile], values[kFloatTile], products[kFloatTile];
        const auto [x, factor] = read_floats({g.from(i), v.from(i)}, {gates, values}, m, passage);
        multiply_floats(x, factor, products, m, passage);
        if (passage == Passage::streamed && y.stride == 1)
          steps_.stream(products, floats(y.from(i)), m, i + m == n);
        else
          write(products, y.from(i), m);
        continue;
      }
      Codes results;
      alignas(64) double x[kTile], factor[kTile], scales[kTile];
      Codes codes[2];
      const auto [gates, values] = read({g.from(i), v.from(i)}, {codes[0].bytes, codes[1].bytes}, m, steps_, passage);
      load(format_, gates, x, m, target_.bit), load(format_, values, factor, m, target_.bit);
      if (scaled_) load_scale(s.from(i), scales, m);
      clamp(x, factor, m);
      if (composite_) {
        composite_->value(x, factor, scaled_ ? scales : nullptr, results.bytes, m);
      } else {
        add_offset(factor, m);
        multiply(value_, format_, x, factor, scaled_ ? scales : nullptr, results.bytes, m);
      }
      write(results.bytes, y.from(i), m);
    }
  }

  void backward_fast(const Strip& g, const Strip& v, const Strip& dy, const Strip& dg, const Strip& dv, std::size_t n,
                     Passage passage) const {
    const std::array strides{g.stride, v.stride, dy.stride, dg.stride, dv.stride};
    const bool side_by_side = std::ranges::all_of(strides, [](std::ptrdiff_t stride) { return stride == 1; });
    const std::size_t tile = side_by_side ? n : kFloatTile;
    for (std::size_t i = 0; i < n; i += tile) {
      const std::size_t m = std::min(tile, n - i);
      alignas(64) float gates[kFloatTile], values[kFloatTile], upstream[kFloatTile];
      const auto [x, factor] = read_floats({g.from(i), v.from(i)}, {gates, values}, m, passage);
      const auto* from = static_cast<const float*>(read(dy.from(i), upstream, m));
      if (side_by_side) {
        loops_.backward(x, factor, from, floats(dg), floats(dv), m, passage);
      } else {
        loops_.backward(x, factor, from, gates, values, m, Passage::near);
        write({gates, values}, {dg.from(i), dv.from(i)}, m, steps_);
      }
    }
  }

  /// The gradients by gate and value, rounded once; with a sum, what makes up the gradient by the scale is added to it.
  void backward_exact(const Strip& g, const Strip& v, const Strip& s, const Strip& dy, const Strip& dg, const Strip& dv,
                      std::size_t n, RowSum* sum, Passage passage) const {
    if (plain_ && format_ == Format::f32 && loops_.slopes && !sum)
      return backward_products(g, v, dy, dg, dv, n, passage);
    for (std::size_t i = 0; i < n; i += kTile) {
      const std::size_t m = std::min(kTile, n - i);
      alignas(64) double x[kTile], factor[kTile], scales[kTile], upstream[kTile], terms[kTile];
      Codes to_gate, to_value, codes[3];
      const auto [gates, values] = read({g.from(i), v.from(i)}, {codes[0].bytes, codes[1].bytes}, m, steps_, passage);
      const void* gradients = read(dy.from(i), codes[2].bytes, m);
      if (makes_products())
        multiply_floats(static_cast<const float*>(gates), static_cast<const float*>(gradients),
                        reinterpret_cast<float*>(to_value.bytes), m, passage);
      load(format_, gates, x, m, target_.bit), load(format_, values, factor, m, target_.bit);
      load(format_, gradients, upstream, m, target_.bit);
      if (scaled_) load_scale(s.from(i), scales, m);
      bool gate_passes[kTile], value_passes[kTile];
      if (value_limit_ != GatedExtras::kNone)
        for (std::size_t k = 0; k < m; ++k) {
          gate_passes[k] = !(x[k] > extras_.limit);
          value_passes[k] = !(std::fabs(factor[k]) > value_limit_);
        }
      clamp(x, factor, m);
      const double* scale = scaled_ ? scales : nullptr;
      if (composite_) {
        composite_->gradients(x, factor, scale, upstream, to_gate.bytes, to_value.bytes, sum ? terms : nullptr, m);
      } else {
        add_offset(factor, m);
        if (sum) {
          alignas(64) double products[kTile];
          for (std::size_t k = 0; k < m; ++k) products[k] = upstream[k] * factor[k];
          multiply(value_, format_, x, products, terms, m);
        }
        if (!makes_products()) multiply(value_, format_, x, upstream, scale, to_value.bytes, m);
        if (scaled_)
          for (std::size_t k = 0; k < m; ++k) factor[k] *= scales[k];
        multiply(factors_[1], format_, x, upstream, factor, to_gate.bytes, m);
      }
      if (sum) sum->add(terms, m);
      stop(gate_passes, to_gate.bytes, m), stop(value_passes, to_value.bytes, m);
      write({to_gate.bytes, to_value.bytes}, {dg.from(i), dv.from(i)}, m, steps_);
    }
  }

  /// The same where loops on floats and on doubles settle most results.
  void backward_products(const Strip& g, const Strip& v, const Strip& dy, const Strip& dg, const Strip& dv,
                         std::size_t n, Passage passage) const {
    for (std::size_t i = 0; i < n; i += kFloatTile) {
      const std::size_t m = std::min(kFloatTile, n - i);
      alignas(64) float gates[kFloatTile], values[kFloatTile], upstream[kFloatTile], to_gate[kFloatTile],
          to_value[kFloatTile];
      const auto [x, factor] = read_floats({g.from(i), v.from(i)}, {gates, values}, m, passage);
      const auto* from = static_cast<const float*>(read(dy.from(i), upstream, m));
      multiply_floats(x, from, to_value, m, passage);
      std::uint16_t open[kFloatTile];
      const std::size_t count = loops_.slopes(x, from, factor, to_gate, open, m, factors_[1].parameters, passage);
      for (std::size_t k = 0; k < count; k += kTile)
        multiply_again(factors_[1], x, from, factor, open + k, to_gate, std::min(kTile, count - k));
      if (passage == Passage::streamed && dg.stride == 1 && dv.stride == 1) {
        steps_.stream(to_gate, floats(dg.from(i)), m, false);
        steps_.stream(to_value, floats(dv.from(i)), m, i + m == n);
      } else {
        write({to_gate, to_value}, {dg.from(i), dv.from(i)}, m, steps_);
      }
    }
  }

 private:
  static constexpr Part kParts[] = {Part::value, Part::slope};
  static float* floats(const Strip& strip) { return reinterpret_cast<float*>(strip.data); }
  PairOf<const float*> read_floats(const PairOf<const Strip&>& strips, PairOf<void*> buffers, std::size_t n,
                                   Passage passage) const {
    const auto [a, b] = read(strips, buffers, n, steps_, passage);
    return {static_cast<const float*>(a), static_cast<const float*>(b)};
  }
  void load_scale(const Strip& s, double* to, std::size_t n) const {
    Codes codes;
    load(s.format, read(s, codes.bytes, n), to, n, target_.bit);
  }
  /// Whether products of floats settle most results.
  bool makes_products() const {
    return format_ == Format::f32 && plain_ && (loops_.first_try || (value_.exact && gate_.preset()));
  }
  /// y = h(x) a, rounded once, for n <= kFloatTile; y is no input.
  void multiply_floats(const float* x, const float* a, float* y, std::size_t n, Passage passage) const {
    if (!loops_.first_try) {
      for (std::size_t i = 0; i < n; i += kTile) {
        const std::size_t m = std::min(kTile, n - i);
        if (!multiply_exact(value_, x + i, a + i, y + i, m))
          multiply_again(value_, x + i, a + i, nullptr, nullptr, y + i, m);
      }
      return;
    }
    std::uint16_t open[kFloatTile];
    const std::size_t count = loops_.first_try(x, a, y, open, n, passage);
    for (std::size_t i = 0; i < count; i += kTile)
      multiply_again(value_, x, a, nullptr, open + i, y, std::min(kTile, count - i));
  }
  /// y = f(x) a b for the n <= kTile places in `where`, or the first n; b may be null.
  void multiply_again(const Factor& f, const float* x, const float* a, const float* b, const std::uint16_t* where,
                      float* y, std::size_t n) const {
    alignas(64) double numbers[3][kTile];
    alignas(64) float products[kTile];
    const float* const from[] = {x, a, b};
    const auto place = [&](std::size_t k) { return where ? where[k] : k; };
    for (std::size_t j = 0; j < (b ? 3 : 2); ++j)
      for (std::size_t k = 0; k < n; ++k) numbers[j][k] = static_cast<double>(from[j][place(k)]);
    multiply(f, format_, numbers[0], numbers[1], b ? numbers[2] : nullptr, products, n);
    for (std::size_t k = 0; k < n; ++k) y[place(k)] = products[k];
  }

  /// The fast tier's formula step by step, on floats.
  void finish(const float* x, const float* v, const Strip& s, float* y, std::size_t n) const {
    alignas(64) float gates[kFloatTile];
    if (extras_.limit != GatedExtras::kNone) {
      steps_.clamp(x, static_cast<float>(extras_.limit), gates, n);
      x = gates;
    }
    const Kernels& all = kernels(gate_, target_);
    (gate_.has_fast_kernel(Order::value, target_) ? all.fast[0] : all.order[0])(x, gates, n, value_.parameters,
                                                                                Passage::near);
    steps_.finish(gates, v, y, n,
                  {static_cast<float>(extras_.step_limit), static_cast<float>(value_limit_),
                   // -0 changes nothing, +0 would change -0
                   extras_.offset == 0 ? -0.0f : static_cast<float>(extras_.offset)});
    if (!scaled_) return;
    alignas(64) float scales[kFloatTile];
    const auto* scale = static_cast<const float*>(read(s, scales, n));
    for (std::size_t k = 0; k < n; ++k) y[k] *= scale[k];
  }

  /// The limits of what comes in. NaN stays.
  void clamp(double* x, double* v, std::size_t n) const {
    if (extras_.limit != GatedExtras::kNone)
      for (std::size_t k = 0; k < n; ++k) x[k] = x[k] > extras_.limit ? extras_.limit : x[k];
    if (value_limit_ != GatedExtras::kNone)
      for (std::size_t k = 0; k < n; ++k) v[k] = std::clamp(v[k], -value_limit_, value_limit_);
  }
  void add_offset(double* v, std::size_t n) const {
    if (extras_.offset != 0)
      for (std::size_t k = 0; k < n; ++k) v[k] += extras_.offset;
  }
  /// No gradient passes beyond a limit: 0, whose bits are 0 in every format.
  void stop(const bool* passes, unsigned char* gradient, std::size_t n) const {
    if (value_limit_ == GatedExtras::kNone) return;
    const std::size_t bytes = info_of(format_).bytes;
    for (std::size_t k = 0; k < n; ++k)
      if (!passes[k]) std::memset(gradient + k * bytes, 0, bytes);
  }

  const Call& gate_;
  Format format_;
  const Target& target_;
  const GatedSteps& steps_;
  GatedExtras extras_;
  Factors factors_;
  Factor value_;
  bool scaled_, plain_ = false;
  double value_limit_ = GatedExtras::kNone;
  GatedKernels loops_;
  std::optional<GatedComposite> composite_;
};

/// Calls run(strips, n) for stretches of rows, `count` elements from `first` on, the rows being numbered through.
template <std::size_t arrays, class Run>
void run_strips(const Rows<arrays>& rows, std::size_t first, std::size_t count, const Run& run) {
  for (std::size_t i = first; i < first + count;) {
    const std::size_t row = i / rows.length(), j = i % rows.length(),
                      n = std::min(rows.length() - j, first + count - i);
    std::array<Strip, arrays> strips;
    for (std::size_t k = 0; k < arrays; ++k) strips[k] = rows.strip(k, row, j);
    run(strips, n);
    i += n;
  }
}

void note_reads(const Strip& strip, std::size_t n) {
  if (strip.stride == 1) reads(strip.data, n * strip.bytes());
}
void note_writes(const Strip& strip, std::size_t n) {
  if (strip.stride == 1) writes(strip.data, n * strip.bytes());
}

}  // namespace

void Gated::apply(const actfun_array& gate_in, const actfun_array& value, const actfun_array* scale,
                  const actfun_array& y, const Target& target) const {
  if (size_of(y) == 0) return;
  const DefaultFloatEnvironment environment;
  const Format format = format_of(y);
  std::array<actfun_array, 4> all{y, gate_in, value, scale ? *scale : ones_like(y)};
  simplify(all);
  const Rows<4> rows(all, all[0].rank - 1);
  const Unit unit(*this, format, scale != nullptr, target);
  const std::size_t n = rows.rows() * rows.length();
  const Passage passage =
      format == Format::f32 ? gated_passage({gate_in.data, value.data}, {y.data}, n * sizeof(float)) : Passage::near;
  in_parts(n, tile_of(format), gate.threads, [&](std::size_t first, std::size_t count) {
    run_strips(rows, first, count, [&](const std::array<Strip, 4>& strips, std::size_t m) {
      const auto& [to, g, v, s] = strips;
      note_reads(g, m), note_reads(v, m), note_writes(to, m);
      unit.has_fast_value() ? unit.apply_fast(g, v, s, to, m, passage) : unit.apply_exact(g, v, s, to, m, passage);
    });
  });
}

void Gated::backward(const actfun_array& gate_in, const actfun_array& value, const actfun_array* scale,
                     const actfun_array& dy, const Gradients& to, const Target& target) const {
  if (size_of(dy) == 0 && !to.dscale) return;  // a sum over nothing is 0
  const DefaultFloatEnvironment environment;
  const Format format = format_of(dy);
  std::array<actfun_array, 6> all{to.dgate, to.dvalue, gate_in, value, dy, scale ? *scale : ones_like(dy)};
  const Unit unit(*this, format, scale != nullptr, target);
  const auto run = [&](const std::array<Strip, 6>& strips, std::size_t m, RowSum* sum, Passage passage) {
    const auto& [dg, dv, g, v, upstream, s] = strips;
    note_reads(g, m), note_reads(v, m), note_reads(upstream, m), note_writes(dg, m), note_writes(dv, m);
    unit.has_fast_gradients() ? unit.backward_fast(g, v, upstream, dg, dv, m, passage)
                              : unit.backward_exact(g, v, s, upstream, dg, dv, m, sum, passage);
  };
  if (to.dscale) {
    const Rows<6> rows(all, to.axis);
    const RowsOf sums(*to.dscale, to.axis);
    const Format sum_format = format_of(*to.dscale);
    return in_parts(rows.rows(), tile_of_rows(rows.length()), gate.threads, [&](std::size_t first, std::size_t count) {
      for (std::size_t row = first; row < first + count; ++row) {
        RowSum sum(target.bit);
        run_strips(rows, row * rows.length(), rows.length(),
                   [&](const std::array<Strip, 6>& strips, std::size_t m) { run(strips, m, &sum, Passage::near); });
        const std::uint64_t code = encode(sum_format, sum.value(), gate.overflow);
        std::memcpy(sums.row(row), &code, info_of(sum_format).bytes);
      }
    });
  }
  simplify(all);
  const Rows<6> rows(all, all[0].rank - 1);
  const std::size_t n = rows.rows() * rows.length();
  const Passage passage = format == Format::f32 ? gated_passage({gate_in.data, value.data, dy.data},
                                                                {to.dgate.data, to.dvalue.data}, 2 * n * sizeof(float))
                                                : Passage::near;
  in_parts(n, tile_of(format), gate.threads, [&](std::size_t first, std::size_t count) {
    run_strips(rows, first, count,
               [&](const std::array<Strip, 6>& strips, std::size_t m) { run(strips, m, nullptr, passage); });
  });
}

GateAndValue split(const actfun_array& x, int axis, GatedLayout layout) {
  const bool pairs = layout == GatedLayout::interleaved || layout == GatedLayout::interleaved_gate_second;
  actfun_array first = x;
  first.shape[axis] /= 2;
  const std::ptrdiff_t step =
      pairs ? x.strides[axis] : x.strides[axis] * static_cast<std::ptrdiff_t>(first.shape[axis]);
  if (pairs) first.strides[axis] *= 2;
  actfun_array second = first;
  if (x.data)
    second.data = static_cast<unsigned char*>(x.data) + step * static_cast<std::ptrdiff_t>(info_of(format_of(x)).bytes);
  const bool swapped = layout == GatedLayout::gate_second || layout == GatedLayout::interleaved_gate_second;
  return swapped ? GateAndValue{second, first} : GateAndValue{first, second};
}

}  // namespace actfun
