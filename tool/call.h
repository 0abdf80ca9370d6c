// SPDX-License-Identifier: Apache-2.0
// Functions as the command line names them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "api/registry.h"

namespace actfun::tool {

/// Adds --kinks, whose value parse_call takes.
void add_kinks_option(CLI::App* verb, std::string& kinks);

/// --tier, for results in f32.
void add_tier_option(CLI::App* verb, std::string& tier);
Tier find_tier(std::string_view name);
/// --threads, of a verb that shares out its work itself: `default_threads` unless given, read before the verb's
/// callback.
void add_threads_option(CLI::App* verb, unsigned& threads, const std::string& what = "Threads");
/// The function that `text` names, with the derivatives at kinks that `kinks` names.
Call parse_call(const std::string& text, const std::string& kinks);

}  // namespace actfun::tool
