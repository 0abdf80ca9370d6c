// SPDX-License-Identifier: Apache-2.0
#include "tool/call.h"

#include <vector>

#include "api/threads.h"

namespace actfun::tool {

void add_kinks_option(CLI::App* verb, std::string& kinks) {
  kinks = name_of(Kinks::actfun);
  const std::vector<std::string> names(std::begin(kKinksNames), std::end(kKinksNames));
  verb->add_option("--kinks", kinks, "Whose derivatives hold at kinks")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
}

void add_tier_option(CLI::App* verb, std::string& tier) {
  tier = "exact";
  verb->add_option("--tier", tier, "Promise on values and slopes in f32: exact (correctly rounded), fast (2 ulp)")
      ->check(CLI::IsMember({"exact", "fast"}));
}
Tier find_tier(std::string_view name) { return name == "fast" ? Tier::fast : Tier::exact; }

void add_threads_option(CLI::App* verb, unsigned& threads, const std::string& what) {
  verb->add_option("--threads", threads,
                   what + "; as many as `actfun targets` says unless given; never changes a result")
      ->check(CLI::Range(1, 1024));
  verb->parse_complete_callback([&threads] {
    if (threads == 0) threads = default_threads();
  });
}

Call parse_call(const std::string& text, const std::string& kinks) {
  Call call = parse_function(text);
  call.choose(find_kinks(kinks));
  return call;
}

}  // namespace actfun::tool
