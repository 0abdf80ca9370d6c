// SPDX-License-Identifier: Apache-2.0
// Pictures by gnuplot, which gets its commands and data through a pipe and gives the picture back the same way: no
// file is touched.
#pragma once

#include <string>
#include <string_view>

namespace actfun::tool {

/// What gnuplot draws for `script`. Throws when gnuplot is missing or complains.
std::string gnuplot(std::string_view script);

}  // namespace actfun::tool
