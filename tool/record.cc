// SPDX-License-Identifier: Apache-2.0
#include "tool/record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>

#include "api/expression.h"
#include "tool/certified.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

using Json = nlohmann::ordered_json;

/// As the records write limits: "0", "-0", "1.0", "inf", "nan".
std::string limit_text(float value) {
  std::string text = decimal(value);
  const bool integer = text.find_first_not_of("-0123456789") == text.npos;
  return integer && value != 0 ? text + ".0" : text;
}

/// To 18 digits: enough for tables, and certain in a long double.
std::string long_text(long double value) { return fmt::format("{:.18g}", value); }

const Limits& limits(const Info& info, int order) {
  const Limits* all[] = {&info.limits, &info.derivative_limits, &info.second_derivative_limits};
  return *all[order];
}

Json limits_text(const Call& call, int order) {
  return {{"-inf", limits(call.info(), order).lower}, {"+inf", limits(call.info(), order).upper}};
}
Json limits_json(const Call& call, int order) {
  Json json = {{"-inf", limit_text(evaluate_at(call, order, -kInfinity))},
               {"+inf", limit_text(evaluate_at(call, order, kInfinity))}};
  if (order == 0) json["text"] = limits_text(call, 0);
  return json;
}

template <class Texts>
Json texts_json(const Texts& texts) {
  Json json = Json::array();
  for (const auto& text : texts) json.push_back(text);
  return json;
}

Json kinks_json(const Call& call) {
  Json json = Json::array();
  for (const Kink& kink : call.info().kinks) {
    const auto x = evaluate(kink.x, call);
    json.push_back({{"x", kink.x},
                    {"x_default", x ? long_text(*x) : std::string(kink.x)},
                    {"order", kink.order},
                    {"derivative_at", call.slope_at(json.size())},
                    {"left", kink.slope.left},
                    {"right", kink.slope.right},
                    {"second_at", kink.curvature.at},
                    {"second_left", kink.curvature.left},
                    {"second_right", kink.curvature.right}});
  }
  return json;
}

Json conventions_json(const Info& info) {
  Json json = Json::array();
  for (const Convention& known : info.conventions)
    json.push_back({{"framework", name_of(known.framework)},
                    {"slopes", texts_json(known.slopes)},
                    {"evidence", known.evidence},
                    {"remark", known.remark}});
  return json;
}

Json presets_json(const Info& info) {
  Json json = Json::array();
  for (const Preset& preset : info.presets)
    json.push_back(
        {{"name", preset.name}, {"call", preset.call}, {"evidence", preset.evidence}, {"remark", preset.remark}});
  return json;
}

Json extrema_json(const Info& info) {
  Json json = Json::array();
  for (const Extremum& extremum : info.extrema)
    json.push_back(
        {{"of", order_name(extremum.order)}, {"x", extremum.x}, {"value", extremum.value}, {"type", extremum.type}});
  return json;
}

Json from_output_json(const FromOutput& f) {
  if (f.formula.empty()) return {{"possible", false}, {"formula", nullptr}, {"reason", f.reason}};
  Json json = {{"possible", true},
               {"formula", f.formula},
               {"condition", f.condition},
               {"loses_accuracy_where_saturated", f.loses_accuracy}};
  if (!f.note.empty()) json["note"] = f.note;
  return json;
}
Json inverse_json(const Inverse& f) {
  if (f.condition.empty()) return {{"possible", false}, {"reason", f.reason}};
  return {{"possible", true}, {"condition", f.condition}};
}

Json parameters_json(const Call& call) {
  Json json = Json::array();
  const auto& parameters = call.info().parameters;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    json.push_back({{"name", parameters[i].name},
                    {"default", parameters[i].preset},
                    {"domain", parameters[i].domain},
                    {"learnable", parameters[i].learnable}});
    if (!parameters[i].exact.empty()) json.back()["default_exact"] = parameters[i].exact;
    if (!call.preset()) json.back()["value"] = call.parameters[i];
  }
  return json;
}

/// " (evidence; remark)", of what is there.
std::string in_brackets(std::string_view evidence, std::string_view remark) {
  std::vector<std::string_view> texts;
  for (const std::string_view text : {evidence, remark})
    if (!text.empty()) texts.push_back(text);
  return texts.empty() ? "" : fmt::format(" ({})", fmt::join(texts, "; "));
}

/// "text if condition", or why there is none.
std::string possible_fact(std::string_view text, std::string_view condition, std::string_view reason) {
  if (condition.empty()) return fmt::format("none: {}", reason);
  return condition == "always" ? std::string(text) : fmt::format("{} if {}", text, condition);
}

std::string limits_fact(const Call& call, int order) {
  const auto side = [&](std::string_view text, float x) {
    const std::string value = decimal(evaluate_at(call, order, x));
    return text == value ? value : fmt::format("{} = {}", text, value);
  };
  const Limits& text = limits(call.info(), order);
  return fmt::format("{} at -inf, {} at +inf", side(text.lower, -kInfinity), side(text.upper, kInfinity));
}

std::string kink_fact(const Call& call, std::size_t i) {
  const Kink& kink = call.info().kinks[i];
  static constexpr std::string_view jumps[] = {"f jumps", "f' jumps", "f'' jumps"};
  OneSided shown = kink.order == 2 ? kink.curvature : kink.slope;
  if (kink.order < 2) shown.at = call.slope_at(i);
  return fmt::format("x = {}: {}; {} is {} there, {} on the left, {} on the right", kink.x, jumps[kink.order],
                     order_name(kink.order == 2 ? 2 : 1), shown.at, shown.left, shown.right);
}

}  // namespace

float evaluate_at(const Call& call, int order, float x) {
  float y;
  call.evaluate(static_cast<Order>(order), &x, &y, 1);
  return y;
}

std::string_view kind_text(Kind kind) {
  switch (kind) {
    case Kind::unary:
      return "elementwise, no parameter";
    case Kind::parametric:
      return "elementwise, constant parameters";
    case Kind::learnable:
      return "elementwise, learnable parameters";
    case Kind::randomized:
      return "elementwise, parameters random in training";
    case Kind::axis:
      return "on rows along an axis";
  }
  return "";
}

std::string parameters_text(const Call& call) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < call.info().parameters.size(); ++i)
    texts.push_back(fmt::format("{} = {}", call.info().parameters[i].name, call.parameters[i]));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string lipschitz_default(const Call& call) {
  const Info& info = call.info();
  long double largest =
      std::fmax(std::fabs(evaluate_at(call, 1, -kInfinity)), std::fabs(evaluate_at(call, 1, kInfinity)));
  std::vector<std::string_view> slopes;
  for (const Extremum& extremum : info.extrema)
    if (extremum.order == 1) slopes.push_back(extremum.value);
  for (const Kink& kink : info.kinks) {
    if (kink.order == 0) return "inf";  // f jumps
    slopes.insert(slopes.end(), {kink.slope.at, kink.slope.left, kink.slope.right});
  }
  for (const std::string_view slope : slopes) {
    const auto value = evaluate(slope, call);
    if (!value) return "";
    largest = std::fmax(largest, std::fabs(*value));
  }
  return long_text(largest);
}

Json record(const Call& call) {
  const Info& info = call.info();
  Json json = {{"name", info.name},
               {"aliases", texts_json(info.aliases)},
               {"known_as", texts_json(info.known_as)},
               {"family", info.family},
               {"kind", std::string(1, static_cast<char>(info.kind))},
               {"parameters", parameters_json(call)},
               {"formula", info.formula}};
  if (call.entry->elementwise()) {
    json["derivative"] = info.derivative;
    json["second_derivative"] = info.second_derivative;
    json["kinks"] = kinks_json(call);
    json["conventions"] = conventions_json(info);
    json["limits"] = limits_json(call, 0);
    json["derivative_limits"] = limits_json(call, 1);
    json["second_derivative_limits"] = limits_json(call, 2);
    json["derivative_limits_text"] = limits_text(call, 1);
    json["second_derivative_limits_text"] = limits_text(call, 2);
  }
  json["range"] = info.range;
  if (call.entry->elementwise()) {
    json["monotone"] = info.monotone;
    json["symmetry"] = info.symmetry;
    json["lipschitz"] = {{"expression", info.lipschitz}, {"default", lipschitz_default(call)}};
    json["roots"] = texts_json(info.roots);
    json["extrema"] = extrema_json(info);
    json["from_output"] = from_output_json(info.from_output);
    json["inverse"] = inverse_json(info.inverse);
  }
  json["presets"] = presets_json(info);
  json["paper"] = info.paper.empty() ? Json() : Json(info.paper);
  if (!info.note.empty()) json["note"] = info.note;
  json["certified"] = certified(*call.entry);
  return json;
}

std::string short_decimals(std::string_view text) {
  constexpr std::size_t kPlaces = 9;
  std::string cut;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789.", i), text.size());
    const bool is_long = end - i > kPlaces + 2 && text.substr(i, end - i).find('.') != text.npos;
    cut += is_long ? fmt::format("{:.{}g}", std::stold(std::string(text.substr(i, end - i))), kPlaces)
                   : text.substr(i, end - i);
    for (i = end; i < text.size() && text.find_first_of("0123456789.", i) != i; ++i) cut += text[i];
  }
  return cut;
}

std::vector<std::pair<std::string, std::string>> facts(const Call& call) {
  const Info& info = call.info();
  std::vector<std::pair<std::string, std::string>> list;
  const auto add = [&](std::string label, std::string text) {
    if (!text.empty()) list.emplace_back(std::move(label), std::move(text));
  };
  add("family", std::string(info.family));
  add("kind", std::string(kind_text(info.kind)));
  add("parameters", parameters_text(call));
  for (std::size_t i = 0; i < info.parameters.size(); ++i)
    add(fmt::format("  {}", info.parameters[i].name),
        fmt::format("default {}, domain {}", info.parameters[i].preset, info.parameters[i].domain));
  add("range", short_decimals(info.range));
  if (call.entry->elementwise())
    for (int order = 0; order < 3; ++order)
      add(fmt::format("limits of {}", order_name(order)), limits_fact(call, order));
  add("monotone", std::string(info.monotone));
  add("symmetry", std::string(info.symmetry));
  if (!info.lipschitz.empty()) {
    const std::string value = lipschitz_default(call);
    const bool same = value.empty() || value == info.lipschitz;
    add("Lipschitz",
        same ? std::string(info.lipschitz) : fmt::format("{} = {}", info.lipschitz, short_decimals(value)));
  }
  add("roots", fmt::format("{}", fmt::join(info.roots.begin(), info.roots.end(), ", ")));
  for (std::size_t i = 0; i < info.kinks.size(); ++i) add("kink", kink_fact(call, i));
  for (const Convention& known : info.conventions)
    add("f' at kinks", fmt::format("{} by {}{}", fmt::join(known.slopes.begin(), known.slopes.end(), ", "),
                                   name_of(known.framework), in_brackets(known.evidence, known.remark)));
  for (const Extremum& extremum : info.extrema)
    add(fmt::format("{} of {}", extremum.type, order_name(extremum.order)),
        fmt::format("{} at x = {}", short_decimals(extremum.value), short_decimals(extremum.x)));
  if (call.entry->elementwise()) {
    const FromOutput& f = info.from_output;
    const std::string formula = f.condition == "always" ? std::string(f.formula) : fmt::format("({})", f.formula);
    add("f' from y=f(x)", possible_fact(formula, f.condition, f.reason));
    add("inverse", possible_fact("strictly monotone", info.inverse.condition, info.inverse.reason));
  }
  add("aliases", fmt::format("{}", fmt::join(info.aliases.begin(), info.aliases.end(), ", ")));
  add("known as", fmt::format("{}", fmt::join(info.known_as.begin(), info.known_as.end(), ", ")));
  for (const Preset& preset : info.presets)
    add("preset",
        fmt::format("{}@{} is {}{}", info.name, preset.name, preset.call, in_brackets(preset.evidence, preset.remark)));
  add("paper", std::string(info.paper));
  add("note", std::string(info.note));
  return list;
}

}  // namespace actfun::tool
