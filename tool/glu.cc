// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "api/array.h"
#include "api/gated.h"
#include "tool/call.h"
#include "tool/npy.h"
#include "tool/output.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

struct Options {
  std::string unit, input, value, scale, output, order, kinks, tier, dtype;
  int axis = -1;
  unsigned threads = 0;
  bool list = false, json = false;
};

/// An array in a file, in memory.
class Loaded {
 public:
  Loaded(std::string path, std::optional<Format> dtype) : path_(std::move(path)) {
    const NpyReader reader(path_, dtype);
    header_ = reader.header();
    if (header_.shape.size() > ACTFUN_MAX_RANK)
      fail("{} has {} axes; at most {} are possible", path_, header_.shape.size(), ACTFUN_MAX_RANK);
    array_.format = static_cast<actfun_format>(reader.format());
    array_.rank = static_cast<std::int32_t>(header_.shape.size());
    std::ptrdiff_t stride = 1;
    for (int i = 0; i < array_.rank; ++i) {
      const int axis = header_.fortran_order ? i : array_.rank - 1 - i;
      array_.shape[axis] = header_.shape[static_cast<std::size_t>(axis)];
      array_.strides[axis] = stride;
      stride *= static_cast<std::ptrdiff_t>(array_.shape[axis]);
    }
    numbers_.resize(header_.elements() * info_of(reader.format()).bytes);
    if (!numbers_.empty()) reader.read(numbers_.data(), 0, header_.elements());
    array_.data = numbers_.data();
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;

  const std::string& path() const { return path_; }
  const NpyHeader& header() const { return header_; }
  const actfun_array& array() const { return array_; }
  Format format() const { return static_cast<Format>(array_.format); }

 private:
  std::string path_;
  NpyHeader header_;
  std::vector<unsigned char> numbers_;
  actfun_array array_{};
};

void demand_alike(const Loaded& a, const Loaded& b) {
  if (a.format() != b.format())
    fail("{} holds {}, but {} holds {}", a.path(), info_of(a.format()).name, b.path(), info_of(b.format()).name);
  if (a.header().shape != b.header().shape)
    fail("{} has shape {}, but {} has shape {}", a.path(), a.header().shape_text(), b.path(), b.header().shape_text());
}

GatedLayout find_layout(std::string_view name) {
  return static_cast<GatedLayout>(std::ranges::find(kGatedLayouts, name) - std::begin(kGatedLayouts));
}
std::string_view name_of(GatedLayout layout) { return kGatedLayouts[static_cast<int>(layout)]; }

void list(bool as_json) {
  if (as_json) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const GatedInfo& unit : gated_units()) {
      nlohmann::ordered_json presets = nlohmann::ordered_json::array();
      for (const GatedPreset& preset : unit.presets)
        presets.push_back({{"name", preset.name}, {"order", name_of(preset.layout)}, {"remark", preset.remark}});
      all.push_back({{"name", unit.name},
                     {"gate", unit.gate},
                     {"formula", unit.formula},
                     {"is", parse_gated(unit.name).text()},
                     {"presets", presets},
                     {"paper", unit.paper}});
    }
    return fmt::print("{}\n", all.dump(1));
  }
  constexpr auto row = "{:<15} {:<52} {}\n";
  fmt::print(row, "name", "formula (gate g, value v)", "presets");
  for (const GatedInfo& unit : gated_units()) {
    std::string presets;
    for (const GatedPreset& preset : unit.presets)
      presets += fmt::format("{}{} ({})", presets.empty() ? "" : ", ", preset.name, name_of(preset.layout));
    fmt::print(row, unit.name, unit.formula, presets);
  }
}

void run(const Options& options) {
  Gated unit = parse_gated(options.unit);
  unit.gate.choose(find_kinks(options.kinks));
  unit.gate.tier = find_tier(options.tier);
  unit.gate.threads = options.threads;
  const auto dtype = options.dtype.empty() ? std::nullopt : std::optional(parse_format(options.dtype));
  const Loaded input(options.input, dtype);
  std::optional<Loaded> second, scales;
  actfun_array gate = input.array(), value{};
  NpyHeader header = input.header();
  header.fortran_order = false;
  if (options.value.empty()) {
    const int axis = axis_of(gate, options.axis);
    if (axis < 0) fail("{} has shape {}: there is no axis {}", input.path(), header.shape_text(), options.axis);
    if (gate.shape[axis] % 2 != 0)
      fail("{} has shape {}: axis {} has an odd length, and gate and value are as long", input.path(),
           header.shape_text(), options.axis);
    const auto [g, v] = split(gate, axis, options.order.empty() ? unit.layout : find_layout(options.order));
    gate = g, value = v;
    header.shape[static_cast<std::size_t>(axis)] /= 2;
  } else {
    if (!options.order.empty()) fail("--order says how one array is split; with --value there are two");
    second.emplace(options.value, dtype);
    demand_alike(input, *second);
    value = second->array();
  }
  actfun_array scale{};
  if (!options.scale.empty()) {
    scales.emplace(options.scale, std::nullopt);
    scale = scales->array();
    if (scales->format() != Format::f32 && scales->format() != input.format())
      fail("{} holds {}: a scale is f32 or as its input, {}", options.scale, info_of(scales->format()).name,
           info_of(input.format()).name);
    if (!broadcast(scale, gate))
      fail("{} has shape {}, which is not {} with some axes of length 1", options.scale, scales->header().shape_text(),
           header.shape_text());
  }
  std::vector<unsigned char> results(size_of(gate) * info_of(input.format()).bytes);
  actfun_array y = gate;
  y.data = results.data();
  std::ptrdiff_t stride = 1;
  for (int i = y.rank; i-- > 0; stride *= static_cast<std::ptrdiff_t>(y.shape[i])) y.strides[i] = stride;
  OutputFile out(options.output);
  const std::string start = npy_header_bytes(header);
  out.reserve(start.size() + results.size());
  unit.apply(gate, value, scales ? &scale : nullptr, y, current_target());
  out.write(start.data(), start.size(), 0);
  out.write(results.data(), results.size(), start.size());
  out.commit();
}

}  // namespace

void add_glu(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("glu", "Gated units: h(gate) value, .npy in, .npy out");
  auto options = std::make_shared<Options>();
  options->threads = std::max(1u, std::thread::hardware_concurrency());
  auto* unit = verb->add_option("UNIT", options->unit,
                                "swiglu, glu@te, clamped_swiglu:limit=5, ...; or any function as the gate");
  auto* input = verb->add_option("IN.npy", options->input, "Gate and value, or with --value the gate");
  auto* output = verb->add_option("-o,--output", options->output, "Where the results go; may be an input");
  verb->add_option("--value", options->value, "The value, in a file of its own");
  verb->add_option("--axis", options->axis, "The axis that is split")->capture_default_str();
  verb->add_option("--order", options->order, "How it is split; the preset's order unless given")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kGatedLayouts), std::end(kGatedLayouts))));
  verb->add_option("--scale", options->scale, "A factor for each row: of the result's shape, with axes of length 1");
  add_kinks_option(verb, options->kinks);
  add_tier_option(verb, options->tier);
  verb->add_option("--dtype", options->dtype, "What integers or raw bytes in the files are: bf16, f8e4m3fn, ...")
      ->check(CLI::IsMember(format_names()));
  verb->add_option("--threads", options->threads, "All of the machine unless given; never changes a result")
      ->check(CLI::Range(1, 1024));
  verb->add_flag("--list", options->list, "The units that have names, and whose order of gate and value is which");
  verb->add_flag("--json", options->json, "With --list: as JSON")->needs("--list");
  verb->footer(
      "Every unit has parameters limit, step_limit, offset, beta1 and beta2 besides its gate's: docs/gated.md.\n"
      "Examples:\n  actfun glu swiglu x.npy -o y.npy\n"
      "  actfun glu clamped_swiglu x.npy -o y.npy --order interleaved\n"
      "  actfun glu gelu gate.npy --value value.npy -o y.npy\n  actfun glu --list");
  verb->callback([=] {
    if (options->list) return list(options->json);
    for (const CLI::Option* each : {unit, input, output})
      if (each->empty()) throw CLI::RequiredError(each->get_name());
    run(*options);
  });
}

}  // namespace actfun::tool
