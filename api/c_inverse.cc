// SPDX-License-Identifier: Apache-2.0
// The C interface to what starts from a function's output.
#include "actfun/actfun.h"
#include "api/c_checks.h"
#include "api/inverse.h"

namespace {

using namespace actfun::c;
using actfun::Call;
using actfun::Format;
using actfun::Target;

/// Runs what the function may lack.
template <class Run>
actfun_status attempt(const Run& run) noexcept {
  try {
    run();
    return ACTFUN_OK;
  } catch (const actfun::NotPossible&) {
    return ACTFUN_NOT_POSSIBLE;
  } catch (const std::exception&) {  // no memory for a few dozen bytes
    return ACTFUN_BAD_SHAPE;
  }
}

Buffer buffer(const uint8_t* bits, size_t n) { return {bits, n / 8 + (n % 8 != 0)}; }

}  // namespace

extern "C" {

actfun_status actfun_backward_from_output(const actfun_function* f, actfun_format format, const void* y, const void* g,
                                          void* dx, size_t n) {
  size_t bytes = 0;
  if (const actfun_status status = size_of(format, n, bytes); status != ACTFUN_OK) return status;
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, {y, g}, {dx}, bytes, call, target); status != ACTFUN_OK) return status;
  return attempt([&] { backward_from_output(call, static_cast<Format>(format), y, g, dx, n, *target); });
}

actfun_status actfun_inverse(const actfun_function* f, actfun_format format, const void* y, void* x, size_t n) {
  size_t bytes = 0;
  if (const actfun_status status = size_of(format, n, bytes); status != ACTFUN_OK) return status;
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, {y}, {x}, bytes, call, target); status != ACTFUN_OK) return status;
  return attempt([&] { invert(call, static_cast<Format>(format), y, x, n, *target); });
}

actfun_status actfun_value_and_bits(const actfun_function* f, actfun_format format, const void* x, void* y,
                                    uint8_t* bits, size_t n) {
  size_t bytes = 0;
  if (const actfun_status status = size_of(format, n, bytes); status != ACTFUN_OK) return status;
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, {x}, {y}, bytes, call, target); status != ACTFUN_OK) return status;
  const Buffer packed = buffer(bits, n);
  if (missing(packed)) return ACTFUN_NULL_POINTER;
  if (overlap(packed, {x, bytes}) || overlap(packed, {y, bytes})) return ACTFUN_OVERLAP;
  return attempt([&] { value_and_bits(call, static_cast<Format>(format), x, y, bits, n, *target); });
}

actfun_status actfun_backward_from_bits(const actfun_function* f, actfun_format format, const void* y,
                                        const uint8_t* bits, const void* g, void* dx, size_t n) {
  size_t bytes = 0;
  if (const actfun_status status = size_of(format, n, bytes); status != ACTFUN_OK) return status;
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, {y ? y : g, g}, {dx}, bytes, call, target); status != ACTFUN_OK)
    return status;
  const Buffer packed = buffer(bits, n);
  if (missing(packed)) return ACTFUN_NULL_POINTER;
  if (overlap(packed, {dx, bytes})) return ACTFUN_OVERLAP;
  if (!y && n > 0 && bits_need_output(call)) return ACTFUN_NULL_POINTER;
  return attempt([&] { backward_from_bits(call, static_cast<Format>(format), y, bits, g, dx, n, *target); });
}

actfun_status actfun_can(const actfun_function* f, actfun_ability ability, char* message, size_t size) {
  write_message("", message, size);
  const actfun::Entry* entry = nullptr;
  if (const actfun_status status = check(f, entry); status != ACTFUN_OK) {
    write_message(actfun_status_text(status), message, size);
    return status;
  }
  std::string (*const why[])(const Call&) = {actfun::why_no_backward_from_output, actfun::why_no_inverse,
                                             actfun::why_no_bits};
  if (ability < ACTFUN_CAN_BACKWARD_FROM_OUTPUT || ability > ACTFUN_CAN_BACKWARD_FROM_BITS) return ACTFUN_BAD_FORMAT;
  const std::string reason = why[ability](call_of(f, entry));
  write_message(reason.c_str(), message, size);
  return reason.empty() ? ACTFUN_OK : ACTFUN_NOT_POSSIBLE;
}

}  // extern "C"
