// SPDX-License-Identifier: Apache-2.0
#include "api/c_checks.h"

namespace actfun::c {

actfun_status check(const actfun_function* f, const Entry*& entry) {
  if (!f) return ACTFUN_NULL_POINTER;
  const auto all = functions();
  if (f->id < 0 || static_cast<std::size_t>(f->id) >= all.size()) return ACTFUN_BAD_FUNCTION;
  entry = &all[static_cast<std::size_t>(f->id)];
  if (!entry->elementwise()) return ACTFUN_BAD_FUNCTION;
  const auto& parameters = entry->info->parameters;
  bool presets = true;  // which every function accepts
  for (std::size_t i = 0; i < parameters.size(); ++i) presets &= f->parameters[i] == parameters[i].preset;
  for (std::size_t i = 0; !presets && i < parameters.size(); ++i)
    if (!accepts(*entry, i, f->parameters)) return ACTFUN_BAD_PARAMETER;
  if (f->kinks != ACTFUN_KINKS_ACTFUN && !Call{entry}.knows(static_cast<Kinks>(f->kinks))) return ACTFUN_BAD_KINKS;
  if (f->tier > ACTFUN_FAST) return ACTFUN_BAD_TIER;
  return ACTFUN_OK;
}

void set(Call& call, const actfun_function* f, const Entry* entry) {
  call.entry = entry;
  for (std::size_t i = 0; i < entry->info->parameters.size(); ++i) {
    const Parameter& known = entry->info->parameters[i];
    call.parameters[i] = f->parameters[i];
    call.rational[i] = (f->rational >> i & 1) && !known.exact.empty() && f->parameters[i] == known.preset;
  }
  call.overflow = static_cast<Overflow>(f->overflow);
  call.kinks = static_cast<Kinks>(f->kinks);
  call.tier = static_cast<Tier>(f->tier);
  call.threads = f->threads;
}

actfun_function handle_of(const Call& call) {
  actfun_function handle{};
  handle.id = call.entry->id;
  for (std::size_t i = 0; i < ACTFUN_MAX_PARAMETERS; ++i) {
    handle.parameters[i] = call.parameters[i];
    handle.rational = static_cast<uint8_t>(handle.rational | (call.rational[i] ? 1u << i : 0u));
  }
  return handle;
}

actfun_status check(const actfun_function* f, Buffer in, Buffer out, Call& call, const Target*& target) {
  const Entry* entry = nullptr;
  if (const actfun_status status = check(f, entry); status != ACTFUN_OK) return status;
  if (f->overflow > ACTFUN_OVERFLOW_TO_NAN) return ACTFUN_BAD_FORMAT;
  if (missing(in) || missing(out)) return ACTFUN_NULL_POINTER;
  if (overlap_partly(in, out)) return ACTFUN_OVERLAP;
  if (const actfun_status status = environment(target); status != ACTFUN_OK) return status;
  set(call, f, entry);  // in its place: copies of what was just written byte by byte would wait for it
  return ACTFUN_OK;
}

actfun_status size_of(actfun_format format, std::size_t n, std::size_t& bytes) {
  if (!valid(format)) return ACTFUN_BAD_FORMAT;
  const std::size_t each = info_of(static_cast<Format>(format)).bytes;
  if (n > SIZE_MAX / 2 / each) return ACTFUN_BAD_SHAPE;
  bytes = n * each;
  return ACTFUN_OK;
}

actfun_status check(const actfun_function* f, std::initializer_list<const void*> inputs,
                    std::initializer_list<const void*> outputs, std::size_t bytes, Call& call, const Target*& target) {
  for (const void* const& out : outputs) {
    for (const void* in : inputs)
      if (const actfun_status status = check(f, {in, bytes}, {out, bytes}, call, target); status != ACTFUN_OK)
        return status;
    for (const void* const& other : outputs)
      if (&other != &out && overlap({out, bytes}, {other, bytes})) return ACTFUN_OVERLAP;
  }
  return ACTFUN_OK;
}

}  // namespace actfun::c
