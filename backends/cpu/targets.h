// SPDX-License-Identifier: Apache-2.0
// The instruction sets that kernels are compiled for: Highway's, less those that would bring nothing here.
#pragma once

// SSSE3: machines with it and without SSE4 are gone. AVX3_DL: no instruction of it is used. SVE: no class can hold its
// vectors. WASM: Highway's vectors there have no doubles.
// ACTFUN_FEW_TARGETS: one kind of vectors will do while one works on a function.
#ifdef ACTFUN_FEW_TARGETS
#define ACTFUN_SPARED_TARGETS (HWY_AVX3 | HWY_SSE4)
#else
#define ACTFUN_SPARED_TARGETS 0
#endif
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS                                                                                      \
  (ACTFUN_SPARED_TARGETS | HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_WASM | \
   HWY_WASM_EMU256)
#endif
#define HWY_COMPILE_ALL_ATTAINABLE
// The scalar fallback is Highway's one-lane target, not its emulation of 128-bit vectors: compilers differ on that one.
#define HWY_BROKEN_EMU128 1
// Its assertions, in sanitized builds, are all that would need Highway's library besides its headers.
#define HWY_IS_DEBUG_BUILD 0

#include "hwy/detect_targets.h"

// HWY_TARGET's bit, Highway's name for its namespace, and a description; best first.
#if HWY_ARCH_X86 && defined(ACTFUN_FEW_TARGETS)
#define ACTFUN_TARGETS(X) \
  X(AVX2, "AVX2 and FMA") \
  X(SCALAR, "portable C++, no fused multiply-add")
#elif HWY_ARCH_X86
#define ACTFUN_TARGETS(X)                  \
  X(AVX3, "AVX-512 (F, BW, CD, DQ, VL)")   \
  X(AVX2, "AVX2 and FMA")                  \
  X(SSE4, "SSE4.2, no fused multiply-add") \
  X(SCALAR, "portable C++, no fused multiply-add")
#elif HWY_ARCH_ARM_A64
#define ACTFUN_TARGETS(X)  \
  X(NEON, "Advanced SIMD") \
  X(SCALAR, "portable C++, no fused multiply-add")
#else
#define ACTFUN_TARGETS(X) X(SCALAR, "portable C++, no fused multiply-add")
#endif
