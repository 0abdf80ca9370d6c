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

// The rest are loops without anything to prepare, compiled once for each instruction set by the compiler's flags. Plain
// data: an inline function used there and elsewhere could be kept in a copy that this machine cannot run.
struct Loop {
  const char* function;
  void (*run)(const float* x, float* y, std::size_t n);
};
struct Loops {
  const char *name, *version;
  const Loop* loops;
  std::size_t count;
};
Loops eigen_avx512(), eigen_avx2();
Loops highway_avx512(), highway_avx2();
Loops libmvec_avx512(), libmvec_avx2();
Loops sleef_avx512(), sleef_avx2();
Loops libm();

#define PEER_TEXT_OF(x) #x
#define PEER_TEXT(x) PEER_TEXT_OF(x)
/// A version in three numbers that are macros.
#define PEER_VERSION_OF(a, b, c) PEER_TEXT(a) "." PEER_TEXT(b) "." PEER_TEXT(c)

}  // namespace actfun::compare
