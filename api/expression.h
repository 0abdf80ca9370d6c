// SPDX-License-Identifier: Apache-2.0
// The values of the expressions that stand in the records: "-beta/alpha", "2*scale", "max(1, |alpha|)".
#pragma once

#include <optional>
#include <string_view>

#include "api/registry.h"

namespace actfun {

/// `text` with the call's parameters put in, by long doubles, and what the formula defines of them, `s = weight`; empty
/// when it is prose, or names something else.
std::optional<long double> evaluate(std::string_view text, const Call& call);

/// Whether a condition on the call's parameters holds: "always", "alpha*beta != 0", "s >= 0"; false when it is empty.
bool holds(std::string_view condition, const Call& call);

}  // namespace actfun
