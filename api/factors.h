// SPDX-License-Identifier: Apache-2.0
// What is multiplied: parts of a call, and of the calls that the channels of an array make of it.
#pragma once

#include <cstddef>
#include <span>

#include "api/parts.h"
#include "backends/cpu/products.h"

namespace actfun {

/// Parts of a call that are multiplied, ready to run.
class Factors {
 public:
  Factors(const Call& call, std::span<const Part> parts, const Target& target);
  Factors(const Factors&) = delete;
  Factors& operator=(const Factors&) = delete;
  const Factor& operator[](std::size_t i) const { return factors_[i]; }

 private:
  Constants constants_;
  Exception exceptions_[2];
  Factor factors_[kParts];
};

/// Rows at least as long as this have kernels to themselves where parameters differ between channels: a kernel for
/// elements with parameters of their own is slower.
inline constexpr std::size_t kLongRow = 64;

/// The call with the parameters of a channel.
Call call_of_channel(const Call& call, const Channels& shape, std::size_t channel);

/// Whether a tile may hold elements of several channels.
bool channels_share_tiles(const Call& call, const Channels& shape);

/// The parameters of n elements: rows of `shape` that begin with channel `start` and go around the `count` channels
/// from `first` on.
class ParametersOfElements {
 public:
  ParametersOfElements(const Call& call, const Channels& shape);
  ParametersOfElements(const ParametersOfElements&) = delete;
  ParametersOfElements& operator=(const ParametersOfElements&) = delete;
  EachParameters operator()(std::size_t first, std::size_t count, std::size_t start, std::size_t n);

 private:
  const Call& call_;
  const Channels& shape_;
  alignas(64) double values_[kMaxParameters][kProductTile];
  const double* pointers_[kMaxParameters];
};

}  // namespace actfun
