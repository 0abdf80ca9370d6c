// SPDX-License-Identifier: Apache-2.0
// Backward passes, and functions whose parameters differ between the channels of an array.
#include <algorithm>
#include <optional>

#include "api/factors.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"

namespace actfun {
namespace {

constexpr std::size_t kTile = kProductTile;

/// n elements from `first` on, all of one channel, or with parameters of their own.
struct Piece {
  std::size_t first, n, channel;
  EachParameters each;
};

/// An array cut into pieces: parts of rows, a channel's rows one after another, or tiles of several whole rows, whose
/// `channel` is the first row's.
class Pieces {
 public:
  Pieces(const Call& call, const Channels& shape)
      : shape_(shape),
        share_tiles_(shape.inner < kLongRow && channels_share_tiles(call, shape)),
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
  ParametersOfElements parameters(call, shape);
  for (std::size_t i = first; i < first + count; ++i) {
    Piece piece = pieces[i];
    if (pieces.share_tiles()) {
      if (!factors) factors.emplace(call, parts, target);
      if (shape.varies()) piece.each = parameters(0, shape.channels, piece.channel, piece.n);
    } else if (!factors || (shape.varies() && piece.channel != channel)) {
      factors.emplace(call_of_channel(call, shape, channel = piece.channel), parts, target);
    }
    run(*factors, i, piece);
  }
}

}  // namespace

Kernels::Backward fast_backward(const Call& call, Part part, const Target& target) {
  if (call.tier != Tier::fast || !call.preset()) return nullptr;
  const Kernels& all = kernels(call, target);
  return part == Part::slope               ? all.fast_backward
         : part == Part::slope_from_output ? all.fast_backward_from_output
                                           : nullptr;
}

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
                 multiply_arrays(f, format, from, factor, to, piece.n, piece.each);
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

}  // namespace actfun
