// SPDX-License-Identifier: Apache-2.0
// Other libraries, each asked as its users would ask it. A file a library; what the build lacks is left out.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace actfun::compare {

/// y[i] = f(x[i]), ready for arrays of one length.
using Run = std::function<void(const float* x, float* y)>;

struct Peer {
  std::string library, function;
  std::function<Run(std::size_t n)> prepare;
};

std::vector<Peer> onednn(), xnnpack();
// By the compiler's flags, once for each instruction set.
std::vector<Peer> eigen_avx512(), eigen_avx2();
std::vector<Peer> libmvec_avx512(), libmvec_avx2();
std::vector<Peer> sleef_avx512(), sleef_avx2();
std::vector<Peer> libm();

/// A peer that is a loop without anything to prepare.
inline Peer loop(std::string library, std::string function, void (*f)(const float*, float*, std::size_t)) {
  return {std::move(library), std::move(function),
          [f](std::size_t n) { return [f, n](const float* x, float* y) { f(x, y, n); }; }};
}

}  // namespace actfun::compare
