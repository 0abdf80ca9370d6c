// SPDX-License-Identifier: Apache-2.0
#include "tool/text.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <system_error>

#include "api/registry.h"

namespace actfun::tool {

void fail_errno(std::string_view what) { fail("{}: {}", what, std::generic_category().message(errno)); }

float number(std::string_view text) {
  float value;
  if (!parse_number(trim(text), value)) fail("'{}' is not a number: decimal, 0x1.8p+2, inf and nan are", text);
  return value;
}

std::string decimal(float value) {
  if (std::isnan(value)) return "nan";
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::string hexadecimal(float value) { return std::isnan(value) ? "nan" : fmt::format("{:a}", value); }

std::string_view order_name(int order) {
  static constexpr std::string_view names[] = {"f", "f'", "f''"};
  return names[order];
}

std::string_view trim(std::string_view text) {
  static constexpr std::string_view space = " \t\r";
  const std::size_t first = text.find_first_not_of(space);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

}  // namespace actfun::tool
