// SPDX-License-Identifier: Apache-2.0
#include "api/kinks.h"

#include <cfenv>

#include "api/expression.h"

namespace actfun {
namespace {

const Convention* convention(const Info& info, Kinks framework) {
  for (const Convention& known : info.conventions)
    if (known.framework == framework) return &known;
  return nullptr;
}

/// Long doubles have a control word of their own on x86, which DefaultFloatEnvironment leaves to the caller.
class LongDoubleEnvironment {
 public:
  LongDoubleEnvironment() {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~LongDoubleEnvironment() { std::fesetenv(&saved_); }
  LongDoubleEnvironment(const LongDoubleEnvironment&) = delete;
  LongDoubleEnvironment& operator=(const LongDoubleEnvironment&) = delete;

 private:
  std::fenv_t saved_;
};

std::string joined(const std::string& names, std::string_view name) {
  return names + (names.empty() ? "" : ", ") + std::string(name);
}

}  // namespace

Kinks find_kinks(std::string_view name) {
  std::string names;
  for (std::size_t i = 0; i < kKinksCount; ++i) {
    if (kKinksNames[i] == name) return static_cast<Kinks>(i);
    names = joined(names, kKinksNames[i]);
  }
  throw KinksError("there is no convention '" + std::string(name) + "' for kinks; there are " + names);
}
Kinks find_kinks(int number) {
  return number >= 0 && number < static_cast<int>(kKinksCount) ? static_cast<Kinks>(number)
                                                               : find_kinks(std::to_string(number));
}

bool Call::knows(Kinks framework) const {
  if (static_cast<std::size_t>(framework) >= kKinksCount) return false;
  return framework == Kinks::actfun || info().kinks.empty() || convention(info(), framework);
}

void Call::choose(Kinks framework) {
  if (!knows(framework)) {
    std::string names(name_of(Kinks::actfun));
    for (const Convention& known : info().conventions) names = joined(names, name_of(known.framework));
    throw KinksError("what " + std::string(name_of(framework)) + " has for the derivative of " +
                     std::string(info().name) + " at its kinks is not known; known are " + names);
  }
  kinks = framework;
}

std::string_view Call::slope_at(std::size_t i) const {
  const Convention* chosen = convention(info(), kinks);
  return chosen ? chosen->slopes[i] : info().kinks[i].slope.at;
}

List<SlopeAt, 2> other_slopes(const Call& call) {
  List<SlopeAt, 2> list;
  if (call.kinks == Kinks::actfun) return list;
  const LongDoubleEnvironment environment;
  const auto& kinks = call.info().kinks;
  for (std::size_t i = 0; i < kinks.size(); ++i) {
    // Where both say the same, kernels are exact even if the kink lies between two numbers.
    if (call.slope_at(i) == kinks[i].slope.at) continue;
    const auto x = evaluate(kinks[i].x, call), slope = evaluate(call.slope_at(i), call);
    if (!x || !slope || static_cast<long double>(static_cast<double>(*x)) != *x) continue;  // no number is there
    list.items[list.count++] = {static_cast<double>(*x), *slope};
  }
  return list;
}

}  // namespace actfun
