// SPDX-License-Identifier: Apache-2.0
#include "tool/call.h"

#include <vector>

namespace actfun::tool {

void add_kinks_option(CLI::App* verb, std::string& kinks) {
  kinks = name_of(Kinks::actfun);
  const std::vector<std::string> names(std::begin(kKinksNames), std::end(kKinksNames));
  verb->add_option("--kinks", kinks, "Whose derivatives hold at kinks")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
}

Call parse_call(const std::string& text, const std::string& kinks) {
  Call call = parse_function(text);
  call.choose(find_kinks(kinks));
  return call;
}

}  // namespace actfun::tool
