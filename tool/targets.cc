// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include "api/registry.h"
#include "api/threads.h"
#include "tool/verbs.h"

namespace actfun::tool {

void add_targets(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("targets", "Instruction sets: compiled, supported, in use; threads");
  verb->footer(
      "The environment variable ACTFUN_TARGET forces one; ACTFUN_NUM_THREADS says how many threads work on an array.\n"
      "Examples:\n  actfun targets\n  ACTFUN_TARGET=AVX2 actfun targets");
  verb->callback([] {
    const Target& current = current_target();
    const unsigned threads = default_threads();
    fmt::print("{:<8} {:<9} {:<6}  {}\n", "name", "supported", "in use", "what it is");
    for (const Target& target : compiled_targets())
      fmt::print("{:<8} {:<9} {:<6}  {}\n", target.name, supported(target) ? "yes" : "no",
                 target.bit == current.bit ? "yes" : "", target.description);
    fmt::print("threads: {} by {}\n", threads, threading());
  });
}

}  // namespace actfun::tool
