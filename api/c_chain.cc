// SPDX-License-Identifier: Apache-2.0
// The C interface to chains. Nothing throws past it.
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "actfun/chain.h"
#include "api/c_checks.h"
#include "api/chain.h"

/// A chain and its texts.
struct actfun_chain {
  actfun::Chain chain;
  std::string text, formula;

  explicit actfun_chain(actfun::Chain made) : chain(std::move(made)) { describe(); }
  void describe() { text = chain.text(), formula = chain.formula(); }
};

namespace {

using namespace actfun::c;

/// Runs `body`; what it throws becomes a status and a message.
template <class Body>
actfun_status guarded(char* message, size_t size, const Body& body) noexcept {
  write_message("", message, size);
  try {
    return body();
  } catch (const actfun::ChainError& error) {
    write_message(error.what(), message, size);
    return error.status;
  } catch (const std::exception&) {
    write_message("memory is lacking", message, size);
    return ACTFUN_BAD_SHAPE;
  }
}

actfun_status null_pointer(char* message, size_t size) {
  write_message("a pointer is NULL", message, size);
  return ACTFUN_NULL_POINTER;
}

/// Calls run(target) if the environment allows it.
template <class Run>
actfun_status in_environment(char* message, size_t size, const Run& run) {
  return guarded(message, size, [&] {
    const actfun::Target* target = nullptr;
    const actfun_status status = environment(target);
    if (status == ACTFUN_OK)
      run(*target);
    else
      write_message(actfun_status_text(status), message, size);
    return status;
  });
}

}  // namespace

extern "C" {

actfun_status actfun_chain_create(const char* text, actfun_chain** made, char* message, size_t size) {
  if (!text || !made) return null_pointer(message, size);
  return guarded(message, size, [&] {
    *made = new actfun_chain(actfun::Chain::parse(text));
    return ACTFUN_OK;
  });
}
actfun_status actfun_chain_copy(const actfun_chain* chain, actfun_chain** made) {
  if (!chain || !made) return ACTFUN_NULL_POINTER;
  return guarded(nullptr, 0, [&] {
    *made = new actfun_chain(*chain);
    return ACTFUN_OK;
  });
}
void actfun_chain_destroy(actfun_chain* chain) { delete chain; }

actfun_status actfun_chain_append(actfun_chain* chain, const char* text, char* message, size_t size) {
  if (!chain || !text) return null_pointer(message, size);
  return guarded(message, size, [&] {
    chain->chain.append(text);
    chain->describe();
    return ACTFUN_OK;
  });
}
actfun_status actfun_chain_then(actfun_chain* chain, const actfun_function* f) {
  if (!chain) return ACTFUN_NULL_POINTER;
  return guarded(nullptr, 0, [&] {
    const actfun::Entry* entry = nullptr;
    if (const actfun_status status = check(f, entry); status != ACTFUN_OK) return status;
    chain->chain.then(call_of(f, entry));
    chain->describe();
    return ACTFUN_OK;
  });
}
actfun_status actfun_chain_set(actfun_chain* chain, actfun_tier tier, uint32_t threads) {
  if (!chain) return ACTFUN_NULL_POINTER;
  if (tier != ACTFUN_EXACT && tier != ACTFUN_FAST) return ACTFUN_BAD_TIER;
  chain->chain.tier = static_cast<actfun::Tier>(tier);
  chain->chain.threads = threads;
  return ACTFUN_OK;
}

size_t actfun_chain_operands(const actfun_chain* chain) { return chain ? chain->chain.operands().size() : 0; }
const char* actfun_chain_operand(const actfun_chain* chain, size_t i) {
  return i < actfun_chain_operands(chain) ? chain->chain.operands()[i].c_str() : nullptr;
}
const char* actfun_chain_text(const actfun_chain* chain) { return chain ? chain->text.c_str() : nullptr; }
const char* actfun_chain_formula(const actfun_chain* chain) { return chain ? chain->formula.c_str() : nullptr; }

actfun_status actfun_chain_run(const actfun_chain* chain, const actfun_array* x, const actfun_array* operands,
                               const actfun_array* y, uint64_t seed, uint8_t* kept, char* message, size_t size) {
  const size_t count = actfun_chain_operands(chain);
  if (!chain || !x || !y || (count > 0 && !operands)) return null_pointer(message, size);
  return in_environment(message, size, [&](const actfun::Target& target) {
    chain->chain.run(*x, {operands, count}, *y, {.seed = seed, .kept = kept}, target);
  });
}

actfun_status actfun_chain_backward(const actfun_chain* chain, const actfun_array* x, const actfun_array* operands,
                                    const actfun_array* dy, uint64_t seed, const actfun_array* dx,
                                    const actfun_array* gradients, char* message, size_t size) {
  const size_t count = actfun_chain_operands(chain);
  if (!chain || !x || !dy || (count > 0 && !operands)) return null_pointer(message, size);
  return in_environment(message, size, [&](const actfun::Target& target) {
    std::vector<actfun_array> wanted(count);
    if (gradients) wanted.assign(gradients, gradients + count);
    chain->chain.backward(*x, {operands, count}, *dy, dx ? *dx : actfun_array{}, wanted, {.seed = seed}, target);
  });
}

}  // extern "C"
