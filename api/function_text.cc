// SPDX-License-Identifier: Apache-2.0
// Functions and numbers in text: `elu:alpha=0.5`, `leaky_relu@keras`.
#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "api/registry.h"
#include "api/text.h"

namespace actfun {
namespace {

template <class T>
bool parse(std::string_view text, T& value) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.front() == '-' || text.front() == '+') return false;
  auto format = std::chars_format::general;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    format = std::chars_format::hex;
    if (text.empty() || text.front() == '-') return false;
  }
  T magnitude = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, format);
  if (end != text.data() + text.size()) return false;
  if (error == std::errc::result_out_of_range) {
    // from_chars leaves the value alone: tell overflow from underflow in a wider type.
    long double wide = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), wide, format).ec != std::errc()) {
      // Beyond long double too: only the exponent's sign can tell.
      const std::size_t mark = text.find_first_of(format == std::chars_format::hex ? "pP" : "eE");
      wide = mark != std::string_view::npos && mark + 1 < text.size() && text[mark + 1] == '-'
                 ? 0
                 : std::numeric_limits<long double>::infinity();
    }
    magnitude = static_cast<T>(wide);
  } else if (error != std::errc()) {
    return false;
  }
  value = negative ? -magnitude : magnitude;
  return true;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

const Entry& find(std::string_view name) {
  std::vector<std::pair<std::size_t, std::string_view>> nearest;
  for (const Entry& entry : functions()) {
    std::vector<std::string_view> names(entry.info->aliases.begin(), entry.info->aliases.end());
    names.push_back(entry.info->name);
    for (const std::string_view known : names) {
      if (known == name) return entry;
      std::size_t distance = edit_distance(known, name);
      if (!name.empty() && (known.starts_with(name) || name.starts_with(known)))
        distance = std::min<std::size_t>(distance, 1);
      nearest.emplace_back(distance, known);
    }
  }
  std::stable_sort(nearest.begin(), nearest.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < 3; ++i) names.push_back(nearest[i].second);
  throw FunctionError("unknown function '" + std::string(name) + "'; the nearest names are " + joined(names));
}

/// `name` or `name@preset`.
Call without_values(std::string_view text) {
  const std::size_t at = text.find('@');
  const Entry& entry = find(text.substr(0, at));
  if (at == std::string_view::npos) {
    Call call{&entry};
    const auto& known = call.info().parameters;
    for (std::size_t i = 0; i < known.size(); ++i) {
      call.parameters[i] = known[i].preset;
      call.rational[i] = !known[i].exact.empty();
    }
    return call;
  }
  const std::string_view wanted = text.substr(at + 1);
  std::vector<std::string_view> names;
  for (const Preset& preset : entry.info->presets) {
    if (preset.name == wanted) return parse_function(preset.call);
    names.push_back(preset.name);
  }
  throw FunctionError(std::string(entry.info->name) + " has no preset '" + std::string(wanted) + "'; it has " +
                      (names.empty() ? "none" : joined(names)));
}

}  // namespace

std::string shortest(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

bool parse_number(std::string_view text, float& value) { return parse(text, value); }
bool parse_number(std::string_view text, double& value) { return parse(text, value); }

Call parse_function(std::string_view text) {
  const std::size_t colon = text.find(':');
  Call call = without_values(text.substr(0, colon));
  if (colon == std::string_view::npos) return call;

  const auto& known = call.info().parameters;
  const std::string name(call.info().name);
  std::vector<std::string_view> names;
  for (const Parameter& parameter : known) names.push_back(parameter.name);
  std::string_view rest = text.substr(colon + 1);
  std::array<std::string_view, kMaxParameters> given{};  // the numbers
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    const std::string_view assignment = rest.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);

    const std::size_t equals = assignment.find('=');
    if (equals == std::string_view::npos)
      throw ParameterError(name + ": '" + std::string(assignment) + "' is not of the form parameter=value");
    const std::string_view parameter = assignment.substr(0, equals), number = assignment.substr(equals + 1);
    const auto at = std::find(names.begin(), names.end(), parameter);
    if (at == names.end())
      throw ParameterError(name + " has no parameter '" + std::string(parameter) + "'; " +
                           (names.empty() ? "it has none" : "it has " + joined(names)));
    const std::size_t i = static_cast<std::size_t>(at - names.begin());
    if (given[i].data()) throw ParameterError(name + ": " + std::string(parameter) + " is given twice");
    double value = 0;
    if (!parse_number(number, value))
      throw ParameterError(name + ": " + std::string(parameter) + "='" + std::string(number) + "' is not a number");
    call.parameters[i] = value;
    call.rational[i] = false;
    given[i] = number;
  }
  // Only now: a bound may be another parameter. Those given come first, as it is they that the caller can change.
  for (const bool by_caller : {true, false})
    for (std::size_t i = 0; i < known.size(); ++i) {
      if ((given[i].data() != nullptr) != by_caller || accepts(call.info(), i, call.parameters.data())) continue;
      std::string value(given[i]), bound;
      if (!by_caller) value = shortest(call.parameters[i]);
      const auto other = std::find(names.begin(), names.end(), known[i].bound());
      if (other != names.end())
        bound = ", where " + std::string(*other) + "=" +
                shortest(call.parameters[static_cast<std::size_t>(other - names.begin())]);
      throw ParameterError(name + ": " + std::string(names[i]) + "=" + value +
                           " is outside its domain: " + std::string(known[i].domain) + bound);
    }
  return call;
}

bool Call::default_parameters() const {
  for (std::size_t i = 0; i < info().parameters.size(); ++i)
    if (parameters[i] != info().parameters[i].preset || rational[i] != !info().parameters[i].exact.empty())
      return false;
  return true;
}

std::string Call::text() const {
  std::string text(info().name);
  char separator = ':';
  for (std::size_t i = 0; i < info().parameters.size(); ++i) {
    if (parameters[i] == info().parameters[i].preset && rational[i] == !info().parameters[i].exact.empty()) continue;
    text += separator + std::string(info().parameters[i].name) + "=" + shortest(parameters[i]);
    separator = ',';
  }
  return text;
}

}  // namespace actfun
