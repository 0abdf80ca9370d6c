// SPDX-License-Identifier: Apache-2.0
// Backward passes, and functions whose parameters differ between the channels of an array.
#include <algorithm>
#include <vector>

#include "api/kinks.h"
#include "api/parts.h"
#include "backends/cpu/float_environment.h"
#include "backends/cpu/products.h"
#include "backends/cpu/sum.h"

namespace actfun {
namespace {

/// Parts of a call that are multiplied, ready to run.
class Factors {
 public:
  Factors(const Call& call, std::span<const Part> parts, const Target& target) : constants_(constants(call)) {
    std::size_t exceptions = 0;
    for (const auto& [x, slope] : other_slopes(call)) exceptions_[exceptions++] = {x, exactly(slope)};
    const Kernels& all = kernels(call, target);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto k = static_cast<std::size_t>(parts[i]);
      // A derivative with respect to a parameter has limits if f' has.
      const Order limits = k <= static_cast<std::size_t>(Part::curvature) ? static_cast<Order>(k) : Order::slope;
      Factor& f = factors_[i];
      f.raw = all.raw[k], f.each = all.each[k], f.wide = all.wide[k];
      f.big = evaluator(call, parts[i]);
      f.parameters = constants_.data();
      f.has_limits = parts[i] == Part::slope_from_output || has_limits(call, limits);
      f.target = target.bit;
      f.count = call.info().parameters.size();
      f.overflow = call.overflow;
      if (parts[i] != Part::slope) continue;
      f.exceptions = {exceptions_, exceptions};
      if (arithmetic(call) == Arithmetic::single) f.exact = all.order[k];
    }
  }
  Factors(const Factors&) = delete;
  Factors& operator=(const Factors&) = delete;
  const Factor& operator[](std::size_t i) const { return factors_[i]; }

 private:
  Constants constants_;
  Exception exceptions_[2];
  Factor factors_[kParts];
};

const void* at(const void* x, std::size_t i, Format format) {
  return static_cast<const unsigned char*>(x) + i * info_of(format).bytes;
}
void* at(void* x, std::size_t i, Format format) { return static_cast<unsigned char*>(x) + i * info_of(format).bytes; }

constexpr std::size_t kTile = kProductTile;

/// Rows at least as long as this have kernels to themselves; shorter ones share a tile.
constexpr std::size_t kLongRow = 64;

/// n elements from `first` on, all of one channel, or with parameters of their own.
struct Piece {
  std::size_t first, n, channel;
  EachParameters each;
};

Call call_of_channel(const Call& call, const Channels& shape, std::size_t channel) {
  Call own = call;
  for (std::size_t k = 0; k < call.info().parameters.size(); ++k)
    if (shape.parameters[k]) own.parameters[k] = shape.parameter(k, channel), own.rational[k] = false;
  return own;
}

bool shares_tiles(const Call& call, const Channels& shape) {
  if (shape.inner >= kLongRow) return false;
  if (!shape.varies()) return true;
  // A kernel for elements with parameters of their own knows neither conventions at kinks nor fractions.
  for (std::size_t k = 0; k < call.info().parameters.size(); ++k)
    if (call.rational[k] && !shape.parameters[k]) return false;
  return call.kinks == Kinks::actfun;
}

/// Calls run(factors, piece) for rows of one channel after another: pieces of a row in their order, a row's pieces
/// together, and a channel's rows in their order.
template <class Run>
void run_rows(const Call& call, std::span<const Part> parts, const Channels& shape, const Target& target,
              const Run& run) {
  for (std::size_t c = 0; c < shape.channels; ++c) {
    const Factors factors(call_of_channel(call, shape, c), parts, target);
    for (std::size_t o = 0; o < shape.outer; ++o) {
      const std::size_t row = (o * shape.channels + c) * shape.inner;
      for (std::size_t i = 0; i < shape.inner; i += kTile)
        run(factors, Piece{row + i, std::min(kTile, shape.inner - i), c, {}});
    }
  }
}

/// The same for pieces of several whole rows, in the array's order; `channel` is the first row's.
template <class Run>
void run_tiles(const Call& call, std::span<const Part> parts, const Channels& shape, const Target& target,
               const Run& run) {
  const Factors factors(call, parts, target);
  const std::size_t rows = shape.outer * shape.channels, rows_of_tile = kTile / shape.inner,
                    count = call.info().parameters.size();
  alignas(64) double values[kMaxParameters][kTile];
  const double* pointers[kMaxParameters];
  for (std::size_t k = 0; k < count; ++k) pointers[k] = values[k];
  for (std::size_t row = 0; row < rows; row += rows_of_tile) {
    const std::size_t n = std::min(rows_of_tile, rows - row) * shape.inner;
    Piece piece{row * shape.inner, n, row % shape.channels, {}};
    if (shape.varies()) {
      for (std::size_t k = 0; k < count; ++k)
        for (std::size_t i = 0, c = piece.channel; i < n; c = c + 1 < shape.channels ? c + 1 : 0) {
          const double value = (shape.parameters[k] ? shape.parameter(k, c) : call.parameters[k]) + 0.0;
          for (const std::size_t end = i + shape.inner; i < end; ++i) values[k][i] = value;
        }
      piece.each.values = pointers;
    }
    run(factors, piece);
  }
}

template <class Run>
void run_pieces(const Call& call, std::span<const Part> parts, const Channels& shape, const Target& target,
                const Run& run) {
  if (shape.size() == 0) return;
  if (shares_tiles(call, shape))
    run_tiles(call, parts, shape, target, run);
  else
    run_rows(call, parts, shape, target, run);
}

/// Adds the terms of a piece to the sums of their channels. A piece is a part of a row, which `row` adds up, or several
/// whole rows.
void add_rows(const double* terms, const Piece& piece, const Channels& shape, RowSum& row, std::vector<Sum>& sums) {
  const std::size_t inner = shape.inner;
  if (inner >= kLongRow) {
    row.add(terms, piece.n);
    if ((piece.first + piece.n) % inner == 0) sums[piece.channel].add(row.total()), row.clear();
    return;
  }
  for (std::size_t i = 0, c = piece.channel; i < piece.n; i += inner, c = c + 1 < shape.channels ? c + 1 : 0) {
    // For rows of no more than sixteen this is what RowSum does, but quicker.
    Sum sum;
    if (inner == 1) {
      sums[c].add(terms[i]);
    } else if (inner <= RowSum::kLanes) {
      for (std::size_t j = 0; j < inner; ++j) sum.add(terms[i + j]);
      sums[c].add(sum);
    } else {
      row.add(terms + i, inner);
      sums[c].add(row.total()), row.clear();
    }
  }
}

}  // namespace

bool Call::accepts(const Channels& shape) const {
  if (!shape.varies()) return true;
  for (std::size_t c = 0; c < shape.channels; ++c) {
    const Call own = call_of_channel(*this, shape, c);
    for (std::size_t k = 0; k < info().parameters.size(); ++k)
      if (!actfun::accepts(info(), k, own.parameters.data())) return false;
  }
  return true;
}

void Call::multiply(Part part, Format format, const void* x, const void* g, void* y, std::size_t n,
                    const Target& target) const {
  multiply(part, format, Channels{.inner = n}, x, g, y, target);
}

void Call::multiply(Part part, Format format, const Channels& shape, const void* x, const void* g, void* y,
                    const Target& target) const {
  const DefaultFloatEnvironment environment;
  if (part == Part::slope && format == Format::f32 && g && !shape.varies() && kinks == Kinks::actfun &&
      has_fast_kernel(Order::slope, target))
    return kernels(*this, target)
        .fast_backward(static_cast<const float*>(x), static_cast<const float*>(g), static_cast<float*>(y),
                       shape.size());
  run_pieces(*this, {&part, 1}, shape, target, [&](const Factors& factors, const Piece& piece) {
    const Factor& f = factors[0];
    const void *from = at(x, piece.first, format), *factor = g ? at(g, piece.first, format) : nullptr;
    void* to = at(y, piece.first, format);
    if (format == Format::f32 && g &&
        multiply_exact(f, static_cast<const float*>(from), static_cast<const float*>(factor), static_cast<float*>(to),
                       piece.n))
      return;
    alignas(64) double inputs[kTile], gradients[kTile];
    load(format, from, inputs, piece.n, target.bit);
    if (g)
      load(format, factor, gradients, piece.n, target.bit);
    else
      std::fill_n(gradients, piece.n, 1.0);
    actfun::multiply(f, format, inputs, gradients, nullptr, to, piece.n, piece.each);
  });
}

void Call::double_backward(Format format, const void* x, const void* g, const void* gg, void* dx, void* dg,
                           std::size_t n, const Target& target) const {
  const DefaultFloatEnvironment environment;
  constexpr Part parts[] = {Part::slope, Part::curvature};
  const Factors factors(*this, parts, target);
  const Factor &slope = factors[0], &curvature = factors[1];
  alignas(64) double inputs[kTile], gradients[kTile], seconds[kTile];
  for (std::size_t i = 0; i < n; i += kTile) {
    const std::size_t m = std::min(kTile, n - i);
    load(format, at(x, i, format), inputs, m, target.bit);
    load(format, at(g, i, format), gradients, m, target.bit);
    load(format, at(gg, i, format), seconds, m, target.bit);
    actfun::multiply(curvature, format, inputs, gradients, seconds, at(dx, i, format), m);
    actfun::multiply(slope, format, inputs, seconds, nullptr, at(dg, i, format), m);
  }
}

void Call::parameter_gradients(Format format, const Channels& shape, const void* x, const void* g,
                               double* const* gradients, const Target& target) const {
  const DefaultFloatEnvironment environment;
  const std::size_t count = info().parameters.size();
  std::vector<Sum> sums[kMaxParameters];
  Part parts[kMaxParameters];
  for (std::size_t k = 0; k < count; ++k) {
    parts[k] = gradient_by(k);
    if (gradients[k]) sums[k].resize(shape.channels);
  }
  std::vector<RowSum> row(count, RowSum(target.bit));
  run_pieces(*this, {parts, count}, shape, target, [&](const Factors& factors, const Piece& piece) {
    alignas(64) double inputs[kTile], factor[kTile], terms[kTile];
    load(format, at(x, piece.first, format), inputs, piece.n, target.bit);
    load(format, at(g, piece.first, format), factor, piece.n, target.bit);
    for (std::size_t k = 0; k < count; ++k) {
      if (!gradients[k]) continue;
      actfun::multiply(factors[k], format, inputs, factor, terms, piece.n, piece.each);
      add_rows(terms, piece, shape, row[k], sums[k]);
    }
  });
  for (std::size_t k = 0; k < count; ++k)
    for (std::size_t c = 0; c < sums[k].size(); ++c) gradients[k][c] = sums[k][c].value();
}

}  // namespace actfun
