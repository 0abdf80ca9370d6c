// SPDX-License-Identifier: Apache-2.0
// What the functions of the C interface check alike.
#pragma once

#include <cstdint>
#include <cstdio>
#include <exception>
#include <initializer_list>

#include "actfun/actfun.h"
#include "api/registry.h"
#include "api/threads.h"

namespace actfun::c {

struct Buffer {
  const void* data;
  std::size_t bytes;
};

inline bool missing(Buffer b) { return b.data == nullptr && b.bytes > 0; }

/// Whether two buffers share a byte without being the same buffer.
inline bool overlap_partly(Buffer a, Buffer b) {
  const auto at = [](Buffer x) { return reinterpret_cast<std::uintptr_t>(x.data); };
  if (a.bytes == 0 || b.bytes == 0 || (at(a) == at(b) && a.bytes == b.bytes)) return false;
  return at(a) < at(b) + b.bytes && at(b) < at(a) + a.bytes;
}
inline bool same(Buffer a, Buffer b) { return a.data == b.data && a.bytes > 0 && b.bytes > 0; }
inline bool overlap(Buffer a, Buffer b) { return overlap_partly(a, b) || same(a, b); }

/// The product of sizes, or false if it does not fit memory.
template <class... Sizes>
bool multiply(std::size_t& product, Sizes... sizes) {
  product = 1;
  return (!__builtin_mul_overflow(product, sizes, &product) && ...) && product <= SIZE_MAX / 2 / sizeof(double);
}

/// The entry behind a handle, or null: of an elementwise function whose parameters lie in their domains.
actfun_status check(const actfun_function* f, const Entry*& entry);
void set(Call& call, const actfun_function* f, const Entry* entry);
inline Call call_of(const actfun_function* f, const Entry* entry) {
  Call call{};
  set(call, f, entry);
  return call;
}

/// A handle with a call's function and parameters.
actfun_function handle_of(const Call& call);

/// Checks what all elementwise calls share, and says which function and target they mean.
actfun_status check(const actfun_function* f, Buffer in, Buffer out, Call& call, const Target*& target);

/// How many bytes n numbers of a format take.
actfun_status size_of(actfun_format format, std::size_t n, std::size_t& bytes);

/// Checks what calls with several inputs share: outputs may be inputs, but not each other.
actfun_status check(const actfun_function* f, std::initializer_list<const void*> inputs,
                    std::initializer_list<const void*> outputs, std::size_t bytes, Call& call, const Target*& target);

inline bool valid(actfun_format format) { return format >= ACTFUN_F32 && format <= ACTFUN_F8E5M2; }

inline const Target* target_in_use() noexcept {
  try {
    return &current_target();
  } catch (const std::exception&) {
    return nullptr;
  }
}

/// What the environment says: the instruction set, or that one of its variables is wrong.
inline actfun_status environment(const Target*& target) noexcept {
  target = target_in_use();
  if (!target) return ACTFUN_BAD_TARGET;
  try {
    threads_of_environment();
    return ACTFUN_OK;
  } catch (const std::exception&) {
    return ACTFUN_BAD_THREADS;
  }
}

inline void write_message(const char* text, char* message, std::size_t size) {
  if (message && size > 0) std::snprintf(message, size, "%s", text);
}

}  // namespace actfun::c
