// SPDX-License-Identifier: Apache-2.0
// The values of the expressions that stand in the records: "-beta/alpha", "2*scale", "max(1, |alpha|)".
#pragma once

#include <optional>
#include <string_view>

#include "api/registry.h"

namespace actfun {

/// `text` with the call's parameters put in, by long doubles; empty when it is prose, or names something else.
std::optional<long double> evaluate(std::string_view text, const Call& call);

}  // namespace actfun
