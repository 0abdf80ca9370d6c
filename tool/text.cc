// SPDX-License-Identifier: Apache-2.0
#include "tool/text.h"

#include <fmt/ranges.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
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

std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  return text;
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

double number(std::string_view text, Format format) {
  double value = 0;
  if (format == Format::f32) return static_cast<double>(number(text));
  if (!parse_number(trim(text), value)) fail("'{}' is not a number", text);
  // Narrow formats: a double's rounding could spoil the second one only for a decimal within 2^-53 of a tie.
  return decode(format, encode(format, round_to(format, value), Overflow::saturate));
}

std::string decimal(double value, Format format) {
  if (format == Format::f32) return decimal(static_cast<float>(value));
  if (std::isnan(value)) return "nan";
  if (format == Format::f64) return fmt::format("{}", value);
  for (int digits = 1;; ++digits) {
    const std::string text = fmt::format("{:.{}g}", value, digits);
    if (digits == 17 || round_to(format, std::strtod(text.c_str(), nullptr)) == value) return text;
  }
}
std::string hexadecimal(double value, Format format) {
  if (format != Format::f64) return hexadecimal(static_cast<float>(value));
  return std::isnan(value) ? "nan" : fmt::format("{:a}", value);
}

Format parse_format(std::string_view name) {
  for (std::size_t i = 0; i < kFormatCount; ++i)
    if (kFormats[i].name == name) return static_cast<Format>(i);
  fail("unknown format '{}'; there are {}", name, fmt::join(format_names(), ", "));
}
std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const FormatInfo& info : kFormats) names.emplace_back(info.name);
  return names;
}

}  // namespace actfun::tool
