// SPDX-License-Identifier: Apache-2.0
#include "core/exact/oracle.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace actfun::exact {
namespace {

constexpr std::uint32_t kSign = 0x80000000, kInfinity = 0x7f800000;
const float kNan = std::bit_cast<float>(0x7fc00000);

}  // namespace

Oracle::Oracle(Definition definition) : pointwise_(std::move(definition)), periodic_(Periodic::make(pointwise_)) {
  for (const bool negative : {false, true}) {
    const std::uint32_t end = periodic_ ? periodic_->first() : kInfinity;
    pieces_[negative] = make_pieces(pointwise_, negative, end - 1);
    if (periodic_) {
      Piece far{end, kInfinity - 1, 0, 1, {}};
      for (int order = 0; order < 3; ++order)
        if (periodic_->knows(static_cast<Order>(order))) far.models[order].kind = Model::Kind::periodic;
      pieces_[negative].push_back(far);
    }
    for (int order = 0; order < 3; ++order) {
      const float sign = negative ? -1.0f : 1.0f;
      zero_[negative][order] = pointwise_.round(sign * 0.0f, static_cast<Order>(order));
      infinity_[negative][order] =
          pointwise_.round(sign * std::numeric_limits<float>::infinity(), static_cast<Order>(order));
    }
  }
}

const Piece& Oracle::piece_of(std::uint32_t magnitude, bool negative) const {
  const auto& pieces = pieces_[negative];
  return *std::lower_bound(pieces.begin(), pieces.end(), magnitude,
                           [](const Piece& p, std::uint32_t m) { return p.last < m; });
}

void Oracle::round_in(const Piece& piece, const float* x, std::size_t n, Order order, float* out,
                      std::vector<std::uint32_t>* asked) const {
  const auto ask = [&](std::size_t i) {
    out[i] = pointwise_.round(x[i], order);
    if (asked) asked->push_back(std::bit_cast<std::uint32_t>(x[i]));
  };
  const Model& model = piece.models[static_cast<int>(order)];
  if (model.kind == Model::Kind::constant) return std::fill(out, out + n, model.constant), void();
  if (model.kind == Model::Kind::none) {
    for (std::size_t i = 0; i < n; ++i) ask(i);
    return;
  }
  std::uint16_t doubtful[kBlock];
  const std::size_t count = model.kind == Model::Kind::periodic ? periodic_->evaluate(order, x, n, out, doubtful)
                                                                : evaluate(piece, model, x, n, out, doubtful);
  for (std::size_t i = 0; i < count; ++i) ask(doubtful[i]);
}

void Oracle::round_block(std::uint32_t first, std::size_t count, Order order, float* out,
                         std::vector<std::uint32_t>* asked) const {
  const int k = static_cast<int>(order);
  for (std::size_t done = 0; done < count;) {
    const auto bits = static_cast<std::uint32_t>(first + done), magnitude = bits & ~kSign;
    const bool negative = (bits & kSign) != 0;
    if (magnitude == 0 || magnitude >= kInfinity) {
      out[done++] = magnitude == 0 ? zero_[negative][k] : magnitude == kInfinity ? infinity_[negative][k] : kNan;
      continue;
    }
    const Piece& piece = piece_of(magnitude, negative);
    const std::size_t end = std::min(count, done + (piece.last - magnitude + 1));
    if (const Model& model = piece.models[k]; model.kind == Model::Kind::constant) {
      std::fill(out + done, out + end, model.constant);
      done = end;
      continue;
    }
    for (std::uint32_t next = bits; done < end;) {
      float x[kBlock];
      const std::size_t n = std::min(kBlock, end - done);
      for (std::size_t i = 0; i < n; ++i) x[i] = std::bit_cast<float>(next + static_cast<std::uint32_t>(i));
      round_in(piece, x, n, order, out + done, asked);
      done += n;
      next += static_cast<std::uint32_t>(n);
    }
  }
}

void Oracle::round_array(const float* x, float* out, std::size_t n, Order order) const {
  const int k = static_cast<int>(order);
  for (std::size_t i = 0; i < n;) {
    const auto bits = std::bit_cast<std::uint32_t>(x[i]), magnitude = bits & ~kSign;
    const bool negative = (bits & kSign) != 0;
    if (magnitude == 0 || magnitude >= kInfinity) {
      out[i++] = magnitude == 0 ? zero_[negative][k] : magnitude == kInfinity ? infinity_[negative][k] : kNan;
      continue;
    }
    // As many as follow in the same piece, to fill a block.
    const Piece& piece = piece_of(magnitude, negative);
    std::size_t end = i + 1;
    for (; end < n && end - i < kBlock; ++end) {
      const std::uint32_t next = std::bit_cast<std::uint32_t>(x[end]) ^ (negative ? kSign : 0);
      if (next < piece.first || next > piece.last) break;
    }
    round_in(piece, x + i, end - i, order, out + i, nullptr);
    i = end;
  }
}

float Oracle::round(float x, Order order) const {
  float y;
  round_array(&x, &y, 1, order);
  return y;
}

}  // namespace actfun::exact
