// SPDX-License-Identifier: Apache-2.0
// What the program tells of a function: its record, with the numbers that the library itself computes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "api/registry.h"

namespace actfun::tool {

/// f (order 0), f' (1) or f'' (2) of elementwise functions at one point, as the library computes it.
float evaluate_at(const Call& call, int order, float x);

/// "elementwise, no parameter" and so on.
std::string_view kind_text(Kind kind);

/// The function's parameters with their values: "alpha = 1, beta = 0.5".
std::string parameters_text(const Call& call);

/// The largest |f'|: its extrema, its limits and its one-sided values at kinks, of which the record has them all.
/// Empty when one of them is not known as a number.
std::string lipschitz_default(const Call& call);

/// Everything, as `list --json` and `show --json` print it.
nlohmann::ordered_json record(const Call& call);

/// `text` with its long decimals cut to seven digits.
std::string short_decimals(std::string_view text);

/// The facts for people: (label, text), only those that the function has.
std::vector<std::pair<std::string, std::string>> facts(const Call& call);

}  // namespace actfun::tool
