// SPDX-License-Identifier: Apache-2.0
// The statistics of one layer: one pass over its elements, memory for its channels alone, and partial results that
// merge without loss.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/format.h"
#include "health/exact_sum.h"
#include "health/kernel.h"
#include "health/plan.h"

namespace actfun::health {

/// An array in C order around its channel axis.
struct Shape {
  std::size_t outer, channels, inner;
  std::size_t size() const { return outer * channels * inner; }
};

/// More channels than any layer has: an axis that was not meant.
inline constexpr std::size_t kMostChannels = std::size_t{1} << 20;

/// What is known of a channel, or of all of them together.
struct Summary {
  std::uint64_t elements = 0;
  std::uint64_t counts[kCounts] = {};
  std::uint64_t bins[kBins] = {};
  float largest = 0;    ///< magnitude of a finite element
  double mean, spread;  ///< of finite elements; NaN if there is none
  /// Of f over finite elements with finite f and f'; NaN without a function.
  double f_mean, f_spread, gain;
  /// By how much f_mean and gain may be off because usual elements take cubics.
  double f_error, gain_error;
  bool dead;  ///< there are elements, and f = f' = 0 at all of them

  std::uint64_t infinite() const { return counts[plus_inf] + counts[minus_inf]; }
  std::uint64_t finite() const { return elements - counts[nan] - infinite(); }
};

/// How an array is cut into parts, each of which is summed on its own: the same parts whatever the threads.
class Cut {
 public:
  explicit Cut(Shape shape);
  std::size_t parts() const { return parts_; }
  std::size_t columns() const { return columns_; }
  bool runs() const { return runs_; }
  std::size_t channel_of(std::size_t column) const;
  std::size_t channel_of_element(std::size_t element) const;

  /// A run of elements that lie together, as rows of `width` columns from column `first` on.
  struct Piece {
    std::size_t element, rows, width, column;
    std::size_t size() const { return rows * width; }
  };
  /// The pieces of a part in the order of their elements. None is larger than largest_piece().
  void for_pieces(std::size_t part, const std::function<void(const Piece&)>& body) const;
  std::size_t largest_piece() const;
  /// The elements of a part lie together, from first(part) to first(part + 1).
  std::size_t first(std::size_t part) const;

 private:
  Shape shape_;
  bool runs_;  ///< channels lie in long runs: 16 columns each; otherwise a row is a multiple of [channels, inner]
  std::size_t columns_, step_, parts_;
};

class Layer {
 public:
  /// `plan` must outlive the layer. Throws std::invalid_argument when there are too many channels, or none.
  Layer(const Plan& plan, std::size_t channels);

  const Plan& plan() const { return *plan_; }
  std::size_t channels() const { return channels_; }

  /// Adds an array whose elements are in the plan's format. Its channels must be the layer's.
  void add(const void* x, Shape shape, const Target& target);
  /// Adds one part; get(first, n) gives n of the array's elements as floats, and is called for rising `first`.
  using Get = std::function<const float*(std::size_t first, std::size_t n)>;
  void add_part(const Cut& cut, std::size_t part, const Get& get, const Target& target);

  /// Adds what another layer knows. Exact: neither order nor grouping changes any result.
  /// Throws std::invalid_argument when the two differ in channels, format, function or tolerance.
  void merge(const Layer& other);

  Summary channel(std::size_t c) const;
  Summary all() const;
  std::size_t dead() const;              ///< channels
  bool exact() const { return exact_; }  ///< all elements were counted by an exact plan

  /// Everything, for files: merging and summaries need nothing else.
  struct State {
    std::vector<std::uint64_t> elements, counts, bins;  ///< as in Columns: a row for each count, of all channels
    std::vector<float> largest;
    std::vector<ExactSum> sums;
  };
  const State& state() const { return state_; }
  /// Throws std::invalid_argument when sizes do not fit.
  void restore(State state);

 private:
  Summary summary(std::size_t from, std::size_t to) const;  ///< of channels [from, to) together
  void add_exactly(const Cut::Piece& piece, const float* x, const Cut& cut, const Target& target);
  void flush(const Columns& columns, const Cut& cut);

  const Plan* plan_;
  std::size_t channels_;
  State state_;
  bool exact_;
  std::vector<Columns> scratch_;  ///< none or one: kept between parts
};

/// Elements of any format as floats. f64 is rounded to nearest, but stays finite, and stays nonzero.
void to_floats(Format format, const void* x, float* y, std::size_t n, const Target& target);

}  // namespace actfun::health
