// SPDX-License-Identifier: Apache-2.0
// What the certificates say about a function, for list, show and the gallery.
#pragma once

#include <string>

#include "api/registry.h"

namespace actfun::tool {

/// Whether a complete certificate exists in which no result is misrounded.
bool certified(const Entry& entry);

/// One line for people on what the certificate says; empty when there is none.
std::string certificate_summary(const Entry& entry);

}  // namespace actfun::tool
