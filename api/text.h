// SPDX-License-Identifier: Apache-2.0
// Numbers as text.
#pragma once

#include <string>

namespace actfun {

/// The shortest decimal text that reads back as the same double.
std::string shortest(double value);

}  // namespace actfun
