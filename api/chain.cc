// SPDX-License-Identifier: Apache-2.0
// Chains on tiles. The exact tier computes on doubles beside a bound of what they may lack, and does again what that
// leaves open: docs/design/chain.md.
#include "api/chain.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>

#include "api/array.h"
#include "api/factors.h"
#include "api/threads.h"
#include "backends/cpu/chain.h"
#include "backends/cpu/float_environment.h"
#include "backends/cpu/products.h"
#include "backends/cpu/sum.h"
#include "core/philox.h"

namespace actfun {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
constexpr std::size_t kTile = kProductTile;
/// Measured: docs/design/chain.md.
template <>
constexpr std::size_t kTile<float> = 2048;

Format format_of(const actfun_array& array) { return static_cast<Format>(array.format); }
std::size_t bytes_of(const actfun_array& array) { return info_of(format_of(array)).bytes; }

/// An array as a bias sees it: the channels' axis, and what lies before and behind.
struct Channelled {
  std::size_t outer = 1, channels = 1, inner = 1;
};
Channelled channelled(const actfun_array& x, const actfun_array& bias, int axis) {
  if (size_of(bias) == 1) return {size_of(x), 1, 1};
  Channelled shape;
  const int channels = axis_of(x, axis);
  for (int i = 0; i < x.rank; ++i)
    (i < channels ? shape.outer : i == channels ? shape.channels : shape.inner) *= x.shape[i];
  return shape;
}

/// n numbers of an array, n <= kTile<T>, from number `first` on: where they lie, or in `room`.
template <class T>
const T* numbers(const actfun_array& array, std::size_t first, std::size_t n, T* room, std::int64_t target) {
  const void* from = element_at(format_of(array), array.data, first);
  constexpr Format kNative = std::is_same_v<T, double> ? Format::f64 : Format::f32;
  reads(from, n * bytes_of(array));
  if (format_of(array) == kNative) return static_cast<const T*>(from);
  if constexpr (kNative == Format::f64)
    load(format_of(array), from, room, n, target);
  else
    convert(format_of(array), from, Format::f32, room, n, target);
  return room;
}

/// Fetches what lies behind n numbers of an array from number `first` on: the tiles to come.
void fetch_behind(const actfun_array& array, std::size_t first, std::size_t n) {
  constexpr std::size_t kAhead = 4096, kLine = 64;  // bytes
  const auto from = reinterpret_cast<std::uintptr_t>(element_at(format_of(array), array.data, first)) + kAhead;
  for (std::size_t i = 0; i < n * bytes_of(array); i += kLine)
    __builtin_prefetch(reinterpret_cast<const void*>(from + i));
}

/// The numbers that a stage takes beside those that come through the chain.
template <class T>
class Operand {
 public:
  Operand(const actfun_array& array, const actfun_array& x, const Stage& stage, std::int64_t target)
      : array_(&array), target_(target) {
    if (stage.kind != Stage::Kind::bias) return;
    shape_ = channelled(x, array, stage.axis);
    // Where channels lie side by side, again and again until a tile that begins at any of them finds its numbers.
    table_.resize(shape_.inner == 1 ? shape_.channels + kTile<T> : shape_.channels);
    for (std::size_t c = 0; c < shape_.channels; c += kTile<T>) {
      const std::size_t n = std::min(kTile<T>, shape_.channels - c);
      std::copy_n(numbers<T>(array, c, n, &table_[c], target), n, &table_[c]);
    }
    for (std::size_t i = shape_.channels; i < table_.size(); ++i) table_[i] = table_[i - shape_.channels];
  }

  const T* at(std::size_t first, std::size_t n, T* room) const {
    if (table_.empty()) return numbers<T>(*array_, first, n, room, target_);
    if (shape_.inner == 1) return &table_[first % shape_.channels];
    for (std::size_t i = 0; i < n;) {
      const std::size_t element = first + i, row = element / shape_.inner,
                        m = std::min(n - i, shape_.inner - element % shape_.inner);
      std::fill_n(room + i, m, table_[row % shape_.channels]);
      i += m;
    }
    return room;
  }
  void fetch_behind(std::size_t first, std::size_t n) const {
    if (table_.empty()) actfun::fetch_behind(*array_, first, n);
  }

 private:
  const actfun_array* array_;
  std::int64_t target_;
  Channelled shape_;
  std::vector<T> table_;
};

/// Of 2^32 words those below drop an element.
std::uint32_t threshold(const Stage& stage) {
  return static_cast<std::uint32_t>(std::min(std::nearbyint(stage.a * 0x1p32), 0x1p32 - 1));
}
double kept_scale(const Stage& stage) { return 1 / (1 - stage.a); }

/// What all threads of a run share.
template <class T>
struct Setting {
  Setting(std::span<const Stage> all, const actfun_array& input, std::span<const actfun_array> arrays,
          const ChainRun& run, const Target& where)
      : stages(all), x(input), how(run), target(where) {
    operands.reserve(all.size());  // one a stage, that of a stage without being empty
    for (const Stage& stage : all) {
      if (stage.has_operand())
        operands.emplace_back(std::in_place, arrays[stage.operand], input, stage, where.bit);
      else
        operands.emplace_back();
      streams.push_back(stage.kind == Stage::Kind::dropout ? dropouts++ : 0);
    }
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

  std::span<const Stage> stages;
  const actfun_array& x;
  const ChainRun& how;
  const Target& target;
  std::vector<std::optional<Operand<T>>> operands;
  std::vector<std::uint64_t> streams;  ///< each dropout draws from one of its own
  std::uint64_t dropouts = 0;
  const ChainSteps<T>& steps = chain_steps<T>(target.bit);
  const EstimateSteps& estimates = estimate_steps(target.bit);
};

/// Random words for the elements of a tile.
template <class T>
class Words {
 public:
  const std::uint32_t* draw(const Setting<T>& setting, std::size_t stage, std::size_t first, std::size_t n) {
    const std::size_t before = first % 4;
    setting.estimates.random(setting.how.seed, setting.streams[stage], first / 4, (before + n + 3) / 4, words_);
    return words_ + before;
  }

 private:
  std::uint32_t words_[kTile<T> + 8];
};

/// Bits of what all dropouts keep; tiles begin at multiples of eight then.
template <class T>
void write_kept(const Setting<T>& setting, std::size_t first, std::size_t n, Words<T>& words) {
  if (!setting.how.kept) return;
  std::uint8_t* to = setting.how.kept + first / 8;
  writes(to, (n + 7) / 8);
  std::memset(to, 0xff, n / 8);
  if (n % 8) to[n / 8] = static_cast<std::uint8_t>((1u << n % 8) - 1);
  for (std::size_t s = 0; s < setting.stages.size(); ++s) {
    if (setting.stages[s].kind != Stage::Kind::dropout) continue;
    const std::uint32_t *random = words.draw(setting, s, first, n), least = threshold(setting.stages[s]);
    for (std::size_t i = 0; i < n; ++i)
      to[i / 8] = static_cast<std::uint8_t>(to[i / 8] & ~((random[i] < least ? 1u : 0u) << i % 8));
  }
}

// ---------------------------------------------------------------------------------------------------- exact tier

using Estimate = Setting<double>;
constexpr std::size_t kExact = kTile<double>;

/// Numbers that are known within error[i], or exactly.
struct Estimates {
  alignas(64) double value[kExact];
  alignas(64) double error[kExact];
  bool exact = true;
  const double* errors() const { return exact ? nullptr : error; }
};

/// A function stage, ready to run.
class Function {
 public:
  Function(const Call& call, const Target& target)
      : call_(call),
        target_(target),
        factors_(call_, kBoth, target),
        settled_(arithmetic(call) != Arithmetic::tested),
        keeps_positive_(hands_on_positive_numbers(call.info())) {
    call_.threads = 1;
  }

  const Factor& factor(Part part) const { return factors_[part == Part::value ? 0 : 1]; }

  /// y = part(t). Other machines' estimates differ, but their errors reach what `again` says of exactly known t.
  void estimate(const EstimateSteps& steps, Part part, const Estimates& t, Estimates& y, std::size_t n) const {
    const Factor& f = factor(part);
    f.raw(t.value, y.value, y.error, n, f.parameters);
    y.exact = false;
    if (settled_) {
      const bool all = steps.settle(t.value, y.error, n);
      y.exact = all && t.exact;
    } else if (keeps_positive_ && part == Part::value) {
      steps.keep_positive(t.value, y.value, y.error, n);
    }
    for (const Exception& exception : f.exceptions)
      for (std::size_t i = 0; i < n; ++i)
        if (t.value[i] == exception.x) y.error[i] = kInfinity, y.exact = false;
    if (t.exact) return;
    alignas(64) double low[kExact], high[kExact], ignored[kExact];
    steps.spread(t.value, t.error, low, high, n);
    f.raw(low, low, ignored, n, f.parameters);
    f.raw(high, high, ignored, n, f.parameters);
    steps.add_spread(y.value, low, high, y.error, n);
    for (std::size_t i = 0; i < n; ++i)
      if (!(t.error[i] < kInfinity)) y.error[i] = kInfinity;
  }

  /// y = g part(t), or part(t) without g, the same doubles on every machine.
  void again(Part part, const double* t, const double* g, double* y, std::size_t n) const {
    if (!settled_) return call_.multiply(part, Format::f64, t, g, y, n, target_);
    const Factor& f = factor(part);
    for (std::size_t i = 0; i < n; ++i) {
      bool usual = std::fabs(t[i]) < kInfinity;
      for (const Exception& exception : f.exceptions) usual &= t[i] != exception.x;
      double value, ignored;
      f.raw(&t[i], &value, &ignored, 1, f.parameters);
      if (usual)
        y[i] = g ? g[i] * value : value;
      else
        call_.multiply(part, Format::f64, &t[i], g ? &g[i] : nullptr, &y[i], 1, target_);
    }
  }

 private:
  static constexpr Part kBoth[] = {Part::value, Part::slope};
  Call call_;
  const Target& target_;
  Factors factors_;
  bool settled_;         ///< what raw kernels compute is the same on every machine
  bool keeps_positive_;  ///< f(t) = t for t > 0
};

/// Elements that are computed again, with the same doubles on every machine. What a function makes of them is kept
/// unrounded until something else happens to it.
class Again {
 public:
  explicit Again(std::size_t n) : n_(n) {}

  void set(std::size_t i, double x) { value_[i] = x; }
  std::size_t size() const { return n_; }
  const double* values() {
    if (pending_) pending_->again(part_, t_, g_, value_, n_), pending_ = nullptr;
    return value_;
  }
  /// v = f(v)
  void apply(const Function& f) {
    std::copy_n(values(), n_, t_);
    std::fill_n(g_, n_, 1.0);
    pending_ = &f, part_ = Part::value;
  }
  /// v = v f'(t)
  void multiply_by_slope(const Function& f, const double* t) {
    std::copy_n(values(), n_, g_);
    std::copy_n(t, n_, t_);
    pending_ = &f, part_ = Part::slope;
  }
  template <class Change>
  void change(const Change& change) {
    values();
    for (std::size_t i = 0; i < n_; ++i) value_[i] = change(value_[i], i);
  }
  /// The numbers of a format, every NaN being the same; also as the format's codes.
  void round(Format format, unsigned char* codes) {
    if (pending_) return multiply(pending_->factor(part_), format, t_, g_, nullptr, codes, n_);
    for (std::size_t i = 0; i < n_; ++i) {
      const double v = value_[i] == value_[i] ? value_[i] : std::numeric_limits<double>::quiet_NaN();
      const std::uint64_t code = encode(format, round_to(format, v), Overflow::saturate);
      std::memcpy(codes + i * info_of(format).bytes, &code, info_of(format).bytes);
    }
  }

 private:
  std::size_t n_;
  double value_[kExact], t_[kExact], g_[kExact];
  const Function* pending_ = nullptr;
  Part part_ = Part::value;
};

/// Where numbers of a tile are open.
struct Open {
  std::uint16_t where[kExact];
  std::size_t count = 0;
  bool is[kExact] = {};
  void add(std::size_t i) {
    if (!is[i]) where[count++] = static_cast<std::uint16_t>(i);
    is[i] = true;
  }
};

/// The chain on doubles, with errors.
class ExactChain {
 public:
  ExactChain(const Estimate& setting) : s_(setting) {
    for (const Stage& stage : s_.stages) {
      functions_.push_back(stage.kind == Stage::Kind::function ? std::make_unique<Function>(stage.call, s_.target)
                                                               : nullptr);
      functions_before_.push_back(functions_before_.back() + (stage.kind == Stage::Kind::function ? 1 : 0));
    }
  }

  /// The first `count` stages for elements first.., n <= kExact. `place(k)` is for what stage k takes, and behind the
  /// last one for the result; before and behind a function they differ.
  template <class Place>
  void forward(std::size_t first, std::size_t n, std::size_t count, const Place& place, Words<double>& words) const {
    alignas(64) double room[kExact];
    Estimates& input = place(0);
    const double* from = numbers<double>(s_.x, first, n, input.value, s_.target.bit);
    if (from != input.value) std::copy_n(from, n, input.value);
    input.exact = true;
    for (std::size_t k = 0; k < count; ++k) {
      const Stage& stage = s_.stages[k];
      const Estimates& v = place(k);
      Estimates& y = place(k + 1);
      const double* r = s_.operands[k] ? s_.operands[k]->at(first, n, room) : nullptr;
      if (stage.kind == Stage::Kind::function) {
        functions_[k]->estimate(s_.estimates, Part::value, v, y, n);
        continue;
      }
      y.exact = v.exact;
      if (!v.exact && &y != &v && stage.kind != Stage::Kind::multiply) std::copy_n(v.error, n, y.error);
      linear(stage, k, first, v, r, y, n, words);
    }
  }

  /// The same for some elements of a tile; tape(k, v) sees what stage k takes, and the result.
  template <class Tape>
  void forward_again(std::size_t first, const Open& open, std::size_t count, Again& v, const Tape& tape) const {
    gather(s_.x, first, open, v);
    for (std::size_t k = 0; k < count; ++k) {
      const Stage& stage = s_.stages[k];
      tape(k, v);
      if (stage.kind == Stage::Kind::function)
        v.apply(*functions_[k]);
      else if (stage.kind != Stage::Kind::quantize)
        v.change([&](double value, std::size_t i) { return linear_again(stage, k, first + open.where[i], value); });
    }
    tape(count, v);
  }

  const Function& function(std::size_t stage) const { return *functions_[stage]; }
  std::size_t functions_before(std::size_t stage) const { return functions_before_[stage]; }
  bool any_function() const { return functions_before_.back() > 0; }
  const Estimate& setting() const { return s_; }

  void gather(const actfun_array& array, std::size_t first, const Open& open, Again& v) const {
    for (std::size_t i = 0; i < open.count; ++i) {
      double room;
      v.set(i, *numbers<double>(array, first + open.where[i], 1, &room, s_.target.bit));
    }
  }
  double operand(std::size_t stage, std::size_t element) const {
    alignas(64) double room[kExact];
    return *s_.operands[stage]->at(element, 1, room);
  }
  bool keeps(std::size_t stage, std::size_t element) const {
    return philox(s_.how.seed, element / 4, s_.streams[stage])[element % 4] >= threshold(s_.stages[stage]);
  }

 private:
  void linear(const Stage& stage, std::size_t k, std::size_t first, const Estimates& v, const double* r, Estimates& y,
              std::size_t n, Words<double>& words) const {
    switch (stage.kind) {
      case Stage::Kind::bias:
      case Stage::Kind::add:
        s_.steps.add(v.value, r, y.value, n, Passage::near);
        break;
      case Stage::Kind::multiply:
        if (!v.exact) s_.estimates.product_error(v.value, v.error, r, nullptr, y.error, n);
        s_.steps.multiply(v.value, r, y.value, n, Passage::near);
        break;
      case Stage::Kind::shift:
        s_.steps.shift(v.value, stage.a, y.value, n, Passage::near);
        break;
      case Stage::Kind::scale:
        s_.steps.scale(v.value, stage.a, y.value, n, Passage::near);
        if (!v.exact) s_.steps.scale(y.error, std::fabs(stage.a), y.error, n, Passage::near);
        break;
      case Stage::Kind::clamp:
        s_.steps.clamp(v.value, stage.a, stage.b, y.value, n, Passage::near);
        break;
      case Stage::Kind::dropout: {
        const std::uint32_t *random = words.draw(s_, k, first, n), least = threshold(stage);
        s_.steps.drop(random, least, kept_scale(stage), v.value, y.value, n, Passage::near);
        if (!v.exact) s_.steps.drop(random, least, kept_scale(stage), y.error, y.error, n, Passage::near);
        break;
      }
      case Stage::Kind::quantize:
        if (&y != &v) std::copy_n(v.value, n, y.value);
        return;
      case Stage::Kind::function:
        return;
    }
    if (!v.exact) s_.estimates.add_rounding(y.value, y.error, n);
  }
  double linear_again(const Stage& stage, std::size_t k, std::size_t element, double v) const {
    switch (stage.kind) {
      case Stage::Kind::bias:
      case Stage::Kind::add:
        return v + operand(k, element);
      case Stage::Kind::multiply:
        return v * operand(k, element);
      case Stage::Kind::shift:
        return v + stage.a;
      case Stage::Kind::scale:
        return v * stage.a;
      case Stage::Kind::clamp:
        return v < stage.a ? stage.a : v > stage.b ? stage.b : v;
      case Stage::Kind::dropout:
        return keeps(k, element) ? v * kept_scale(stage) : 0;
      case Stage::Kind::quantize:
      case Stage::Kind::function:
        break;
    }
    return v;
  }

  const Estimate& s_;
  std::vector<std::unique_ptr<Function>> functions_;
  std::vector<std::size_t> functions_before_ = {0};
};

/// v in a format, rounded once, in `codes`; what an error leaves open is added to `open`.
void round(const Estimate& s, const Estimates& v, bool any_function, Format format, unsigned char* codes, std::size_t n,
           Open& open) {
  if (format == Format::f64) {
    auto* to = reinterpret_cast<double*>(codes);
    for (std::size_t i = 0; i < n; ++i) {
      to[i] = v.value[i] == v.value[i] ? v.value[i] : std::numeric_limits<double>::quiet_NaN();
      if (any_function) open.add(i);  // no error is small enough
    }
    return;
  }
  alignas(64) float room[kExact];
  float* floats = format == Format::f32 ? reinterpret_cast<float*>(codes) : room;
  if (v.exact)
    s.estimates.narrow(v.value, floats, n);
  else if (s.estimates.round(v.value, v.error, floats, n))
    for (std::size_t i = 0; i < n; ++i) {
      const double reach = kReach * v.error[i];
      const auto low = static_cast<float>(v.value[i] - reach), high = static_cast<float>(v.value[i] + reach);
      if (!(low == high && std::isfinite(high))) open.add(i);
    }
  if (format == Format::f32) return;
  const Conversions& conversion = conversions(format, s.target.bit);
  if (!conversion.narrow(floats, codes, n, Overflow::saturate)) return;
  // The float may be a tie of the format, or next to one, that the double is not.
  alignas(64) float near[2][kExact];
  unsigned char other[2][2 * kExact];
  for (std::size_t i = 0; i < n; ++i) {
    const auto bits = std::bit_cast<std::int32_t>(floats[i]);
    const bool steps = floats[i] != 0 && std::isfinite(floats[i]);
    near[0][i] = std::bit_cast<float>(bits - steps), near[1][i] = std::bit_cast<float>(bits + steps);
  }
  const std::size_t bytes = info_of(format).bytes;
  for (int side = 0; side < 2; ++side) conversion.narrow(near[side], other[side], n, Overflow::saturate);
  for (std::size_t i = 0; i < n; ++i)
    if (std::memcmp(other[0] + i * bytes, other[1] + i * bytes, bytes) != 0) open.add(i);
}

/// Codes of a quantised result, from a double.
struct Quantizer {
  explicit Quantizer(const Quantization& q)
      : scale(static_cast<double>(q.scale)), zero_point(q.zero_point), least(q.is_signed ? -128 : 0) {}
  void operator()(const EstimateSteps& steps, const double* v, std::uint8_t* y, std::size_t n) const {
    steps.quantize(v, scale, zero_point, least, least + 255, y, n);
  }
  double scale, zero_point, least;
};

void quantize(const Estimate& s, const Estimates& v, const Quantization& to, unsigned char* codes, std::size_t n,
              Open& open) {
  const Quantizer quantizer(to);
  quantizer(s.estimates, v.value, codes, n);
  if (v.exact) return;
  alignas(64) double low[kExact], high[kExact];
  std::uint8_t below[kExact], above[kExact];
  s.estimates.spread(v.value, v.error, low, high, n);
  quantizer(s.estimates, low, below, n), quantizer(s.estimates, high, above, n);
  for (std::size_t i = 0; i < n; ++i)
    if (below[i] != above[i] || !(v.error[i] < kInfinity)) open.add(i);
}

/// Puts codes of the open elements into their places.
void scatter(const Open& open, const unsigned char* from, unsigned char* to, std::size_t bytes) {
  for (std::size_t i = 0; i < open.count; ++i) std::memcpy(to + open.where[i] * bytes, from + i * bytes, bytes);
}

void run_exact(const Estimate& setting, const actfun_array& y, std::size_t bytes, unsigned threads) {
  const ExactChain chain(setting);
  const bool quantizes = !setting.stages.empty() && setting.stages.back().kind == Stage::Kind::quantize;
  in_parts(size_of(setting.x), tile_of(Format::f32), threads, [&](std::size_t begin, std::size_t count) {
    Estimates tiles[2];
    Words<double> words;
    alignas(64) unsigned char codes[8 * kExact], again[8 * kExact];
    for (std::size_t first = begin; first < begin + count; first += kExact) {
      const std::size_t n = std::min(kExact, begin + count - first);
      chain.forward(
          first, n, setting.stages.size(),
          [&](std::size_t k) -> Estimates& { return tiles[chain.functions_before(k) % 2]; }, words);
      const Estimates& v = tiles[chain.functions_before(setting.stages.size()) % 2];
      Open open;
      if (quantizes)
        quantize(setting, v, setting.stages.back().quantization, codes, n, open);
      else
        round(setting, v, chain.any_function(), format_of(y), codes, n, open);
      if (open.count > 0) {
        Again exactly(open.count);
        chain.forward_again(first, open, setting.stages.size(), exactly, [](std::size_t, Again&) {});
        if (quantizes)
          Quantizer(setting.stages.back().quantization)(setting.estimates, exactly.values(), again, open.count);
        else
          exactly.round(format_of(y), again);
        scatter(open, again, codes, bytes);
      }
      unsigned char* to = static_cast<unsigned char*>(y.data) + first * bytes;
      writes(to, n * bytes);
      std::memcpy(to, codes, n * bytes);
      write_kept(setting, first, n, words);
    }
  });
}

// ----------------------------------------------------------------------------------------------------- fast tier

/// The chain on floats: each stage rounds.
class FastChain {
 public:
  FastChain(const Setting<float>& setting, Tier tier) : s_(setting) {
    for (const Stage& stage : s_.stages) {
      Call call = stage.call;
      call.tier = tier;
      calls_.push_back(call);
      const bool function = stage.kind == Stage::Kind::function;
      constants_.push_back(function ? constants(call) : Constants{});
      kernels_.push_back(function ? float_kernel(call, Order::value, s_.target) : nullptr);
    }
  }

  /// The stages [0, count) on elements first..: `place(k)` is where stage k puts its results, which the last one may
  /// stream. taken(k, v) hears where stage k finds what it takes, and where the result is, which is returned.
  template <class Place, class Taken>
  const float* forward(std::size_t first, std::size_t n, float* input, std::size_t count, const Place& place,
                       Passage passage, Words<float>& words, const Taken& taken) const {
    alignas(64) float room[kTile<float>];
    const float* v = numbers<float>(s_.x, first, n, input, s_.target.bit);
    for (std::size_t k = 0; k < count; ++k) {
      float* y = place(k);
      taken(k, v);
      run(k, first, v, s_.operands[k] ? s_.operands[k]->at(first, n, room) : nullptr, y, n,
          k + 1 == count ? passage : Passage::near, words);
      v = y;
    }
    taken(count, v);
    return v;
  }

  const Setting<float>& setting() const { return s_; }
  const Call& call(std::size_t stage) const { return calls_[stage]; }

 private:
  void run(std::size_t k, std::size_t first, const float* v, const float* r, float* y, std::size_t n, Passage passage,
           Words<float>& words) const {
    const Stage& stage = s_.stages[k];
    const auto a = static_cast<float>(stage.a), b = static_cast<float>(stage.b);
    switch (stage.kind) {
      case Stage::Kind::function:
        return kernels_[k](v, y, n, constants_[k].data(), passage);
      case Stage::Kind::bias:
      case Stage::Kind::add:
        return s_.steps.add(v, r, y, n, passage);
      case Stage::Kind::multiply:
        return s_.steps.multiply(v, r, y, n, passage);
      case Stage::Kind::shift:
        return s_.steps.shift(v, a, y, n, passage);
      case Stage::Kind::scale:
        return s_.steps.scale(v, a, y, n, passage);
      case Stage::Kind::clamp:
        return s_.steps.clamp(v, a, b, y, n, passage);
      case Stage::Kind::dropout:
        return s_.steps.drop(words.draw(s_, k, first, n), threshold(stage), static_cast<float>(kept_scale(stage)), v, y,
                             n, passage);
      case Stage::Kind::quantize:
        return;
    }
  }

  const Setting<float>& s_;
  std::vector<Call> calls_;
  std::vector<Constants> constants_;
  std::vector<Kernels::Unary> kernels_;
};

void run_fast(const Setting<float>& setting, Tier tier, const actfun_array& y, std::size_t bytes, Passage passage,
              unsigned threads) {
  const FastChain chain(setting, tier);
  const bool quantizes = !setting.stages.empty() && setting.stages.back().kind == Stage::Kind::quantize,
             native = !quantizes && format_of(y) == Format::f32;
  const std::size_t count = setting.stages.size() - (quantizes ? 1 : 0);
  in_parts(size_of(setting.x), tile_of(Format::f32), threads, [&](std::size_t begin, std::size_t size) {
    alignas(64) float tile[kTile<float>];
    Words<float> words;
    for (std::size_t first = begin; first < begin + size;) {
      unsigned char* to = static_cast<unsigned char*>(y.data) + first * bytes;
      // A stream of whole lines begins at one.
      const std::size_t late =
          passage == Passage::streamed && !setting.how.kept ? reinterpret_cast<std::uintptr_t>(to) / bytes % 16 : 0;
      const std::size_t n = std::min(kTile<float> - late, begin + size - first);
      if (passage != Passage::near) {
        fetch_behind(setting.x, first, n);
        for (const auto& operand : setting.operands)
          if (operand) operand->fetch_behind(first, n);
      }
      auto* floats = reinterpret_cast<float*>(to);
      writes(to, n * bytes);
      const float* v = chain.forward(
          first, n, tile, count, [&](std::size_t k) { return native && k + 1 == count ? floats : tile; }, passage,
          words, [](std::size_t, const float*) {});
      if (quantizes) {
        alignas(64) double wide[kTile<float>];
        product_steps(setting.target.bit).widen(v, wide, n);
        Quantizer(setting.stages.back().quantization)(setting.estimates, wide, to, n);
      } else if (!native) {
        conversions(format_of(y), setting.target.bit).narrow(v, to, n, Overflow::saturate);
      } else if (v != floats) {
        std::copy_n(v, n, floats);
      }
      write_kept(setting, first, n, words);
      first += n;
    }
    if (passage == Passage::streamed) flush_stream();
  });
}

// ------------------------------------------------------------------------------------------------------ backward

/// Whether the gradient of a stage takes what the stage took.
bool takes_input(const Stage& stage) {
  return stage.kind == Stage::Kind::function || stage.kind == Stage::Kind::clamp || stage.kind == Stage::Kind::multiply;
}

/// An array cut into blocks of whole tiles, by its size and the channels' number alone: sums of a block are one
/// thread's, and are added in the blocks' order.
class Blocks {
 public:
  Blocks(std::size_t n, std::size_t widest) : n_(n) {
    constexpr std::size_t kLeast = 16384, kMost = 64;
    const std::size_t wanted = std::max({kLeast, (n + kMost - 1) / kMost, 4 * widest});
    size_ = (wanted + kExact - 1) / kExact * kExact;
  }
  std::size_t count() const { return (n_ + size_ - 1) / size_; }
  std::size_t begin(std::size_t block) const { return block * size_; }
  std::size_t end(std::size_t block) const { return std::min(n_, begin(block) + size_); }

 private:
  std::size_t n_, size_;
};

/// The sums over the channels of a bias. Each channel has some side by side, of which neighbouring elements meet
/// different ones: what lies next to each other is added in vectors.
class ChannelSums {
 public:
  explicit ChannelSums(const Channelled& shape) : shape_(shape) {
    constexpr std::size_t kRun = 256, kMost = 65536;  // sums of a run that vectors are worth, and of all
    each_ = shape.inner == 1
                ? (kRun + shape.channels - 1) / shape.channels
                : std::bit_floor(std::min({shape.inner, kRun, std::max<std::size_t>(kMost / width(1), 16)}));
  }
  std::size_t width() const { return width(each_); }
  void prepare(std::size_t blocks, std::int64_t target) { blocks_.assign(blocks, Sums(0, target)); }

  /// Terms of elements first.., which all lie in the block.
  void add(std::size_t block, std::size_t first, const double* terms, std::size_t n, std::int64_t target) {
    Sums& sums = blocks_[block];
    if (sums.size() == 0) sums = Sums(width(), target);
    for (std::size_t i = 0; i < n;) {
      const std::size_t element = first + i, in_row = element % shape_.inner;
      const std::size_t lane = in_row % each_;
      const std::size_t at =
          shape_.inner == 1 ? element % width() : element / shape_.inner % shape_.channels * each_ + lane;
      const std::size_t room = shape_.inner == 1 ? width() - at : std::min(shape_.inner - in_row, each_ - lane);
      const std::size_t m = std::min(n - i, room);
      sums.add(at, terms + i, m);
      i += m;
    }
  }

  std::vector<double> totals(std::int64_t target) const {
    Sums all(width(), target);
    for (const Sums& block : blocks_)
      if (block.size() > 0) all.add(block);
    shape_.inner == 1 ? all.fold(1, each_, shape_.channels) : all.fold(shape_.channels, each_, 1);
    std::vector<double> values(shape_.channels);
    all.every(shape_.inner == 1 ? 1 : each_, shape_.channels).values(values.data());
    return values;
  }

 private:
  std::size_t width(std::size_t each) const { return each * shape_.channels; }

  Channelled shape_;
  std::size_t each_;  ///< sums of a channel
  std::vector<Sums> blocks_;
};

/// Where gradients go: one of each stage's operand, unless null, and that of x.
struct Gradients {
  const actfun_array* dy;
  const actfun_array* dx = nullptr;
  std::vector<const actfun_array*> of_stage;
  std::vector<std::optional<ChannelSums>> sums;
  std::size_t width = 1;  ///< of the widest sums

  Gradients(std::span<const Stage> stages, const actfun_array& x, std::span<const actfun_array> operands,
            const actfun_array& from, const actfun_array& to, std::span<const actfun_array> arrays)
      : dy(&from) {
    if (to.data) dx = &to;
    for (const Stage& stage : stages) {
      const bool wanted = stage.has_operand() && arrays[stage.operand].data;
      of_stage.push_back(wanted ? &arrays[stage.operand] : nullptr);
      sums.emplace_back();
      if (!wanted || stage.kind != Stage::Kind::bias) continue;
      sums.back().emplace(channelled(x, operands[stage.operand], stage.axis));
      width = std::max(width, sums.back()->width());
    }
  }
  /// So many stages must run for the gradients to have what they take.
  std::size_t stages_to_run(std::span<const Stage> stages) const {
    for (std::size_t k = stages.size(); k-- > 0;)
      if (takes_input(stages[k])) return k;
    return 0;
  }
  void finish(const Target& target) const {
    for (std::size_t k = 0; k < sums.size(); ++k) {
      if (!sums[k]) continue;
      const actfun_array& to = *of_stage[k];
      const std::vector<double> totals = sums[k]->totals(target.bit);
      for (std::size_t c = 0; c < size_of(to); ++c) {
        const std::uint64_t code = encode(format_of(to), round_to(format_of(to), totals[c]), Overflow::saturate);
        std::memcpy(element_at(format_of(to), to.data, c), &code, bytes_of(to));
      }
    }
  }
};

void write(const actfun_array& to, std::size_t first, const unsigned char* codes, std::size_t n) {
  void* place = element_at(format_of(to), to.data, first);
  writes(place, n * bytes_of(to));
  std::memcpy(place, codes, n * bytes_of(to));
}

/// The gradients of one tile on doubles, and again where they are open.
class ExactGradients {
 public:
  ExactGradients(const ExactChain& chain, const Gradients& to, Format terms)
      : chain_(chain), s_(chain.setting()), to_(to), terms_(terms), count_(to.stages_to_run(s_.stages)) {
    for (const Stage& stage : s_.stages) {
      slot_.push_back(slots_);
      slots_ += takes_input(stage) ? 1 : 0;
    }
    slot_.push_back(slots_);
    tape_.resize(slots_ + 1);
    codes_.resize(s_.stages.size() + 1);
  }

  void run(std::size_t block, std::size_t first, std::size_t n, std::vector<std::optional<ChannelSums>>& sums) {
    open_ = {};
    const auto place = [&](std::size_t k) -> Estimates& { return tape_[slot_[k]]; };
    chain_.forward(first, n, count_, place, words_);
    Estimates g, slope;
    alignas(64) double room[kExact];
    std::copy_n(numbers<double>(*to_.dy, first, n, room, s_.target.bit), n, g.value);
    for (std::size_t k = s_.stages.size(); k-- > 0;) step(k, first, n, place(k), g, slope, room);
    if (to_.dx) round(s_, g, chain_.any_function(), format_of(*to_.dx), codes_.back().codes, n, open_);
    if (open_.count > 0) again(first);
    if (to_.dx) write(*to_.dx, first, codes_.back().codes, n);
    for (std::size_t k = 0; k < s_.stages.size(); ++k) {
      if (!to_.of_stage[k]) continue;
      if (!sums[k]) {
        write(*to_.of_stage[k], first, codes_[k].codes, n);
        continue;
      }
      load(terms_, codes_[k].codes, room, n, s_.target.bit);
      sums[k]->add(block, first, room, n, s_.target.bit);
    }
  }

 private:
  struct Codes {
    alignas(64) unsigned char codes[8 * kExact];
  };
  Format format(std::size_t k) const {
    return s_.stages[k].kind == Stage::Kind::bias ? terms_ : format_of(*to_.of_stage[k]);
  }
  void keep(std::size_t k, const Estimates& gradient, std::size_t n) {
    if (to_.of_stage[k]) round(s_, gradient, chain_.any_function(), format(k), codes_[k].codes, n, open_);
  }

  /// g behind stage k becomes g before it, where v is what the stage took.
  void step(std::size_t k, std::size_t first, std::size_t n, const Estimates& v, Estimates& g, Estimates& other,
            double* room) {
    const Stage& stage = s_.stages[k];
    switch (stage.kind) {
      case Stage::Kind::function:
        chain_.function(k).estimate(s_.estimates, Part::slope, v, other, n);
        s_.estimates.product_error(g.value, g.errors(), other.value, other.errors(), g.error, n);
        s_.steps.multiply(g.value, other.value, g.value, n, Passage::near);
        g.exact = false;
        break;
      case Stage::Kind::bias:
      case Stage::Kind::add:
        return keep(k, g, n);
      case Stage::Kind::multiply: {
        if (to_.of_stage[k]) {
          other.exact = g.exact && v.exact;
          s_.estimates.product_error(g.value, g.errors(), v.value, v.errors(), other.error, n);
          s_.steps.multiply(g.value, v.value, other.value, n, Passage::near);
          s_.estimates.add_rounding(other.value, other.error, n);
          keep(k, other, n);
        }
        const double* r = s_.operands[k]->at(first, n, room);
        if (!g.exact) s_.estimates.product_error(g.value, g.error, r, nullptr, g.error, n);
        s_.steps.multiply(g.value, r, g.value, n, Passage::near);
        break;
      }
      case Stage::Kind::scale:
        s_.steps.scale(g.value, stage.a, g.value, n, Passage::near);
        if (!g.exact) s_.steps.scale(g.error, std::fabs(stage.a), g.error, n, Passage::near);
        break;
      case Stage::Kind::clamp:
        s_.steps.clamp_gradient(v.value, stage.a, stage.b, g.value, g.value, n);
        if (v.exact) return;
        if (g.exact) std::fill_n(g.error, n, 0.0);
        g.exact = false;
        s_.estimates.doubt_bounds(v.value, v.error, stage.a, stage.b, g.error, n);
        return;
      case Stage::Kind::dropout: {
        const std::uint32_t *random = words_.draw(s_, k, first, n), least = threshold(stage);
        s_.steps.drop(random, least, kept_scale(stage), g.value, g.value, n, Passage::near);
        if (!g.exact) s_.steps.drop(random, least, kept_scale(stage), g.error, g.error, n, Passage::near);
        break;
      }
      case Stage::Kind::shift:
      case Stage::Kind::quantize:
        return;
    }
    if (!g.exact) s_.estimates.add_rounding(g.value, g.error, n);
  }

  void again(std::size_t first) {
    std::vector<std::vector<double>> tape(s_.stages.size() + 1);
    Again v(open_.count), g(open_.count);
    chain_.forward_again(first, open_, count_, v, [&](std::size_t k, Again& taken) {
      if (k < s_.stages.size() && takes_input(s_.stages[k]))
        tape[k].assign(taken.values(), taken.values() + open_.count);
    });
    chain_.gather(*to_.dy, first, open_, g);
    alignas(64) unsigned char codes[8 * kExact];
    const auto put = [&](Again& gradient, std::size_t k, Format format) {
      gradient.round(format, codes);
      scatter(open_, codes, codes_[k].codes, info_of(format).bytes);
    };
    for (std::size_t k = s_.stages.size(); k-- > 0;) {
      const Stage& stage = s_.stages[k];
      const auto element = [&](std::size_t i) { return first + open_.where[i]; };
      if (to_.of_stage[k] && stage.kind == Stage::Kind::multiply) {
        Again product = g;
        product.change([&](double value, std::size_t i) { return value * tape[k][i]; });
        put(product, k, format(k));
      } else if (to_.of_stage[k]) {
        put(g, k, format(k));
      }
      switch (stage.kind) {
        case Stage::Kind::function:
          g.multiply_by_slope(chain_.function(k), tape[k].data());
          break;
        case Stage::Kind::multiply:
          g.change([&](double value, std::size_t i) { return value * chain_.operand(k, element(i)); });
          break;
        case Stage::Kind::scale:
          g.change([&](double value, std::size_t) { return value * stage.a; });
          break;
        case Stage::Kind::clamp:
          g.change(
              [&](double value, std::size_t i) { return tape[k][i] >= stage.a && tape[k][i] <= stage.b ? value : 0; });
          break;
        case Stage::Kind::dropout:
          g.change(
              [&](double value, std::size_t i) { return chain_.keeps(k, element(i)) ? value * kept_scale(stage) : 0; });
          break;
        case Stage::Kind::bias:
        case Stage::Kind::add:
        case Stage::Kind::shift:
        case Stage::Kind::quantize:
          break;
      }
    }
    if (to_.dx) put(g, s_.stages.size(), format_of(*to_.dx));
  }

  const ExactChain& chain_;
  const Estimate& s_;
  const Gradients& to_;
  Format terms_;
  std::size_t count_, slots_ = 0;
  std::vector<std::size_t> slot_;
  std::vector<Estimates> tape_;
  std::vector<Codes> codes_;
  Words<double> words_;
  Open open_;
};

/// Calls make(for_tiles) on each thread, which calls its argument for the tiles of the thread's blocks; then the sums
/// are finished.
template <class Make>
void in_blocks(std::size_t n, Gradients& to, unsigned threads, const Target& target, const Make& make) {
  const Blocks blocks(n, to.width);
  for (auto& sums : to.sums)
    if (sums) sums->prepare(blocks.count(), target.bit);
  in_parts(blocks.count(), 1, threads, [&](std::size_t first_block, std::size_t count) {
    make([&](std::size_t tile, const auto& run) {
      for (std::size_t block = first_block; block < first_block + count; ++block)
        for (std::size_t first = blocks.begin(block); first < blocks.end(block); first += tile)
          run(block, first, std::min(tile, blocks.end(block) - first));
    });
  });
  to.finish(target);
}

void backward_exact(const Estimate& setting, Gradients& to, Format terms, unsigned threads) {
  const ExactChain chain(setting);
  in_blocks(size_of(setting.x), to, threads, setting.target, [&](const auto& for_tiles) {
    ExactGradients gradients(chain, to, terms);
    for_tiles(kExact,
              [&](std::size_t block, std::size_t first, std::size_t n) { gradients.run(block, first, n, to.sums); });
  });
}

/// The gradients of one tile on floats.
class FastGradients {
 public:
  FastGradients(const FastChain& chain, const Gradients& to, Passage passage, bool in_place)
      : chain_(chain),
        s_(chain.setting()),
        to_(to),
        passage_(passage),
        in_place_(in_place),
        count_(to.stages_to_run(s_.stages)) {
    constexpr Part kSlope[] = {Part::slope};
    std::size_t slots = 0;
    for (std::size_t k = 0; k < s_.stages.size(); ++k) {
      const bool function = s_.stages[k].kind == Stage::Kind::function;
      kernels_.push_back(function ? fast_backward(chain.call(k), Part::slope, s_.target) : nullptr);
      slopes_.push_back(function ? std::make_unique<Factors>(chain.call(k), kSlope, s_.target) : nullptr);
      slots += takes_input(s_.stages[k]) ? 1 : 0;
      slot_.push_back(slots);
    }
    tape_.resize(slots + 1);
    taken_.resize(s_.stages.size() + 1);
  }

  void run(std::size_t block, std::size_t first, std::size_t n, std::vector<std::optional<ChannelSums>>& sums) {
    if (passage_ != Passage::near) fetch_behind(s_.x, first, n), fetch_behind(*to_.dy, first, n);
    chain_.forward(
        first, n, tape_[0].numbers, count_, [&](std::size_t k) { return tape_[slot_[k]].numbers; }, Passage::near,
        words_, [&](std::size_t k, const float* v) { taken_[k] = v; });
    const float* g = numbers<float>(*to_.dy, first, n, g_, s_.target.bit);
    if (in_place_) {  // one gradient may be written over what another one is made of
      const float* input = taken_[0];
      std::copy_n(input, n, x_);
      std::replace(taken_.begin(), taken_.end(), input, static_cast<const float*>(x_));
      if (g != g_) g = std::copy_n(g, n, g_) - n;
    }
    for (std::size_t k = s_.stages.size(); k-- > 0;) g = step(k, block, first, n, g, sums);
    if (to_.dx) put(*to_.dx, first, g, n);
  }

 private:
  struct Tile {
    alignas(64) float numbers[kTile<float>];
  };

  void put(const actfun_array& to, std::size_t first, const float* g, std::size_t n) const {
    void* place = element_at(format_of(to), to.data, first);
    writes(place, n * bytes_of(to));
    if (format_of(to) == Format::f32)
      s_.steps.copy(g, static_cast<float*>(place), n, passage_);
    else
      conversions(format_of(to), s_.target.bit).narrow(g, place, n, Overflow::saturate);
  }

  /// g behind stage k becomes g before it.
  const float* step(std::size_t k, std::size_t block, std::size_t first, std::size_t n, const float* g,
                    std::vector<std::optional<ChannelSums>>& sums) {
    const Stage& stage = s_.stages[k];
    const auto a = static_cast<float>(stage.a), b = static_cast<float>(stage.b);
    const float* v = taken_[k];
    alignas(64) float room[kTile<float>];
    if (const actfun_array* to = to_.of_stage[k]) {
      if (sums[k]) {
        alignas(64) double terms[kProductTile];
        for (std::size_t i = 0; i < n; i += kProductTile) {
          const std::size_t m = std::min(kProductTile, n - i);
          product_steps(s_.target.bit).widen(g + i, terms, m);
          sums[k]->add(block, first + i, terms, m, s_.target.bit);
        }
      } else if (stage.kind == Stage::Kind::multiply) {
        s_.steps.multiply(g, v, room, n, Passage::near);
        put(*to, first, room, n);
      } else {
        put(*to, first, g, n);
      }
    }
    switch (stage.kind) {
      case Stage::Kind::function:
        if (kernels_[k])
          kernels_[k](v, g, g_, n);
        else
          for (std::size_t i = 0; i < n; i += kProductTile)
            multiply_arrays((*slopes_[k])[0], Format::f32, v + i, g + i, g_ + i, std::min(kProductTile, n - i));
        return g_;
      case Stage::Kind::multiply:
        s_.steps.multiply(g, s_.operands[k]->at(first, n, room), g_, n, Passage::near);
        return g_;
      case Stage::Kind::scale:
        s_.steps.scale(g, a, g_, n, Passage::near);
        return g_;
      case Stage::Kind::clamp:
        s_.steps.clamp_gradient(v, a, b, g, g_, n);
        return g_;
      case Stage::Kind::dropout:
        s_.steps.drop(words_.draw(s_, k, first, n), threshold(stage), static_cast<float>(kept_scale(stage)), g, g_, n,
                      Passage::near);
        return g_;
      case Stage::Kind::bias:
      case Stage::Kind::add:
      case Stage::Kind::shift:
      case Stage::Kind::quantize:
        break;
    }
    return g;
  }

  const FastChain& chain_;
  const Setting<float>& s_;
  const Gradients& to_;
  Passage passage_;
  bool in_place_;
  std::size_t count_;
  std::vector<Kernels::Backward> kernels_;
  std::vector<std::unique_ptr<Factors>> slopes_;
  std::vector<std::size_t> slot_;  ///< of what a stage makes: what is taken later keeps its own
  std::vector<Tile> tape_;
  std::vector<const float*> taken_;
  alignas(64) float g_[kTile<float>], x_[kTile<float>];
  Words<float> words_;
};

void backward_fast(const Setting<float>& setting, Tier tier, Gradients& to, Passage passage, bool in_place,
                   unsigned threads) {
  const FastChain chain(setting, tier);
  in_blocks(size_of(setting.x), to, threads, setting.target, [&](const auto& for_tiles) {
    FastGradients gradients(chain, to, passage, in_place);
    for_tiles(kTile<float>,
              [&](std::size_t block, std::size_t first, std::size_t n) { gradients.run(block, first, n, to.sums); });
    if (passage == Passage::streamed) flush_stream();
  });
}

// -------------------------------------------------------------------------------------------------------- checks

bool in_c_order(const actfun_array& a) {
  std::ptrdiff_t stride = 1;
  for (int i = a.rank - 1; i >= 0; --i) {
    if (a.shape[i] > 1 && a.strides[i] != stride) return false;
    stride *= static_cast<std::ptrdiff_t>(a.shape[i]);
  }
  return true;
}

std::string shape_text(const actfun_array& a) {
  std::string text = "(";
  for (int i = 0; i < a.rank; ++i) text += (i ? ", " : "") + std::to_string(a.shape[i]);
  return text + (a.rank == 1 ? ",)" : ")");
}

[[noreturn]] void fail(actfun_status status, const std::string& what) { throw ChainError(what, status); }

void check_array(const actfun_array& array, const std::string& name, bool written) {
  switch (check(&array, written)) {
    case ACTFUN_OK:
      break;
    case ACTFUN_BAD_FORMAT:
      fail(ACTFUN_BAD_FORMAT, name + ": " + std::to_string(array.format) + " is no format");
    case ACTFUN_NULL_POINTER:
      fail(ACTFUN_NULL_POINTER, name + ": the data are NULL");
    default:
      fail(ACTFUN_BAD_SHAPE, name + ": no array can have this rank, shape or strides");
  }
  if (!in_c_order(array)) fail(ACTFUN_BAD_SHAPE, name + " does not lie in C order, its elements side by side");
}
/// An array of x's shape, or one row of as many elements.
void check_fits(const actfun_array& array, const actfun_array& x, const std::string& name) {
  if (size_of(array) == size_of(x) && (array.rank == 1 || same_shape(array, x))) return;
  fail(ACTFUN_BAD_SHAPE, name + " has shape " + shape_text(array) + ", but x has " + shape_text(x));
}
void check_operand(const actfun_array& array, const actfun_array& x, const Stage& stage, const std::string& name) {
  if (stage.kind != Stage::Kind::bias) return check_fits(array, x, name);
  if (size_of(array) == 1) return;
  const int axis = axis_of(x, stage.axis);
  if (axis < 0)
    fail(ACTFUN_BAD_SHAPE,
         name + " lies along axis " + std::to_string(stage.axis) + ", which x of shape " + shape_text(x) + " lacks");
  if (array.rank != 1 || array.shape[0] != x.shape[axis])
    fail(ACTFUN_BAD_SHAPE, name + " has shape " + shape_text(array) + ", but axis " + std::to_string(stage.axis) +
                               " of x has " + std::to_string(x.shape[axis]) + " channels");
}

/// Two arrays may be one: the same elements in the same places. Otherwise they must lie apart.
void check_apart(const actfun_array& out, const std::string& out_name, const actfun_array& in, const std::string& name,
                 bool may_be_same) {
  if (size_of(out) == 0 || size_of(in) == 0 || !out.data || !in.data) return;
  const auto low = [](const actfun_array& a) { return reinterpret_cast<std::uintptr_t>(a.data); };
  const auto high = [&](const actfun_array& a) { return low(a) + size_of(a) * bytes_of(a); };
  if (low(out) >= high(in) || low(in) >= high(out)) return;
  if (may_be_same && low(out) == low(in) && high(out) == high(in) && bytes_of(out) == bytes_of(in)) return;
  fail(ACTFUN_OVERLAP, out_name + " overlaps " + name);
}

/// A result of 8-bit integers, as an array of a format of as many bytes.
actfun_array as_bytes(actfun_array array) {
  array.format = ACTFUN_F8E5M2;
  return array;
}

}  // namespace

void Chain::run(const actfun_array& x, std::span<const actfun_array> operands, const actfun_array& result,
                const ChainRun& how, const Target& target) const {
  const actfun_array y = quantizes() ? as_bytes(result) : result;
  check_inputs(x, operands);
  check_array(y, "y", true);
  check_fits(y, x, "y");
  check_apart(y, "y", x, "x", true);
  for (const Stage& stage : stages_)
    if (stage.has_operand())
      check_apart(y, "y", operands[stage.operand], operands_[stage.operand], stage.kind != Stage::Kind::bias);
  const actfun_array bits{how.kept, ACTFUN_F8E5M2, 1, {size_of(x) / 8 + (size_of(x) % 8 != 0)}, {1}};
  check_apart(bits, "kept", y, "y", false), check_apart(bits, "kept", x, "x", false);
  for (std::size_t i = 0; i < operands.size(); ++i) check_apart(bits, "kept", operands[i], operands_[i], false);
  if (size_of(x) == 0) return;

  const DefaultFloatEnvironment environment;
  const std::size_t bytes = bytes_of(y);
  bool wide = x.format == ACTFUN_F64 || (y.format == ACTFUN_F64 && !quantizes());
  for (const actfun_array& operand : operands) wide |= operand.format == ACTFUN_F64;
  if (tier == Tier::fast && !wide) {
    Passage passage = passage_of(x.data, y.data, size_of(x) * bytes);
    for (const actfun_array& operand : operands)
      if (operand.data == y.data && passage == Passage::streamed) passage = Passage::far;
    if (bytes != sizeof(float) && passage == Passage::streamed) passage = Passage::far;
    return run_fast({stages_, x, operands, how, target}, tier, y, bytes, passage, threads);
  }
  run_exact({stages_, x, operands, how, target}, y, bytes, threads);
}

void Chain::check_inputs(const actfun_array& x, std::span<const actfun_array> operands) const {
  check_array(x, "x", false);
  if (operands.size() != operands_.size())
    fail(ACTFUN_BAD_SHAPE,
         "the chain takes " + std::to_string(operands_.size()) + " operands, not " + std::to_string(operands.size()));
  for (const Stage& stage : stages_) {
    if (!stage.has_operand()) continue;
    const std::string& name = operands_[stage.operand];
    check_array(operands[stage.operand], name, false);
    check_operand(operands[stage.operand], x, stage, name);
  }
}

void Chain::backward(const actfun_array& x, std::span<const actfun_array> operands, const actfun_array& dy,
                     const actfun_array& dx, std::span<const actfun_array> gradients, const ChainRun& how,
                     const Target& target) const {
  if (quantizes()) fail(ACTFUN_NOT_POSSIBLE, "integers have no gradient: a chain that ends in quantize has none");
  check_inputs(x, operands);
  check_array(dy, "dy", false);
  check_fits(dy, x, "dy");
  if (gradients.size() != operands_.size())
    fail(ACTFUN_BAD_SHAPE, "the chain has " + std::to_string(operands_.size()) + " operands, but " +
                               std::to_string(gradients.size()) + " gradients are given");
  std::vector<std::pair<const actfun_array*, std::string>> outputs;
  if (dx.data) outputs.emplace_back(&dx, "dx");
  for (const Stage& stage : stages_) {
    if (!stage.has_operand() || !gradients[stage.operand].data) continue;
    const actfun_array& to = gradients[stage.operand];
    outputs.emplace_back(&to, "the gradient of " + operands_[stage.operand]);
    check_array(to, outputs.back().second, true);
    if (stage.kind == Stage::Kind::bias && size_of(to) != size_of(operands[stage.operand]))
      fail(ACTFUN_BAD_SHAPE, outputs.back().second + " has shape " + shape_text(to) + ", but " +
                                 operands_[stage.operand] + " has " + shape_text(operands[stage.operand]));
    if (stage.kind != Stage::Kind::bias) check_fits(to, x, outputs.back().second);
  }
  if (dx.data) check_array(dx, "dx", true), check_fits(dx, x, "dx");
  for (const auto& [to, name] : outputs) {
    const bool whole = to == &dx || size_of(*to) == size_of(x);
    check_apart(*to, name, x, "x", whole), check_apart(*to, name, dy, "dy", whole);
    for (std::size_t i = 0; i < operands.size(); ++i) check_apart(*to, name, operands[i], operands_[i], false);
    for (const auto& [other, other_name] : outputs)
      if (other != to) check_apart(*to, name, *other, other_name, false);
  }

  const DefaultFloatEnvironment environment;
  Gradients to(stages_, x, operands, dy, dx, gradients);
  bool wide = x.format == ACTFUN_F64 || dy.format == ACTFUN_F64;
  for (const actfun_array& operand : operands) wide |= operand.format == ACTFUN_F64;
  bool fast = tier == Tier::fast && !wide, in_place = false;
  for (const auto& [array, name] : outputs) {
    const bool sum = size_of(*array) != size_of(x);
    fast &= array->format != ACTFUN_F64 || sum;
    in_place |= array->data == x.data || array->data == dy.data;
  }
  if (!fast) return backward_exact({stages_, x, operands, how, target}, to, wide ? Format::f64 : Format::f32, threads);
  const std::size_t bytes = size_of(x) * sizeof(float);
  backward_fast({stages_, x, operands, how, target}, tier, to,
                in_place && bytes >= kFarFrom ? Passage::far : passage_of(x.data, dx.data, bytes), in_place, threads);
}

}  // namespace actfun
