// SPDX-License-Identifier: Apache-2.0
// Other libraries, each asked as its users would ask it. A file a library; what the build lacks is left out.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace actfun::compare {

/// What is computed from x, y = f(x) and a gradient g.
enum class Pass {
  forward,      ///< f(x)
  from_input,   ///< g f'(x)
  from_output,  ///< the same, of y
};

/// Works on arrays of one length: x (or y, from the output), g, and where the results go. Returns where they are:
/// elsewhere if the library takes no memory for them.
using Run = std::function<const float*(const float* x, const float* g, float* to)>;

struct Peer {
  std::string function;
  Pass pass;
  std::function<Run(std::size_t n)> prepare;
};

struct Library {
  std::string name, version;  ///< as the library itself tells it, or its package
  std::vector<Peer> peers;
};

// These choose their instruction set at run time: AVX-512, or nothing above AVX2 unless `avx512`.
Library onednn(bool avx512), pytorch(bool avx512);
Library xnnpack();  ///< always the best of the machine
// By the compiler's flags, once for each instruction set.
Library eigen_avx512(), eigen_avx2();
Library highway_avx512(), highway_avx2();
Library libmvec_avx512(), libmvec_avx2();
Library sleef_avx512(), sleef_avx2();
Library libm();

/// A function that is a loop without anything to prepare.
inline Peer loop(std::string function, void (*f)(const float*, float*, std::size_t)) {
  return {std::move(function), Pass::forward, [f](std::size_t n) {
            return [f, n](const float* x, const float*, float* to) {
              f(x, to, n);
              return to;
            };
          }};
}

}  // namespace actfun::compare
