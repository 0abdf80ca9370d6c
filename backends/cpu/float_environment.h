// SPDX-License-Identifier: Apache-2.0
// The caller's floating-point state must not change a result: rounding to nearest, no flush-to-zero, no
// denormals-are-zero, no traps while kernels run, and the caller's state again afterwards. WebAssembly has no such
// state.
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#elif !defined(__wasm__)
#include <cfenv>
#endif

namespace actfun {

class DefaultFloatEnvironment {
 public:
  DefaultFloatEnvironment(const DefaultFloatEnvironment&) = delete;
  DefaultFloatEnvironment& operator=(const DefaultFloatEnvironment&) = delete;

#if defined(__SSE2__)
  // The control register's state at power-up: all exceptions masked. The sticky flags are the low six bits; writing
  // the register costs some ten cycles, so it is left alone when only they differ.
  DefaultFloatEnvironment() : saved_(_mm_getcsr()) {
    if (changed()) _mm_setcsr(kDefault);
  }
  ~DefaultFloatEnvironment() {
    if (changed()) _mm_setcsr(saved_);
  }

 private:
  static constexpr unsigned kDefault = 0x1f80, kFlags = 0x3f;
  bool changed() const { return (saved_ & ~kFlags) != kDefault; }
  unsigned saved_;
#elif defined(__wasm__)
  DefaultFloatEnvironment() {}
  ~DefaultFloatEnvironment() {}
#else
  DefaultFloatEnvironment() {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultFloatEnvironment() { std::fesetenv(&saved_); }

 private:
  std::fenv_t saved_;
#endif
};

}  // namespace actfun
