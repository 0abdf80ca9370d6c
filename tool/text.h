// SPDX-License-Identifier: Apache-2.0
// Numbers and messages as text.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/format.h"

namespace actfun::tool {

/// Stops the verb with a message for the user.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw std::runtime_error(fmt::format(format, std::forward<Args>(args)...));
}

/// The same, for a call of the system that has just set errno.
[[noreturn]] void fail_errno(std::string_view what);

/// The float that `text` spells, rounded once. Spaces around it are skipped. Throws when it is not a number.
float number(std::string_view text);

/// The shortest decimal text that reads back as the same float; every NaN is "nan".
std::string decimal(float value);
/// The same as a C99 hexadecimal float.
std::string hexadecimal(float value);
/// The number that `text` spells, rounded once to a format and held by a double. Spaces around it are skipped.
double number(std::string_view text, Format format);
/// A number of a format as the shortest decimal text that reads back as it, or as a C99 hexadecimal number.
std::string decimal(double value, Format format);
std::string hexadecimal(double value, Format format);
/// "f32", "f16", ...: throws, naming those that exist.
Format parse_format(std::string_view name);
/// All names, for the command line's checks.
std::vector<std::string> format_names();

/// "f", "f'", "f''".
std::string_view order_name(int order);

std::string_view trim(std::string_view text);

/// `text` with what a terminal might obey replaced by '?'.
std::string printable(std::string text);

/// `text` with everything replaced that means something to HTML.
std::string escape_html(std::string_view text);

/// `text` with every `from` replaced by `to`.
std::string replace_all(std::string text, std::string_view from, std::string_view to);

}  // namespace actfun::tool
