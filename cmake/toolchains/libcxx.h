// SPDX-License-Identifier: Apache-2.0
// What a libc++ as old as that of Debian's emscripten lacks of C++20. Included before everything else.
#pragma once

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>

namespace std {

#if !defined(__cpp_lib_bit_cast)
template <class To, class From>
constexpr To bit_cast(const From& from) noexcept {
  return __builtin_bit_cast(To, from);
}
#endif

#if _LIBCPP_VERSION < 14000
template <class T>
requires(is_floating_point_v<T>) from_chars_result
    from_chars(const char* first, const char* last, T& value, chars_format format = chars_format::general) {
  const string given(first, last);
  if (given.empty() || isspace(static_cast<unsigned char>(given[0])) || given[0] == '+')
    return {first, errc::invalid_argument};
  const size_t sign = given[0] == '-';
  string text = given;
  size_t added = 0;
  if (format == chars_format::hex)
    text.insert(sign, "0x"), added = 2;
  else if (given.size() > sign + 1 && given[sign] == '0' && (given[sign + 1] | 32) == 'x')
    text.resize(sign + 1);  // strtod would go on
  errno = 0;
  char* end;
  const auto read = [&] {
    if constexpr (is_same_v<T, float>)
      return strtof(text.c_str(), &end);
    else if constexpr (is_same_v<T, double>)
      return strtod(text.c_str(), &end);
    else
      return strtold(text.c_str(), &end);
  };
  const T result = read();
  const auto used = static_cast<size_t>(end - text.c_str());
  if (used <= added) return {first, errc::invalid_argument};
  if (errno == ERANGE && (result == 0 || result - result != 0))
    return {first + used - added, errc::result_out_of_range};
  value = result;
  return {first + used - added, errc()};
}

inline to_chars_result to_chars(char* first, char* last, double value) {
  char text[40];
  int length = 0;
  for (int digits = 1; digits <= 17; ++digits) {
    length = snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, nullptr) == value) break;
  }
  if (length > last - first) return {last, errc::value_too_large};
  for (int i = 0; i < length; ++i) first[i] = text[i];
  return {first + length, errc()};
}
#endif

}  // namespace std
