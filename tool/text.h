// SPDX-License-Identifier: Apache-2.0
// Numbers and messages as text.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

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

/// "f", "f'", "f''".
std::string_view order_name(int order);

std::string_view trim(std::string_view text);

/// `text` with everything replaced that means something to HTML.
std::string escape_html(std::string_view text);

/// `text` with every `from` replaced by `to`.
std::string replace_all(std::string text, std::string_view from, std::string_view to);

}  // namespace actfun::tool
