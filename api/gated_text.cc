// SPDX-License-Identifier: Apache-2.0
// Gated units in text: `swiglu`, `clamped_swiglu@te:limit=5`, `mish:limit=10`.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "api/gated.h"

namespace actfun {
namespace {

struct Extra {
  std::string_view name;
  double GatedExtras::*value;
  bool (*accepts)(double);
  std::string_view domain;
};
constexpr bool positive(double value) { return value > 0; }
constexpr Extra kExtras[] = {
    {"limit", &GatedExtras::limit, positive, "> 0"},
    {"step_limit", &GatedExtras::step_limit, positive, "> 0"},
    {"offset", &GatedExtras::offset, [](double value) { return std::isfinite(value); }, "any real"},
    {"beta1", &GatedExtras::beta1, [](double value) { return value >= 0 && std::isfinite(value); },
     ">= 0; 0 means none"},
    {"beta2", &GatedExtras::beta2, [](double value) { return value >= 0 && std::isfinite(value); },
     ">= 0; 0 means none"},
};

const GatedInfo* find_unit(std::string_view name) {
  for (const GatedInfo& unit : kGatedTable)
    if (unit.name == name) return &unit;
  return nullptr;
}

std::string names_of_units() {
  std::string all;
  for (const GatedInfo& unit : kGatedTable) all += (all.empty() ? "" : ", ") + std::string(unit.name);
  return all;
}

GatedLayout layout_of(const GatedInfo& unit, std::string_view preset) {
  std::string known;
  for (const GatedPreset& each : unit.presets) {
    if (each.name == preset) return each.layout;
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  throw FunctionError(std::string(unit.name) + " has no preset '" + std::string(preset) + "'; it has " +
                      (known.empty() ? "none" : known));
}

/// What stands between the commas.
std::vector<std::string_view> split_at_commas(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t comma = text.find(',');
    pieces.push_back(text.substr(0, comma));
    if (comma == text.npos) return pieces;
    text.remove_prefix(comma + 1);
  }
}
/// The assignments of `name:parameter=value,...`.
std::vector<std::string_view> assignments_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon == text.npos ? std::vector<std::string_view>() : split_at_commas(text.substr(colon + 1));
}
std::string_view parameter_of(std::string_view assignment) { return assignment.substr(0, assignment.find('=')); }

/// The gate's text with those that are `given` in the place of its own.
std::string with_parameters(std::string_view gate, const std::vector<std::string_view>& given) {
  std::vector<std::string_view> all = given;
  for (const std::string_view own : assignments_of(gate))
    if (std::ranges::none_of(given, [&](std::string_view each) { return parameter_of(each) == parameter_of(own); }))
      all.push_back(own);
  std::string text(gate.substr(0, gate.find(':')));
  char separator = ':';
  for (const std::string_view each : all) text += std::exchange(separator, ',') + std::string(each);
  return text;
}

std::string shortest(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

}  // namespace

std::span<const GatedInfo> gated_units() { return kGatedTable; }

Gated parse_gated(std::string_view text) {
  const std::string_view head = text.substr(0, text.find(':')), name = head.substr(0, head.find('@'));
  const GatedInfo* unit = find_unit(name);
  Gated gated{};
  std::string_view gate = head;
  if (unit) {
    gate = unit->gate;
    gated.extras = unit->extras;
    gated.layout = head.size() > name.size() ? layout_of(*unit, head.substr(name.size() + 1))
                   : unit->presets.empty()   ? GatedLayout::gate_first
                                             : unit->presets[0].layout;
  }
  std::vector<std::string_view> of_gate;
  bool given[std::size(kExtras)] = {};
  for (const std::string_view assignment : assignments_of(text)) {
    const std::string_view parameter = parameter_of(assignment);
    const auto* extra =
        std::find_if(std::begin(kExtras), std::end(kExtras), [&](const Extra& each) { return each.name == parameter; });
    if (extra == std::end(kExtras)) {
      of_gate.push_back(assignment);
      continue;
    }
    const std::string place = std::string(name) + ": " + std::string(parameter);
    if (std::exchange(given[extra - kExtras], true)) throw ParameterError(place + " is given twice");
    const std::string_view number = assignment.substr(std::min(assignment.size(), parameter.size() + 1));
    double value = 0;
    if (!parse_number(number, value)) throw ParameterError(place + "='" + std::string(number) + "' is not a number");
    if (!extra->accepts(value))
      throw ParameterError(place + "=" + std::string(number) + " is outside its domain: " + std::string(extra->domain));
    gated.extras.*(extra->value) = value;
  }
  try {
    gated.gate = parse_function(with_parameters(gate, of_gate));
  } catch (const ParameterError& error) {
    throw ParameterError(std::string(error.what()) +
                         "; every gated unit has limit, step_limit, offset, beta1 and beta2, too");
  } catch (const FunctionError& error) {
    if (unit) throw;
    throw FunctionError(std::string(error.what()) + "; gated units are " + names_of_units() +
                        ", and every elementwise function as a gate");
  }
  if (!gated.gate.entry->elementwise())
    throw FunctionError(std::string(name) + " works on rows; a gate works on every element");
  return gated;
}

std::string Gated::text() const {
  std::string text = gate.text();
  for (const Extra& extra : kExtras)
    if (const double value = extras.*(extra.value); value != GatedExtras{}.*(extra.value))
      text += (text.find(':') == text.npos ? ':' : ',') + std::string(extra.name) + "=" + shortest(value);
  return text;
}

}  // namespace actfun
