// SPDX-License-Identifier: Apache-2.0
#include "api/softmax.h"

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "api/panels.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"

namespace actfun {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

/// Rows from this length on are shared by threads when there are not many of them.
constexpr std::size_t kLongRow = 32 * kSoftmaxBlock, kManyGroups = 16;
/// So many exponentials are kept between two passes.
constexpr std::size_t kKept = 65536;
/// Rows up to this length are gathered and go side by side, however they lie: they would leave vectors empty.
constexpr std::size_t kShortRow = 8;

// --- Numbers of two doubles ---

TwoDoubles product(double a, double b) { return {a * b, std::fma(a, b, -(a * b))}; }
TwoDoubles quotient(TwoDoubles a, TwoDoubles b) {
  const double high = a.high / b.high, rest = std::fma(-high, b.high, a.high) - std::fma(high, b.low, -a.low);
  return std::isfinite(high) ? TwoDoubles{high, rest / b.high} : TwoDoubles{high};
}
TwoDoubles at(const StepOfDoubles& step, std::size_t place) { return {step.high[place], step.low[place]}; }
void put(StepOfDoubles& step, std::size_t place, TwoDoubles number) {
  step.high[place] = number.high, step.low[place] = number.low;
}
void fill(StepOfDoubles& step, TwoDoubles number) {
  std::fill_n(step.high, kPlaces, number.high);
  std::fill_n(step.low, kPlaces, number.low);
}
bool more(TwoDoubles a, TwoDoubles b) { return a.high > b.high || (a.high == b.high && a.low > b.low); }

// --- How rows go through the passes ---

/// The groups that the rows of an array make up.
class Groups {
 public:
  Groups(const RowsOf& rows, bool may_lie_across) : count_(rows.count()), length_(rows.length()) {
    const bool neighbours = rows.stride() != 1 && rows.between() == 1;
    across_ = may_lie_across && count_ > 1 && (neighbours || length_ <= kShortRow);
    run_ = across_ && neighbours && count_ > 0 ? rows.run(0) : count_;
  }
  bool across() const { return across_; }
  std::size_t count() const { return across_ ? run_ == 0 ? 0 : count_ / run_ * each_run() : count_; }
  RowGroup operator[](std::size_t i) const {
    if (!across_) return {i, 1, length_, false};
    const std::size_t inside = i % each_run() * kPlaces;
    return {i / each_run() * run_ + inside, std::min(kPlaces, run_ - inside), length_, true};
  }
  /// Groups of a tile that threads take at once.
  std::size_t tile() const { return across_ ? tile_of_rows(length_) / kPlaces + 1 : tile_of_rows(length_); }
  /// Whether threads share rows rather than take some each.
  bool long_rows() const { return length_ >= kLongRow && count() < kManyGroups; }

 private:
  std::size_t each_run() const { return (run_ + kPlaces - 1) / kPlaces; }
  std::size_t count_, length_, run_;
  bool across_;
};

std::size_t blocks_of(const RowGroup& group) { return (group.length + kSoftmaxBlock - 1) / kSoftmaxBlock; }
/// body(worker, stretch, number of the block) for all blocks of a group, by `mine` or by several workers that `make`
/// makes.
template <class Worker, class Make, class Body>
void each_block(const RowGroup& group, bool shared, unsigned threads, Worker& mine, const Make& make,
                const Body& body) {
  const auto some = [&](Worker& worker, std::size_t first, std::size_t count) {
    for (std::size_t b = first; b < first + count; ++b) {
      const std::size_t start = b * kSoftmaxBlock;
      body(worker, Stretch{&group, start, std::min(kSoftmaxBlock, group.length - start)}, b);
    }
  };
  if (!shared) return some(mine, 0, blocks_of(group));
  in_parts(blocks_of(group), 1, threads, [&](std::size_t first, std::size_t count) {
    Worker worker = make();
    some(worker, first, count);
  });
}

/// What a whole row has of sums of blocks.
StepOfDoubles total(const std::vector<StepOfDoubles>& blocks, const RowGroup& group) {
  StepOfDoubles all{};
  for (std::size_t b = 0; b < blocks_of(group); ++b)
    for (std::size_t p = 0; p < group.width(); ++p)
      put(all, p, b == 0 ? at(blocks[0], p) : sum(at(all, p), at(blocks[b], p)));
  return all;
}

/// A group's numbers in all places that its passes look at.
void spread(StepOfDoubles& step, const RowGroup& group) {
  if (!group.across) fill(step, at(step, 0));
}

struct Steps {
  std::size_t count, rest;
  explicit Steps(const Stretch& stretch)
      : count(stretch.group->across ? stretch.n : (stretch.n + kPlaces - 1) / kPlaces),
        rest(stretch.group->across ? 0 : stretch.n % kPlaces) {}
};
template <class T>
LogitBlock<T> block_of(const Stretch& stretch, Panel<const T> x, Panel<const T> bias, double scale) {
  const Steps steps(stretch);
  return {x.data, x.step, bias.data, bias.step, scale, steps.count, steps.rest};
}

// --- Softmax and its like ---

enum class Result { softmax, log_softmax, log_sum_exp, gradient, statistics };

struct Task {
  Result result;
  const actfun_softmax_options* options;
  const actfun_array* x;
  int axis;
  const actfun_array* y = nullptr;         ///< of x's shape, or without the axis for log_sum_exp
  double *max = nullptr, *lse = nullptr;   ///< statistics wanted
  const double* given_lse = nullptr;       ///< statistics given
  const actfun_array* upstream = nullptr;  ///< g of gradient
  bool mean = false;
};

/// What a row whose results do not come from sums has in their place.
struct SpecialRow {
  std::size_t place;
  double everywhere, hot;
  std::size_t hot_at;  ///< beyond the row: nowhere
};

template <class T>
class Softmax {
 public:
  Softmax(const Task& task, const Target& target)
      : task_(task),
        options_(*task.options),
        target_(target),
        groups_(RowsOf(*task.x, task.axis), options_.causal == ACTFUN_CAUSAL_NONE),
        plain_(options_.scale == 1 && !options_.mask),
        in_full_(task.result != Result::softmax || task.max || task.lse || task.given_lse),
        passes_(softmax_passes<T>(options_.tier == ACTFUN_FAST && !in_full_, plain_, target.bit)) {
    if (options_.sink && !task.given_lse) sink_.emplace(*options_.sink, task.axis);
    if (task.upstream) upstream_.emplace(*task.upstream, task.axis);
    if (task.result == Result::log_sum_exp) reduced_.emplace(*task.y, task.axis);
  }

  void run() const {
    const std::size_t count = groups_.count();
    const auto some = [&](std::size_t first, std::size_t n) {
      Worker worker = make();
      for (std::size_t i = first; i < first + n; ++i) each_row_of(worker, groups_[i]);
    };
    if (groups_.long_rows() && options_.threads != 1) return some(0, count);
    in_parts(count, groups_.tile(), options_.threads, some);
  }

 private:
  struct Worker {
    PanelReader<T> x;
    std::optional<PanelReader<T>> mask;
    std::optional<PanelWriter<T>> y;
    std::vector<StepOfDoubles> blocks, ones;
    std::vector<SpecialRow> special;
    Lines<unsigned char> kept;
  };

  Worker make() const {
    Worker worker{{*task_.x, task_.axis, target_}, {}, {}, {}, {}, {}, {}};
    if (options_.mask) {
      const bool boolean = options_.mask_kind == ACTFUN_MASK_BOOLEAN;
      actfun_array mask = *options_.mask;
      if (boolean) mask.format = ACTFUN_F8E5M2;  // a byte
      worker.mask.emplace(mask, task_.axis, target_, boolean);
    }
    if (writes_rows()) {
      const bool streamed =
          passage_of(task_.x->data, task_.y->data, size_of(*task_.y) * sizeof(T)) == Passage::streamed;
      worker.y.emplace(*task_.y, task_.axis, target_, streamed);
    }
    return worker;
  }
  bool writes_rows() const { return task_.y && task_.result != Result::log_sum_exp; }
  bool shared() const { return groups_.long_rows() && options_.threads != 1; }

  template <class Body>
  void each_block(Worker& mine, const RowGroup& group, const Body& body) const {
    actfun::each_block(
        group, shared(), options_.threads, mine, [this] { return make(); }, body);
  }

  LogitBlock<T> logits(Worker& worker, const Stretch& stretch) const {
    static constexpr T kNothing[kPlaces] = {};
    const Panel<const T> x = worker.x.read(stretch);
    const Panel<const T> bias = worker.mask ? worker.mask->read(stretch) : plain_ ? x : Panel<const T>{kNothing, 0};
    return block_of(stretch, x, bias, options_.scale);
  }

  /// So many elements of a row take part, as far as the causal mask is concerned.
  std::size_t seen_by(std::size_t row) const {
    const std::size_t keys = task_.x->shape[task_.axis];
    if (options_.causal == ACTFUN_CAUSAL_NONE || task_.x->rank < 2) return keys;
    const std::size_t queries = task_.x->shape[task_.axis - 1];
    auto last = static_cast<std::ptrdiff_t>(row % queries) + options_.causal_offset;
    if (options_.causal == ACTFUN_CAUSAL_BOTTOM_RIGHT)
      last += static_cast<std::ptrdiff_t>(keys) - static_cast<std::ptrdiff_t>(queries);
    return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(last + 1, 0, static_cast<std::ptrdiff_t>(keys)));
  }

  void each_row_of(Worker& worker, RowGroup group) const {
    const std::size_t whole = group.length;
    if (!group.across) group.length = seen_by(group.first);
    if (in_one_go(worker, group)) return;
    StepOfDoubles reference = task_.given_lse ? given(group) : largest(worker, group);
    set_special_rows_aside(worker, group, reference);
    if (worker.special.size() < group.rows) {
      spread(reference, group);
      put_ordinary_rows(worker, group, reference);
    }
    if (!writes_rows()) return;
    for (const SpecialRow& each : worker.special) {
      const std::size_t row = group.first + each.place;
      worker.y->fill(row, 0, group.length, each.everywhere);
      if (each.hot_at < group.length) worker.y->fill(row, each.hot_at, each.hot_at + 1, each.hot);
    }
    if (group.length < whole) worker.y->fill(group.first, group.length, whole, nothing());
  }

  bool in_one_go(Worker& worker, const RowGroup& group) const {
    if (!passes_.row || in_full_ || sink_ || group.across || group.length == 0 || group.length > kKept || shared() ||
        options_.causal != ACTFUN_CAUSAL_NONE)
      return false;
    const Stretch whole{&group, 0, group.length};
    if (!passes_.fast) worker.kept.hold(group.length * passes_.kept_bytes);
    const T* x = worker.x.read(whole).data;
    if (!passes_.row(x, worker.y->room(whole).data, group.length, worker.kept.data())) return false;
    worker.y->write(whole);
    return true;
  }
  void put_ordinary_rows(Worker& worker, const RowGroup& group, const StepOfDoubles& reference) const {
    if (!task_.given_lse)
      return in_full_ ? ordinary_rows_in_full(worker, group, reference) : ordinary_rows(worker, group, reference);
    StepOfDoubles last{};
    fill(last, {task_.result == Result::log_softmax ? 0. : 1.});
    put_results(worker, group, reference, last);
  }

  /// What elements are given that take no part.
  double nothing() const { return task_.result == Result::log_softmax ? -kInfinity : 0; }
  double upstream_of(std::size_t row) const { return upstream_ ? upstream_->read(row, target_) : 1; }

  StepOfDoubles given(const RowGroup& group) const {
    StepOfDoubles lse{};
    for (std::size_t p = 0; p < group.rows; ++p) lse.high[p] = task_.given_lse[group.first + p];
    return lse;
  }

  StepOfDoubles largest(Worker& worker, const RowGroup& group) const {
    worker.blocks.resize(blocks_of(group));
    each_block(worker, group, [&](Worker& each, const Stretch& stretch, std::size_t b) {
      fill(worker.blocks[b], {-kInfinity});
      passes_.maximum(logits(each, stretch), worker.blocks[b]);
    });
    StepOfDoubles all{};
    fill(all, {-kInfinity});
    for (const StepOfDoubles& block : worker.blocks)
      for (std::size_t p = 0; p < kPlaces; ++p)
        if (const std::size_t to = group.across ? p : 0; more(at(block, p), at(all, to))) put(all, to, at(block, p));
    for (std::size_t p = 0; p < group.rows; ++p) {
      if (task_.max) task_.max[group.first + p] = all.high[p];
      if (const TwoDoubles sink = sink_of(group.first + p); more(sink, at(all, p)) || std::isnan(sink.high))
        put(all, p, sink);
    }
    return all;
  }
  TwoDoubles sink_of(std::size_t row) const { return {sink_ ? sink_->read(row, target_) : -kInfinity}; }

  /// Rows whose largest logit, or given log-sum-exp, is not a finite number; the passes get 0 in its place.
  void set_special_rows_aside(Worker& worker, const RowGroup& group, StepOfDoubles& reference) const {
    worker.special.clear();
    for (std::size_t p = 0; p < group.rows; ++p) {
      if (std::isfinite(reference.high[p])) continue;
      worker.special.push_back(task_.given_lse ? without_limit(p, reference.high[p]) : special_row(worker, group, p));
      put(reference, p, {0});
    }
    for (std::size_t p = group.rows; p < kPlaces; ++p) put(reference, p, {0});
  }
  SpecialRow without_limit(std::size_t place, double lse) const {
    return {place, options_.safe && lse == -kInfinity ? nothing() : kNan, 0, SIZE_MAX};
  }
  SpecialRow special_row(Worker& worker, const RowGroup& group, std::size_t place) const {
    const std::size_t row = group.first + place;
    const double sink = sink_of(row).high;
    std::size_t infinite = sink == kInfinity, hot_at = SIZE_MAX;
    bool nan = std::isnan(sink);
    for (std::size_t b = 0; b < blocks_of(group); ++b) {
      const Stretch stretch{&group, b * kSoftmaxBlock, std::min(kSoftmaxBlock, group.length - b * kSoftmaxBlock)};
      const LogitBlock<T> z = logits(worker, stretch);
      for (std::size_t j = 0; j < stretch.n; ++j) {
        const auto across = static_cast<std::ptrdiff_t>(j);
        const T x = group.across ? z.x[across * z.step + static_cast<std::ptrdiff_t>(place)] : z.x[j];
        const T bias = plain_         ? 0
                       : group.across ? z.bias[across * z.bias_step + static_cast<std::ptrdiff_t>(place)]
                       : worker.mask  ? z.bias[j]
                                      : 0;
        if (bias == -kInfinity) continue;
        const double logit = static_cast<double>(x) * z.scale + static_cast<double>(bias);
        nan |= std::isnan(logit);
        if (logit != kInfinity) continue;
        ++infinite;
        hot_at = stretch.first + j;
      }
    }
    const double lse = nan ? kNan : infinite > 0 ? kInfinity : -kInfinity;
    if (nan && task_.max) task_.max[row] = kNan;
    put_lse(row, {lse});
    if (nan || infinite != 1) return without_limit(place, lse);
    const double g = upstream_of(row);
    return {place, upstream_ ? 0 * g : nothing(),
            task_.result == Result::log_softmax ? 0
            : upstream_                         ? options_.scale * g
                                                : 1,
            hot_at};
  }

  void put_lse(std::size_t row, TwoDoubles lse) const {
    if (task_.lse) task_.lse[row] = lse.high;
    if (!reduced_) return;
    if (task_.mean) {
      const auto length = static_cast<double>(task_.x->shape[task_.axis]);
      const TwoDoubles log = passes_.log1p({length - 1});
      lse = length == 0 ? TwoDoubles{kNan} : sum(lse, {-log.high, -log.low});
    }
    reduced_->write(row, lse.high + lse.low, target_);
  }

  /// Sums without the largest term, for log1p's sake.
  void ordinary_rows_in_full(Worker& worker, const RowGroup& group, const StepOfDoubles& reference) const {
    worker.ones.resize(blocks_of(group));
    each_block(worker, group, [&](Worker& each, const Stretch& stretch, std::size_t b) {
      passes_.excess(logits(each, stretch), group.across, reference, worker.blocks[b], worker.ones[b]);
    });
    const StepOfDoubles sums = total(worker.blocks, group);
    StepOfDoubles factor{}, logs{};
    for (std::size_t p = 0; p < group.rows; ++p) {
      if (is_special(worker, p)) continue;
      const std::size_t row = group.first + p;
      TwoDoubles rest = at(sums, p);
      double ones = 0;
      for (const StepOfDoubles& block : worker.ones) ones += block.high[p];
      if (const TwoDoubles t = sink_below(row, at(reference, p)); t.high == 0 && t.low == 0)
        ++ones;
      else if (t.high > -kInfinity)
        rest = sum(rest, passes_.exp(t));
      const TwoDoubles log = passes_.log1p(sum({ones - 1}, rest));
      if (std::isnan(log.high) && task_.max) task_.max[row] = kNan;
      put_lse(row, sum(at(reference, p), log));
      put(logs, p, log);
      put(factor, p,
          quotient(upstream_ ? product(options_.scale, upstream_->read(row, target_)) : TwoDoubles{1},
                   sum({ones}, rest)));
    }
    if (!writes_rows()) return;
    spread(factor, group), spread(logs, group);
    put_results(worker, group, reference, task_.result == Result::log_softmax ? logs : factor);
  }

  void ordinary_rows(Worker& worker, const RowGroup& group, const StepOfDoubles& reference) const {
    const std::size_t width = group.width();
    const bool in_y = passes_.fast && worker.y->in_place(group);
    const bool aside = !in_y && passes_.kept_bytes > 0 && group.length * width <= kKept;
    if (aside) worker.kept.hold((group.length * width) * passes_.kept_bytes);
    const auto kept = [&](Worker& each, const Stretch& stretch) -> Panel<unsigned char> {
      if (aside) return {worker.kept.data() + stretch.first * width * passes_.kept_bytes, kPlaces};
      if (!in_y) return {nullptr, 0};
      const Panel<T> room = each.y->room(stretch);
      return {reinterpret_cast<unsigned char*>(room.data), room.step};
    };
    each_block(worker, group, [&](Worker& each, const Stretch& stretch, std::size_t b) {
      const Panel<unsigned char> to = kept(each, stretch);
      passes_.sum(logits(each, stretch), group.across, reference, to.data, to.step, worker.blocks[b]);
    });
    const StepOfDoubles sums = total(worker.blocks, group);
    StepOfDoubles factor{};
    for (std::size_t p = 0; p < group.rows; ++p) {
      const TwoDoubles t = sink_below(group.first + p, passes_.origin(at(reference, p)));
      put(factor, p, quotient({1}, t.high > -kInfinity ? sum(at(sums, p), passes_.exp(t)) : at(sums, p)));
    }
    spread(factor, group);
    if (!in_y && !aside) return put_results(worker, group, reference, factor);
    each_block(worker, group, [&](Worker& each, const Stretch& stretch, std::size_t) {
      const Panel<unsigned char> from = kept(each, stretch);
      const Panel<T> to = each.y->room(stretch);
      const Steps steps(stretch);
      passes_.scale_kept(from.data, from.step, steps.count, steps.rest, factor, {to.data, to.step});
      each.y->write(stretch);
    });
  }

  /// `last`: what exponentials are multiplied by, or what is taken from logits.
  void put_results(Worker& worker, const RowGroup& group, const StepOfDoubles& reference,
                   const StepOfDoubles& last) const {
    const auto pass = task_.result == Result::log_softmax ? passes_.log_softmax : passes_.softmax;
    each_block(worker, group, [&](Worker& each, const Stretch& stretch, std::size_t) {
      const Panel<T> to = each.y->room(stretch);
      pass(logits(each, stretch), reference, last, {to.data, to.step});
      each.y->write(stretch);
    });
  }

  TwoDoubles sink_below(std::size_t row, TwoDoubles reference) const {
    return sum(sink_of(row), {-reference.high, -reference.low});
  }
  static bool is_special(const Worker& worker, std::size_t place) {
    return std::ranges::any_of(worker.special, [=](const SpecialRow& row) { return row.place == place; });
  }

  const Task& task_;
  const actfun_softmax_options& options_;
  const Target& target_;
  Groups groups_;
  bool plain_;
  bool in_full_;  ///< whether logarithms of sums are wanted
  const SoftmaxPasses<T>& passes_;
  std::optional<NumberOfRow> sink_, upstream_, reduced_;
};

void run(const Task& task, const Target& target) {
  const DefaultFloatEnvironment environment;
  task.x->format == ACTFUN_F64 ? Softmax<double>(task, target).run() : Softmax<float>(task, target).run();
}

// --- Gradients from the output ---

/// A sum over each row, then results with it.
enum class Gradient { softmax, log_softmax, forward_log_softmax };

template <class T>
void run_gradient(Gradient what, const actfun_softmax_options& options, const actfun_array& y, const actfun_array& g,
                  int axis, const actfun_array& dx, const Target& target) {
  struct Worker {
    PanelReader<T> y, g;
    PanelWriter<T> dx;
    std::vector<StepOfDoubles> blocks;
  };
  const Groups groups(RowsOf(y, axis), true);
  const SoftmaxGradients<T>& passes = softmax_gradients<T>(target.bit);
  const auto sum_of = what == Gradient::softmax       ? passes.dot
                      : what == Gradient::log_softmax ? passes.sum
                                                      : passes.dot_exp;
  const auto results = what == Gradient::softmax       ? passes.softmax
                       : what == Gradient::log_softmax ? passes.log_softmax
                                                       : passes.subtract;
  const bool shared = groups.long_rows() && options.threads != 1;
  const bool streamed = dx.data != g.data && passage_of(y.data, dx.data, size_of(dx) * sizeof(T)) == Passage::streamed;
  const auto make = [&] { return Worker{{y, axis, target}, {g, axis, target}, {dx, axis, target, streamed}, {}}; };
  const auto block = [&](Worker& worker, const Stretch& stretch) {
    return block_of(stretch, worker.y.read(stretch), worker.g.read(stretch), options.scale);
  };
  const auto some = [&](std::size_t first, std::size_t count) {
    Worker worker = make();
    for (std::size_t i = first; i < first + count; ++i) {
      const RowGroup group = groups[i];
      worker.blocks.resize(blocks_of(group));
      each_block(group, shared, options.threads, worker, make,
                 [&](Worker& each, const Stretch& stretch, std::size_t b) {
                   sum_of(block(each, stretch), group.across, worker.blocks[b]);
                 });
      StepOfDoubles sums = total(worker.blocks, group);
      spread(sums, group);
      each_block(group, shared, options.threads, worker, make, [&](Worker& each, const Stretch& stretch, std::size_t) {
        const Panel<T> to = each.dx.room(stretch);
        results(block(each, stretch), sums, {to.data, to.step});
        each.dx.write(stretch);
      });
    }
  };
  const DefaultFloatEnvironment environment;
  shared ? some(0, groups.count()) : in_parts(groups.count(), groups.tile(), options.threads, some);
}

// --- What callers may ask for ---

std::string text_of(const actfun_array& array) {
  std::string text = "(";
  for (int i = 0; i < array.rank; ++i) text += (i ? ", " : "") + std::to_string(array.shape[i]);
  return text + (array.rank == 1 ? ",)" : ")");
}
[[noreturn]] void refuse(actfun_status status, const std::string& what) { throw SoftmaxError(status, what); }

/// An array that is there and may be what it is.
void check_array(const actfun_array* array, bool written, const std::string& name) {
  switch (const actfun_status status = check(array, written)) {
    case ACTFUN_OK:
      return;
    case ACTFUN_NULL_POINTER:
      refuse(status, name + " is NULL, or its data");
    case ACTFUN_BAD_FORMAT:
      refuse(status, name + " has a format that does not exist");
    default:
      refuse(status, name + (written ? " cannot be: too many axes, too large for memory, or two elements at one place"
                                     : " cannot be: too many axes, or too large for memory"));
  }
}
void check_same(const actfun_array& array, const char* name, const actfun_array& x, const char* of) {
  if (!same_shape(array, x))
    refuse(ACTFUN_BAD_SHAPE, std::string(name) + " has shape " + text_of(array) + ", but " + of + " has " + text_of(x));
  if (array.format != x.format) refuse(ACTFUN_BAD_FORMAT, std::string(name) + " and " + of + " have different formats");
}
void check_without_axis(const actfun_array& array, const char* name, const actfun_array& x, int axis) {
  actfun_array rest = x;
  for (int i = axis; i + 1 < x.rank; ++i) rest.shape[i] = x.shape[i + 1];
  --rest.rank;
  if (!same_shape(array, rest))
    refuse(ACTFUN_BAD_SHAPE, std::string(name) + " has shape " + text_of(array) + "; without axis " +
                                 std::to_string(axis) + ", x has " + text_of(rest));
}
int checked_axis(const actfun_array& x, int axis) {
  const int counted = axis_of(x, axis);
  if (counted < 0)
    refuse(ACTFUN_BAD_SHAPE, "there is no axis " + std::to_string(axis) + " in an array of " + std::to_string(x.rank) +
                                 (x.rank == 1 ? " axis" : " axes"));
  return counted;
}
void check_scale(double scale) {
  if (!(std::abs(scale) >= 0x1p-100 && std::abs(scale) <= 0x1p100))
    refuse(ACTFUN_BAD_PARAMETER, "scale is " + std::to_string(scale) + ", not a number of magnitude 2^-100 to 2^100");
}
/// `written` may be `read` itself if `same`.
void check_apart(const actfun_array& written, const char* name, const actfun_array& read, const char* of, bool same) {
  const bool begin_together = written.data == read.data && size_of(written) > 0 && size_of(read) > 0;
  if (overlap_partly(written, read) || (!same && begin_together))
    refuse(ACTFUN_OVERLAP, std::string(name) + " overlaps " + of);
}

/// x and the options, along an axis that is returned.
int checked_input(const actfun_softmax_options& options, const actfun_array* x, int axis) {
  check_array(x, false, "x");
  const int along = checked_axis(*x, axis);
  check_scale(options.scale);
  if (options.tier != ACTFUN_EXACT && options.tier != ACTFUN_FAST) refuse(ACTFUN_BAD_TIER, "there is no such tier");
  if (options.causal < ACTFUN_CAUSAL_NONE || options.causal > ACTFUN_CAUSAL_BOTTOM_RIGHT)
    refuse(ACTFUN_BAD_PARAMETER, "there is no such kind of causal mask");
  if (options.causal != ACTFUN_CAUSAL_NONE && (x->rank < 2 || along != x->rank - 1))
    refuse(ACTFUN_BAD_SHAPE, "a causal mask wants the last axis, of keys, after one of queries; x has shape " +
                                 text_of(*x) + " and the axis is " + std::to_string(along));
  if (options.causal_offset > PTRDIFF_MAX / 4 || options.causal_offset < -(PTRDIFF_MAX / 4))
    refuse(ACTFUN_BAD_PARAMETER, "the causal mask's offset " + std::to_string(options.causal_offset) + " is too large");
  if (options.mask) {
    if (options.mask_kind != ACTFUN_MASK_ADDED && options.mask_kind != ACTFUN_MASK_BOOLEAN)
      refuse(ACTFUN_BAD_PARAMETER, "there is no such kind of mask");
    actfun_array mask = *options.mask;
    if (options.mask_kind == ACTFUN_MASK_BOOLEAN) mask.format = ACTFUN_F8E5M2;
    check_array(&mask, false, "the mask");
    if (!same_shape(mask, *x))
      refuse(ACTFUN_BAD_SHAPE, "the mask has shape " + text_of(mask) + ", but x has " + text_of(*x));
  }
  if (options.sink) {
    check_array(options.sink, false, "the sink");
    check_without_axis(*options.sink, "the sink", *x, along);
  }
  return along;
}
/// What must not be overwritten while it is read.
void check_options_apart(const actfun_softmax_options& options, const actfun_array& written, const char* name) {
  if (options.mask) {
    actfun_array mask = *options.mask;
    if (options.mask_kind == ACTFUN_MASK_BOOLEAN) mask.format = ACTFUN_F8E5M2;
    check_apart(written, name, mask, "the mask", false);
  }
  if (options.sink) check_apart(written, name, *options.sink, "the sink", false);
}
int checked_row_output(const actfun_softmax_options& options, const actfun_array* x, int axis, const actfun_array* y,
                       const char* name) {
  const int along = checked_input(options, x, axis);
  check_array(y, true, name);
  check_same(*y, name, *x, "x");
  check_apart(*y, name, *x, "x", true);
  check_options_apart(options, *y, name);
  return along;
}
void check_kind(actfun_softmax_kind kind) {
  if (kind != ACTFUN_SOFTMAX && kind != ACTFUN_LOG_SOFTMAX)
    refuse(ACTFUN_BAD_PARAMETER, "there is no such kind of softmax");
}
Result result_of(actfun_softmax_kind kind) { return kind == ACTFUN_SOFTMAX ? Result::softmax : Result::log_softmax; }

/// Doubles, one a row, as an array.
actfun_array row_numbers(const double* numbers, const actfun_array& x, int axis) {
  actfun_array array{const_cast<double*>(numbers), ACTFUN_F64, 1, {}, {}};
  array.shape[0] = RowsOf(x, axis).count();
  array.strides[0] = 1;
  return array;
}

}  // namespace

void softmax_forward(actfun_softmax_kind kind, const actfun_softmax_options& options, const actfun_array* x, int axis,
                     const actfun_array* y, double* max, double* log_sum_exp, const Target& target) {
  check_kind(kind);
  const int along = y ? checked_row_output(options, x, axis, y, "y") : checked_input(options, x, axis);
  for (const double* statistics : {max, log_sum_exp}) {
    if (!statistics) continue;
    const actfun_array numbers = row_numbers(statistics, *x, along);
    check_apart(numbers, "a statistic", *x, "x", false);
    if (y) check_apart(numbers, "a statistic", *y, "y", false);
    check_options_apart(options, numbers, "a statistic");
  }
  if (max && log_sum_exp)
    check_apart(row_numbers(max, *x, along), "max", row_numbers(log_sum_exp, *x, along), "log_sum_exp", false);
  if (!y && !max && !log_sum_exp) refuse(ACTFUN_NULL_POINTER, "neither results nor statistics are wanted");
  run({.result = y ? result_of(kind) : Result::statistics,
       .options = &options,
       .x = x,
       .axis = along,
       .y = y,
       .max = max,
       .lse = log_sum_exp},
      target);
}

void softmax_from_statistics(actfun_softmax_kind kind, const actfun_softmax_options& options, const actfun_array* x,
                             int axis, const double* log_sum_exp, const actfun_array* y, const Target& target) {
  check_kind(kind);
  const int along = checked_row_output(options, x, axis, y, "y");
  const actfun_array numbers = row_numbers(log_sum_exp, *x, along);
  check_array(&numbers, false, "log_sum_exp");
  check_apart(*y, "y", numbers, "log_sum_exp", false);
  run({.result = result_of(kind), .options = &options, .x = x, .axis = along, .y = y, .given_lse = log_sum_exp},
      target);
}

void logsumexp(const actfun_softmax_options& options, bool mean, const actfun_array* x, int axis, const actfun_array* y,
               const Target& target) {
  const int along = checked_input(options, x, axis);
  check_array(y, true, "y");
  check_without_axis(*y, "y", *x, along);
  if (y->format != x->format) refuse(ACTFUN_BAD_FORMAT, "y and x have different formats");
  check_apart(*y, "y", *x, "x", false);
  check_options_apart(options, *y, "y");
  run({.result = Result::log_sum_exp, .options = &options, .x = x, .axis = along, .y = y, .mean = mean}, target);
}

void logsumexp_gradient(const actfun_softmax_options& options, const actfun_array* x, int axis, const actfun_array* g,
                        const actfun_array* dx, const Target& target) {
  const int along = checked_row_output(options, x, axis, dx, "dx");
  check_array(g, false, "g");
  check_without_axis(*g, "g", *x, along);
  check_apart(*dx, "dx", *g, "g", false);
  run({.result = Result::gradient, .options = &options, .x = x, .axis = along, .y = dx, .upstream = g}, target);
}

namespace {
void checked_gradient(Gradient what, const actfun_softmax_options& options, const actfun_array* y,
                      const actfun_array* g, const char* name_g, int axis, const actfun_array* dx, const char* name_dx,
                      const Target& target) {
  check_array(y, false, "y");
  const int along = checked_axis(*y, axis);
  check_scale(options.scale);
  check_array(g, false, name_g);
  check_array(dx, true, name_dx);
  check_same(*g, name_g, *y, "y");
  check_same(*dx, name_dx, *y, "y");
  check_apart(*dx, name_dx, *y, "y", true);
  check_apart(*dx, name_dx, *g, name_g, true);
  (y->format == ACTFUN_F64 ? run_gradient<double> : run_gradient<float>)(what, options, *y, *g, along, *dx, target);
}
}  // namespace

void softmax_gradient(actfun_softmax_kind kind, const actfun_softmax_options& options, const actfun_array* y,
                      const actfun_array* g, int axis, const actfun_array* dx, const Target& target) {
  check_kind(kind);
  checked_gradient(kind == ACTFUN_SOFTMAX ? Gradient::softmax : Gradient::log_softmax, options, y, g, "g", axis, dx,
                   "dx", target);
}
// The Jacobian in place of its transpose: softmax's is symmetric.
void softmax_jvp(actfun_softmax_kind kind, const actfun_softmax_options& options, const actfun_array* y,
                 const actfun_array* v, int axis, const actfun_array* dy, const Target& target) {
  check_kind(kind);
  checked_gradient(kind == ACTFUN_SOFTMAX ? Gradient::softmax : Gradient::forward_log_softmax, options, y, v, "v", axis,
                   dy, "dy", target);
}

namespace {
void softmax_of_floats(Result result, const float* x, float* y, std::size_t outer, std::size_t length,
                       std::size_t inner, const Target& target, unsigned threads) {
  const auto step = [](std::size_t n) { return static_cast<std::ptrdiff_t>(n); };
  const actfun_array from{
      const_cast<float*>(x), ACTFUN_F32, 3, {outer, length, inner}, {step(length * inner), step(inner), 1}};
  actfun_array to = from;
  to.data = y;
  actfun_softmax_options options{};
  options.scale = 1, options.threads = threads;
  run({.result = result, .options = &options, .x = &from, .axis = 1, .y = &to}, target);
}
}  // namespace

void softmax(const float* x, float* y, std::size_t outer, std::size_t length, std::size_t inner, const Target& target,
             unsigned threads) {
  softmax_of_floats(Result::softmax, x, y, outer, length, inner, target, threads);
}
void log_softmax(const float* x, float* y, std::size_t outer, std::size_t length, std::size_t inner,
                 const Target& target, unsigned threads) {
  softmax_of_floats(Result::log_softmax, x, y, outer, length, inner, target, threads);
}

void softmax_merge(std::size_t n, const double* max_a, const double* lse_a, const double* max_b, const double* lse_b,
                   double* max, double* lse, const Target& target) {
  const DefaultFloatEnvironment environment;
  const SoftmaxPasses<double>& passes = softmax_passes<double>(false, true, target.bit);
  for (std::size_t i = 0; i < n; ++i) {
    const double high = std::max(lse_a[i], lse_b[i]), low = std::min(lse_a[i], lse_b[i]);
    const bool nan = std::isnan(lse_a[i]) || std::isnan(lse_b[i]);
    const double larger = std::max(max_a[i], max_b[i]);
    lse[i] = nan                                      ? kNan
             : low == -kInfinity || high == kInfinity ? high
                                                      : sum({high}, passes.log1p(passes.exp(sum({low}, {-high})))).high;
    max[i] = nan || std::isnan(max_a[i]) || std::isnan(max_b[i]) ? kNan : larger;
  }
}

}  // namespace actfun
