// SPDX-License-Identifier: Apache-2.0
#include "tool/health_state.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "tool/call.h"
#include "tool/output.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

using namespace health;
using Json = nlohmann::ordered_json;

constexpr std::string_view kCountNames[] = {
    "zero",         "saturated",     "inactive",      "nan",           "plus_inf",       "minus_inf",      "subnormal",
    "f16_overflow", "f16_subnormal", "f16_underflow", "bf16_overflow", "bf16_subnormal", "bf16_underflow", "lost"};
static_assert(std::size(kCountNames) == replaced, "`replaced` is of no use once a part is counted");
constexpr std::string_view kSumNames[] = {"x", "x^2", "f", "f^2", "f'^2"};
static_assert(std::size(kSumNames) == kSums);

constexpr int kVersion = 1;

/// Digits in base 2^32, the highest first, of a number in units of 2^-320, as hexadecimal text.
std::string text_of(const ExactSum& sum) {
  const auto digits = sum.digits();
  std::string text = fmt::format("{}", digits.back());
  for (std::size_t i = digits.size() - 1; i-- > 0;) text += fmt::format("_{:x}", digits[i]);
  while (text.ends_with("_0")) text.resize(text.size() - 2);
  return text;
}
ExactSum exact_sum(const std::string& text) {
  std::array<std::int64_t, ExactSum::kDigits> digits{};
  std::istringstream parts(text);
  std::string part;
  for (std::size_t i = 0; std::getline(parts, part, '_'); ++i) {
    if (i == digits.size()) fail("'{}' is no sum: it is too long", printable(text));
    std::size_t used = 0;
    try {
      digits[digits.size() - 1 - i] = std::stoll(part, &used, i == 0 ? 10 : 16);
    } catch (const std::exception&) {
      used = std::string::npos;
    }
    const std::int64_t digit = digits[digits.size() - 1 - i];
    if (used != part.size() || std::abs(digit) > std::int64_t{1} << 32) fail("'{}' is no sum", printable(text));
  }
  return ExactSum::from_digits(digits);
}

/// Row `kind` of the channels' counts.
template <class T>
std::vector<T> row(const std::vector<T>& all, std::size_t kind, std::size_t channels) {
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(kind * channels);
  return {first, first + static_cast<std::ptrdiff_t>(channels)};
}
template <class T>
void append(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}
bool all_zero(const std::vector<std::uint64_t>& list) {
  return std::ranges::all_of(list, [](std::uint64_t n) { return n == 0; });
}

Json layer_json(const Patient& patient) {
  const Layer& layer = *patient.layer;
  const Plan& plan = *patient.plan;
  const Layer::State& state = layer.state();
  Json json{{"name", patient.name}, {"format", info_of(plan.format).name}, {"batches", patient.batches}};
  json["function"] = plan.call ? Json(plan.call->text()) : Json();
  if (plan.call) {
    json["kinks"] = actfun::name_of(plan.call->kinks);
    json["tolerance"] = plan.tolerance;
  }
  json["exact"] = layer.exact();
  json["channels"] = layer.channels();
  json["elements"] = state.elements;
  json["largest"] = state.largest;
  Json& counts = json["counts"] = Json::object();
  for (std::size_t i = 0; i < replaced; ++i)
    if (const auto list = row(state.counts, i, layer.channels()); !all_zero(list)) counts[kCountNames[i]] = list;
  Json& bins = json["bins"] = Json::object();
  for (std::size_t i = 0; i < kBins; ++i)
    if (const auto list = row(state.bins, i, layer.channels()); !all_zero(list)) bins[fmt::format("{}", i)] = list;
  Json& sums = json["sums"] = Json::object();
  for (std::size_t i = 0; i < (plan.call ? kSums : sum_f); ++i)
    for (const ExactSum& sum : row(state.sums, i, layer.channels())) sums[kSumNames[i]].push_back(text_of(sum));
  return json;
}

/// A list of one number a channel; zeros where there is none.
std::vector<std::uint64_t> counts_of(const Json& object, const std::string& key, std::size_t channels) {
  if (!object.contains(key)) return std::vector<std::uint64_t>(channels);
  std::vector<std::uint64_t> list;
  for (const Json& item : object.at(key)) {
    if (!item.is_number_unsigned()) fail("'{}' holds {}, no count", key, item.dump());
    list.push_back(item.get<std::uint64_t>());
  }
  if (list.size() != channels) fail("'{}' has {} numbers for {} channels", key, list.size(), channels);
  return list;
}

Patient patient_of(const Json& json) {
  Patient patient;
  patient.name = json.at("name").get<std::string>();
  patient.batches = json.at("batches").get<std::uint64_t>();
  const Format format = parse_format(json.at("format").get<std::string>());
  const bool exact = json.at("exact").get<bool>();
  if (json.at("function").is_null()) {
    patient.plan = std::make_unique<Plan>(format, exact);
  } else {
    const Call call = parse_call(json.at("function").get<std::string>(), json.at("kinks").get<std::string>());
    if (!call.entry->elementwise()) fail("{} works on rows", call.text());
    patient.plan = std::make_unique<Plan>(call, format, json.at("tolerance").get<float>(), exact);
  }
  const auto channels = json.at("channels").get<std::size_t>();
  patient.layer = std::make_unique<Layer>(*patient.plan, channels);
  Layer::State state;
  state.elements = counts_of(json, "elements", channels);
  state.largest = json.at("largest").get<std::vector<float>>();
  for (const std::string_view name : kCountNames)
    append(state.counts, counts_of(json.at("counts"), std::string(name), channels));
  state.counts.resize(kCounts * channels);
  for (std::size_t i = 0; i < kBins; ++i)
    append(state.bins, counts_of(json.at("bins"), fmt::format("{}", i), channels));
  for (std::size_t i = 0; i < (patient.plan->call ? kSums : sum_f); ++i) {
    const Json& list = json.at("sums").at(kSumNames[i]);
    if (list.size() != channels) fail("'{}' has {} sums for {} channels", kSumNames[i], list.size(), channels);
    for (const Json& text : list) state.sums.push_back(exact_sum(text.get<std::string>()));
  }
  state.sums.resize(kSums * channels);
  patient.layer->restore(std::move(state));
  return patient;
}

}  // namespace

std::string_view name_of(Count count) { return kCountNames[count]; }

Patient* Patients::find(const std::string& name) {
  const auto found = std::ranges::find(list_, name, &Patient::name);
  return found == list_.end() ? nullptr : &*found;
}

void Patients::merge(Patients others) {
  for (Patient& other : others.list()) {
    Patient* const mine = find(other.name);
    if (!mine) {
      add(std::move(other));
      continue;
    }
    try {
      mine->layer->merge(*other.layer);
    } catch (const std::invalid_argument& error) {
      fail("layer '{}' cannot be merged: {}", other.name, error.what());
    }
    mine->batches += other.batches;
  }
}

Json to_json(const Patients& patients) {
  Json json{{"actfun_health_state", kVersion}, {"layers", Json::array()}};
  for (const Patient& patient : patients.list()) json["layers"].push_back(layer_json(patient));
  return json;
}

Patients read_state(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail_errno("cannot read " + path);
  std::stringstream text;
  text << file.rdbuf();
  try {
    const Json json = Json::parse(text.str());
    if (!json.is_object() || !json.contains("actfun_health_state")) fail("not a state of actfun health");
    if (json["actfun_health_state"] != kVersion)
      fail("its version is {}; this program knows {}", json["actfun_health_state"].dump(), kVersion);
    Patients patients;
    for (const Json& layer : json.at("layers")) {
      Patient patient = patient_of(layer);
      if (patients.find(patient.name)) fail("it has the layer '{}' twice", printable(patient.name));
      patients.add(std::move(patient));
    }
    return patients;
  } catch (const nlohmann::json::parse_error&) {
    fail("cannot read {}: not a state of actfun health: no JSON", path);
  } catch (const nlohmann::json::exception& error) {
    fail("cannot read {}: not a state of actfun health: {}", path, printable(error.what()));
  } catch (const std::exception& error) {
    fail("cannot read {}: {}", path, error.what());
  }
}

void write_state(const Patients& patients, const std::string& path) {
  const std::string text = to_json(patients).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  OutputFile file(path);
  file.write(text.data(), text.size(), 0);
  file.commit();
}

}  // namespace actfun::tool
