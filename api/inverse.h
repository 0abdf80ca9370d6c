// SPDX-License-Identifier: Apache-2.0
// Elementwise functions from their outputs: inverses, and backward passes that need no input. Each tells why a function
// lacks it; empty text: it has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "api/registry.h"
#include "core/format.h"

namespace actfun {

struct NotPossible : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// x[i] = the number of the format nearest to the x with f(x) = y[i]; x may be y. Throws NotPossible.
void invert(const Call& call, Format format, const void* y, void* x, std::size_t n, const Target& target);
std::string why_no_inverse(const Call& call);

/// dx[i] = g[i] f'(x[i]) from y[i] = f(x[i]), as a function of g and y rounded once; dx may be y or g. Throws
/// NotPossible.
void backward_from_output(const Call& call, Format format, const void* y, const void* g, void* dx, std::size_t n,
                          const Target& target);
std::string why_no_backward_from_output(const Call& call);

/// One bit an element, bit i % 8 of bits[i / 8], that together with y tells x well enough for a backward pass:
/// * where f' has two values, as of relu, which of them it is; y is not needed then, and may be null;
/// * where f has one minimum or maximum and is strictly monotone on either side, as silu, whether x lies before it.
void value_and_bits(const Call& call, Format format, const void* x, void* y, std::uint8_t* bits, std::size_t n,
                    const Target& target);
void backward_from_bits(const Call& call, Format format, const void* y, const std::uint8_t* bits, const void* g,
                        void* dx, std::size_t n, const Target& target);
std::string why_no_bits(const Call& call);
/// Whether `backward_from_bits` needs y.
bool bits_need_output(const Call& call);

}  // namespace actfun
