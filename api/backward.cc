// SPDX-License-Identifier: Apache-2.0
// Backward passes, and functions whose parameters differ between the channels of an array.
#include <algorithm>
#include <optional>
#include <vector>

#include "api/factors.h"
#include "api/parts.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"
#include "backends/cpu/products.h"
#include "backends/cpu/sum.h"

namespace actfun {
namespace {

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

/// An array cut into pieces: parts of rows, a channel's rows one after another, or tiles of several whole rows, whose
/// `channel` is the first row's. A row's pieces are neighbours.
class Pieces {
 public:
  Pieces(const Call& call, const Channels& shape)
      : shape_(shape),
        share_tiles_(shares_tiles(call, shape)),
        rows_(shape.size() ? shape.outer * shape.channels : 0),
        rows_of_tile_(share_tiles_ && rows_ ? kTile / shape.inner : 1),
        pieces_of_row_(share_tiles_ ? 1 : (shape.inner + kTile - 1) / kTile) {}

  bool share_tiles() const { return share_tiles_; }
  std::size_t count() const { return (rows_ + rows_of_tile_ - 1) / rows_of_tile_ * pieces_of_row_; }
  Piece operator[](std::size_t i) const {
    if (share_tiles_) {
      const std::size_t row = i * rows_of_tile_;
      return {row * shape_.inner, std::min(rows_of_tile_, rows_ - row) * shape_.inner, row % shape_.channels, {}};
    }
    const std::size_t row = i / pieces_of_row_, channel = row / shape_.outer,
                      start = ((row % shape_.outer) * shape_.channels + channel) * shape_.inner,
                      offset = i % pieces_of_row_ * kTile;
    return {start + offset, std::min(kTile, shape_.inner - offset), channel, {}};
  }
  /// So many are a thousand elements, or more.
  std::size_t tile() const { return 1 + 1024 / (*this)[0].n; }

 private:
  const Channels& shape_;
  bool share_tiles_;
  std::size_t rows_, rows_of_tile_, pieces_of_row_;
};

/// Calls run(factors, i, pieces[i]) for i from `first` on.
template <class Run>
void run_pieces(const Pieces& pieces, std::size_t first, std::size_t count, const Call& call,
                std::span<const Part> parts, const Channels& shape, const Target& target, const Run& run) {
  std::optional<Factors> factors;
  std::size_t channel = 0;
  alignas(64) double values[kMaxParameters][kTile];
  const double* pointers[kMaxParameters];
  const std::size_t parameters = call.info().parameters.size();
  for (std::size_t k = 0; k < parameters; ++k) pointers[k] = values[k];
  for (std::size_t i = first; i < first + count; ++i) {
    Piece piece = pieces[i];
    if (pieces.share_tiles()) {
      if (!factors) factors.emplace(call, parts, target);
      if (shape.varies()) {
        for (std::size_t k = 0; k < parameters; ++k)
          for (std::size_t j = 0, c = piece.channel; j < piece.n; c = c + 1 < shape.channels ? c + 1 : 0) {
            const double value = (shape.parameters[k] ? shape.parameter(k, c) : call.parameters[k]) + 0.0;
            for (const std::size_t end = j + shape.inner; j < end; ++j) values[k][j] = value;
          }
        piece.each.values = pointers;
      }
    } else if (!factors || (shape.varies() && piece.channel != channel)) {
      factors.emplace(call_of_channel(call, shape, channel = piece.channel), parts, target);
    }
    run(*factors, i, piece);
  }
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

/// The fast tier's kernel, or null.
Kernels::Backward fast_backward(const Call& call, Part part, const Target& target) {
  if (call.tier != Tier::fast || !call.preset()) return nullptr;
  const Kernels& all = kernels(call, target);
  return part == Part::slope               ? all.fast_backward
         : part == Part::slope_from_output ? all.fast_backward_from_output
                                           : nullptr;
}

}  // namespace

bool Call::accepts(const Channels& shape) const {
  if (!shape.varies()) return true;
  for (std::size_t c = 0; c < shape.channels; ++c) {
    const Call own = call_of_channel(*this, shape, c);
    for (std::size_t k = 0; k < info().parameters.size(); ++k)
      if (!actfun::accepts(*entry, k, own.parameters.data())) return false;
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
  const std::size_t bytes = info_of(format).bytes;
  const Kernels::Backward kernel = fast_backward(*this, part, target);
  if (kernel && format == Format::f32 && g && !shape.varies()) {
    const auto *from = static_cast<const float*>(x), *factor = static_cast<const float*>(g);
    auto* to = static_cast<float*>(y);
    return in_parts(shape.size(), tile_of(format), threads, [=](std::size_t first, std::size_t count) {
      reads(from + first, count * bytes), reads(factor + first, count * bytes), writes(to + first, count * bytes);
      kernel(from + first, factor + first, to + first, count);
    });
  }
  const Pieces pieces(*this, shape);
  if (pieces.count() == 0) return;
  in_parts(pieces.count(), pieces.tile(), threads, [&](std::size_t first, std::size_t count) {
    run_pieces(pieces, first, count, *this, {&part, 1}, shape, target,
               [&](const Factors& factors, std::size_t /*i*/, const Piece& piece) {
                 const Factor& f = factors[0];
                 const void *from = element_at(format, x, piece.first),
                            *factor = g ? element_at(format, g, piece.first) : nullptr;
                 void* to = element_at(format, y, piece.first);
                 reads(from, piece.n * bytes), writes(to, piece.n * bytes);
                 if (g) reads(factor, piece.n * bytes);
                 if (format == Format::f32 && g &&
                     multiply_exact(f, static_cast<const float*>(from), static_cast<const float*>(factor),
                                    static_cast<float*>(to), piece.n))
                   return;
                 alignas(64) double inputs[kTile], gradients[kTile];
                 load(format, from, inputs, piece.n, target.bit);
                 if (g)
                   load(format, factor, gradients, piece.n, target.bit);
                 else
                   std::fill_n(gradients, piece.n, 1.0);
                 actfun::multiply(f, format, inputs, gradients, nullptr, to, piece.n, piece.each);
               });
  });
}

void Call::double_backward(Format format, const void* x, const void* g, const void* gg, void* dx, void* dg,
                           std::size_t n, const Target& target) const {
  const DefaultFloatEnvironment environment;
  constexpr Part parts[] = {Part::slope, Part::curvature};
  const Factors factors(*this, parts, target);
  const Factor &slope = factors[0], &curvature = factors[1];
  in_parts(n, kTile, threads, [&](std::size_t first, std::size_t count) {
    alignas(64) double inputs[kTile], gradients[kTile], seconds[kTile];
    for (std::size_t i = first; i < first + count; i += kTile) {
      const std::size_t m = std::min(kTile, first + count - i), bytes = m * info_of(format).bytes;
      for (const void* in : {x, g, gg}) reads(element_at(format, in, i), bytes);
      for (void* out : {dx, dg}) writes(element_at(format, out, i), bytes);
      load(format, element_at(format, x, i), inputs, m, target.bit);
      load(format, element_at(format, g, i), gradients, m, target.bit);
      load(format, element_at(format, gg, i), seconds, m, target.bit);
      actfun::multiply(curvature, format, inputs, gradients, seconds, element_at(format, dx, i), m);
      actfun::multiply(slope, format, inputs, seconds, nullptr, element_at(format, dg, i), m);
    }
  });
}

void Call::parameter_gradients(Format format, const Channels& shape, const void* x, const void* g,
                               double* const* gradients, const Target& target) const {
  const DefaultFloatEnvironment environment;
  const std::size_t count = info().parameters.size();
  std::vector<Sum> sums[kMaxParameters];
  std::vector<Part> parts;
  std::vector<std::size_t> wanted;
  for (std::size_t k = 0; k < count; ++k) {
    if (!gradients[k]) continue;
    parts.push_back(gradient_by(k)), wanted.push_back(k);
    sums[k].resize(shape.channels);
  }
  // Terms are made on many threads and added up on this one, in the order of the pieces.
  constexpr std::size_t kBatch = 64;
  struct alignas(64) Terms {
    double terms[kTile];
  };
  const Pieces pieces(*this, shape);
  std::vector<RowSum> row(wanted.size(), RowSum(target.bit));
  std::vector<Terms> batch(std::min(kBatch, pieces.count()) * wanted.size());
  for (std::size_t start = 0; start < pieces.count(); start += kBatch) {
    const std::size_t m = std::min(kBatch, pieces.count() - start);
    const auto terms = [&](std::size_t k, std::size_t i) { return batch[k * m + i - start].terms; };
    in_parts(m, pieces.tile(), threads, [&](std::size_t first, std::size_t size) {
      run_pieces(pieces, start + first, size, *this, parts, shape, target,
                 [&](const Factors& factors, std::size_t i, const Piece& piece) {
                   alignas(64) double inputs[kTile], factor[kTile];
                   load(format, element_at(format, x, piece.first), inputs, piece.n, target.bit);
                   load(format, element_at(format, g, piece.first), factor, piece.n, target.bit);
                   for (std::size_t k = 0; k < wanted.size(); ++k) {
                     writes(terms(k, i), piece.n * sizeof(double));
                     actfun::multiply(factors[k], format, inputs, factor, terms(k, i), piece.n, piece.each);
                   }
                 });
    });
    for (std::size_t i = start; i < start + m; ++i)
      for (std::size_t k = 0; k < wanted.size(); ++k) add_rows(terms(k, i), pieces[i], shape, row[k], sums[wanted[k]]);
  }
  for (const std::size_t k : wanted)
    for (std::size_t c = 0; c < shape.channels; ++c) gradients[k][c] = sums[k][c].value();
}

}  // namespace actfun
