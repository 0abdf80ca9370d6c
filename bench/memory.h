// SPDX-License-Identifier: Apache-2.0
// What memory allows: a copy past the caches, and a multiplication in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace actfun::bench {
namespace detail {

#if defined(__x86_64__)
// clang-format off
__attribute__((target("avx512f"))) inline std::size_t stream_lines(const char* x, char* y, std::size_t n) {
  std::size_t i = 0;
  for (; i + 64 <= n; i += 64) _mm512_stream_si512(reinterpret_cast<__m512i*>(y + i), _mm512_loadu_si512(x + i));
  return i;
}
__attribute__((target("avx2"))) inline std::size_t stream_halves(const char* x, char* y, std::size_t n) {
  std::size_t i = 0;
  for (; i + 32 <= n; i += 32)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(y + i), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i)));
  return i;
}
__attribute__((target("avx512f"))) inline std::size_t scale_lines(float* x, std::size_t n, float factor) {
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) _mm512_storeu_ps(x + i, _mm512_mul_ps(_mm512_loadu_ps(x + i), _mm512_set1_ps(factor)));
  return i;
}
__attribute__((target("avx2"))) inline std::size_t scale_halves(float* x, std::size_t n, float factor) {
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(x + i, _mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(factor)));
  return i;
}
// clang-format on
#endif

}  // namespace detail

/// A copy by non-temporal stores, as wide as the machine has them; elsewhere an ordinary one.
inline void stream_copy(const void* x, void* y, std::size_t bytes) {
  const auto* from = static_cast<const char*>(x);
  auto* to = static_cast<char*>(y);
  std::size_t done = 0;
#if defined(__x86_64__)
  const std::size_t before = (0 - reinterpret_cast<std::uintptr_t>(to)) % 64, first = before < bytes ? before : bytes;
  std::memcpy(to, from, first);
  const bool lines = __builtin_cpu_supports("avx512f");
  if (lines || __builtin_cpu_supports("avx2"))
    done = first + (lines ? detail::stream_lines : detail::stream_halves)(from + first, to + first, bytes - first);
  _mm_sfence();
#endif
  std::memcpy(to + done, from + done, bytes - done);
}

/// x[i] = factor x[i]
inline void scale(float* x, std::size_t n, float factor) {
  std::size_t done = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    done = detail::scale_lines(x, n, factor);
  else if (__builtin_cpu_supports("avx2"))
    done = detail::scale_halves(x, n, factor);
#endif
  for (; done < n; ++done) x[done] *= factor;
}

}  // namespace actfun::bench
