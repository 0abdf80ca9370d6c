// SPDX-License-Identifier: Apache-2.0
// The error of the library's own results, in units in the last place, over the whole range of exponents. Where it is
// largest is searched for with doubles or, for f64, 256 bits; what is told of it is measured with 256 bits.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "api/inverse.h"
#include "tool/output.h"
#include "tool/picture.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

using Json = nlohmann::ordered_json;

/// What f' is computed from: x, or for backward passes f(x) alone, or f(x) and a bit.
enum class From { input, output, bits };

/// What is measured.
struct Subject {
  Call call;
  int order;
  From from;
};

struct Options {
  std::string function, output, from = "input";
  std::vector<std::string> dtypes = {"f32"};
  int order = 0;
  unsigned inputs = 256;
  bool json = false;
};

/// f64 has 2098 binades, of which eight in a row differ little: a row of the table.
constexpr int group_of(Format format) { return format == Format::f64 ? 8 : 1; }
/// 256 bits are slow.
unsigned each_binade(Format format, unsigned count) { return format == Format::f64 ? std::max(1u, count / 64) : count; }
constexpr bool complete(Format format) { return info_of(format).bytes < 4; }

struct Worst {
  double error = 0, x = 0, result = 0;
  bool any = false;
  void take(double e, double at, double y) {
    if (any && !(std::fabs(e) > std::fabs(error) || (std::isnan(e) && !std::isnan(error)))) return;
    *this = {e, at, y, true};
  }
};

/// Inputs of 2^exponent <= |x| < 2^(exponent + group), of both signs.
struct Binade {
  int exponent;
  Worst negative, positive;
};

struct Table {
  Format format;
  std::uint64_t inputs = 0;
  std::vector<Worst> special;
  std::vector<Binade> binades;
  Worst worst;
  Worst absolute;  ///< by the difference to the truth, where that is needed: not for f64 from x
};

/// The inputs of one binade: all, or so many, a random one from each of as many equal parts.
std::vector<double> inputs_of(Format format, int exponent, unsigned count) {
  const FormatInfo& in = info_of(format);
  const int bits = std::min(in.precision - 1, exponent - (in.least_exponent - in.precision + 1));
  const std::uint64_t all = std::uint64_t{1} << bits, n = complete(format) ? all : std::min<std::uint64_t>(all, count);
  std::vector<double> x;
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto part = static_cast<double>(all) / static_cast<double>(n);
    const double random =
        static_cast<double>((i + 1 + 1000u * static_cast<unsigned>(exponent + 2000)) * 2654435761u % 65536) / 65536;
    const double fraction = n == all ? static_cast<double>(i) : std::floor((static_cast<double>(i) + random) * part);
    const double value = std::ldexp(static_cast<double>(all) + fraction, exponent - bits);
    if (value <= in.largest) x.push_back(value);
  }
  return x;
}

/// f' of the numbers in `data`, from what a backward pass may have kept of them.
void slopes(const Subject& of, Format format, std::uint8_t* data, std::size_t n) {
  const Target& target = current_target();
  if (of.from == From::output) {
    of.call.apply(Order::value, format, data, data, n, target);
    return backward_from_output(of.call, format, data, nullptr, data, n, target);
  }
  std::vector<std::uint8_t> bits((n + 7) / 8), ones(n * info_of(format).bytes);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t one = encode(format, 1, Overflow::saturate);
    std::memcpy(&ones[i * info_of(format).bytes], &one, info_of(format).bytes);  // little-endian
  }
  value_and_bits(of.call, format, data, data, bits.data(), n, target);
  backward_from_bits(of.call, format, data, bits.data(), ones.data(), data, n, target);
}

std::vector<double> results(const Subject& of, Format format, const std::vector<double>& x) {
  const std::size_t bytes = info_of(format).bytes;
  std::vector<std::uint8_t> data(bytes * x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint64_t code = encode(format, x[i], Overflow::saturate);
    std::memcpy(&data[i * bytes], &code, bytes);  // little-endian
  }
  if (of.from == From::input)
    of.call.apply(static_cast<Order>(of.order), format, data.data(), data.data(), x.size(), current_target());
  else
    slopes(of, format, data.data(), x.size());
  std::vector<double> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::uint64_t code = 0;
    std::memcpy(&code, &data[i * bytes], bytes);
    y[i] = decode(format, code);
  }
  return y;
}

/// What the error is about, from the correctly rounded double: good to 2^-29 ULP in formats with fewer bits.
double estimate(const FormatInfo& format, double truth, double result) {
  const int exponent = truth == 0 ? format.least_exponent : std::max(std::ilogb(truth), format.least_exponent);
  return std::ldexp(result - truth, format.precision - 1 - exponent);
}

/// The worst of one binade and sign, and the largest difference to the truth in `absolute`.
Worst worst_of(const Subject& of, Format format, const std::vector<double>& x, Worst& absolute) {
  const FormatInfo& in = info_of(format);
  const Order order = static_cast<Order>(of.order);
  const std::vector<double> y = results(of, format, x);
  // Where results vanish or overflow the truth needs 256 bits, which is slow, and errors fall: a few say it.
  constexpr int kExtremes = 2;
  int extremes = 0;
  std::vector<double> usual;
  std::vector<std::size_t> which;
  Worst worst;
  const auto measure = [&](std::size_t i) { worst.take(of.call.error_in_ulp(order, format, x[i], y[i]), x[i], y[i]); };
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool vanishes = y[i] == 0 && of.from == From::input;
    const bool extreme = vanishes || !(std::fabs(y[i]) < in.largest);
    if (extreme ? extremes < kExtremes : format == Format::f64 && of.from == From::input)
      measure(i);
    else if (!extreme)
      usual.push_back(x[i]), which.push_back(i);
    extremes += extreme;
  }
  if (usual.empty()) return worst;
  std::vector<double> truth(usual.size());
  of.call.apply(order, Format::f64, usual.data(), truth.data(), usual.size(), current_target());
  std::size_t best = 0;
  double most = -1;
  for (std::size_t k = 0; k < usual.size(); ++k) {
    absolute.take(y[which[k]] - truth[k], usual[k], y[which[k]]);
    const double error = std::fabs(estimate(in, truth[k], y[which[k]]));
    if (!(error <= most)) best = k, most = error;
  }
  measure(which[best]);
  return worst;
}

/// Numbers ever nearer to where f turns, of 2^exponent <= x < 2^(exponent + 1), without sign: what f(x) and a bit tell
/// of x is least there.
std::vector<double> near_turns(const Info& info, Format format, int exponent) {
  constexpr int kParts = 32;
  std::vector<double> x;
  for (const Extremum& extremum : info.extrema) {
    double turn = 0;
    if (extremum.order != 0 || !parse_number(extremum.x, turn) || turn == 0 || std::ilogb(turn) != exponent) continue;
    for (int place = 2; place < info_of(format).precision; ++place)
      for (int part = -kParts; part <= kParts; ++part) {
        const double near = round_to(format, std::fabs(turn) + std::ldexp(1.0 * part / kParts, exponent - place));
        if (std::ilogb(near) == exponent) x.push_back(near);
      }
  }
  return x;
}

Table table(const Subject& of, Format format, unsigned count) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const FormatInfo& in = info_of(format);
  Table made{.format = format, .inputs = 0, .special = {}, .binades = {}, .worst = {}, .absolute = {}};
  std::vector<double> special = {0.0, -0.0};
  if (in.infinite) special.insert(special.end(), {kInfinity, -kInfinity});
  const std::vector<double> y = results(of, format, special);
  for (std::size_t i = 0; i < special.size(); ++i) {
    const double error = of.call.error_in_ulp(static_cast<Order>(of.order), format, special[i], y[i]);
    made.special.push_back({error, special[i], y[i], true});
    made.worst.take(error, special[i], y[i]);
  }
  made.inputs = special.size();
  const int group = group_of(format), least = in.least_exponent - in.precision + 1;
  for (int start = least; start <= std::ilogb(in.largest); start += group) {
    std::vector<double> x;
    const unsigned each = each_binade(format, count);
    for (int e = start; e < start + group && e <= std::ilogb(in.largest); ++e) {
      const std::vector<double> more = inputs_of(format, e, each);
      x.insert(x.end(), more.begin(), more.end());
      if (of.from != From::bits || complete(format)) continue;
      const std::vector<double> near = near_turns(of.call.info(), format, e);
      x.insert(x.end(), near.begin(), near.end());
    }
    Binade binade{start, {}, {}};
    binade.positive = worst_of(of, format, x, made.absolute);
    for (double& value : x) value = -value;
    binade.negative = worst_of(of, format, x, made.absolute);
    made.inputs += 2 * x.size();
    for (const Worst* worst : {&binade.negative, &binade.positive})
      made.worst.take(worst->error, worst->x, worst->result);
    made.binades.push_back(binade);
  }
  return made;
}

std::string number_text(double value) { return std::isnan(value) ? "nan" : fmt::format("{:.9g}", value); }
std::string error_text(double error) { return fmt::format("{:.4f}", error == 0 ? 0.0 : error); }

Json json_of(const Worst& worst) {
  return {{"error", error_text(worst.error)}, {"x", number_text(worst.x)}, {"result", number_text(worst.result)}};
}
Json json_of(const Table& made, unsigned count) {
  Json json = {{"dtype", info_of(made.format).name},
               {"complete", complete(made.format)},
               {"inputs", made.inputs},
               {"inputs_a_binade", nullptr},
               {"binades_a_row", group_of(made.format)},
               {"worst", json_of(made.worst)},
               {"absolute", {{"error", number_text(made.absolute.error)}, {"x", number_text(made.absolute.x)}}},
               {"special", Json::array()},
               {"rows", Json::array()}};
  if (!complete(made.format)) json["inputs_a_binade"] = each_binade(made.format, count);
  for (const Worst& special : made.special) json["special"].push_back(json_of(special));
  for (const Binade& binade : made.binades)
    json["rows"].push_back({{"exponent", binade.exponent},
                            {"negative", json_of(binade.negative)},
                            {"positive", json_of(binade.positive)}});
  return json;
}

/// Rows of the table for people: no more than this.
constexpr std::size_t kRows = 40;

void print(const Subject& of, const Table& made, unsigned count) {
  const FormatInfo& in = info_of(made.format);
  constexpr std::string_view from[] = {"", " from f(x)", " from f(x) and one bit"};
  fmt::print("{} of {}{} in {}: {} inputs, ", order_name(of.order), of.call.text(), from[static_cast<int>(of.from)],
             in.name, made.inputs);
  if (complete(made.format))
    fmt::print("all there are\n");
  else
    fmt::print("{} a binade\n", each_binade(made.format, count));
  fmt::print("worst error {} ULP at x = {}\n", error_text(made.worst.error), number_text(made.worst.x));
  if (of.from != From::input)
    fmt::print("largest error {:.3g} at x = {}\n", std::fabs(made.absolute.error), number_text(made.absolute.x));
  fmt::print("\n");
  constexpr auto row = "{:<18} {:>9}  {:<18} {:>9}  {}\n";
  fmt::print(row, "|x| from 2^", "x < 0", "at", "x > 0", "at");
  for (const Worst& special : made.special)
    fmt::print(row, "", std::signbit(special.x) ? error_text(special.error) : "",
               std::signbit(special.x) ? number_text(special.x) : "",
               std::signbit(special.x) ? "" : error_text(special.error),
               std::signbit(special.x) ? "" : number_text(special.x));
  const std::size_t together = (made.binades.size() + kRows - 1) / kRows;
  for (std::size_t i = 0; i < made.binades.size(); i += together) {
    Worst negative, positive;
    for (std::size_t k = i; k < std::min(i + together, made.binades.size()); ++k) {
      const Binade& binade = made.binades[k];
      if (binade.negative.any) negative.take(binade.negative.error, binade.negative.x, binade.negative.result);
      if (binade.positive.any) positive.take(binade.positive.error, binade.positive.x, binade.positive.result);
    }
    fmt::print(row, made.binades[i].exponent, error_text(negative.error), number_text(negative.x),
               error_text(positive.error), number_text(positive.x));
  }
}

Panel panel_of(const Table& made) {
  constexpr std::size_t kPoints = 130;
  Panel drawn;
  const FormatInfo& in = info_of(made.format);
  drawn.title = std::string(in.name);
  drawn.legend = made.format == Format::f32;
  drawn.range = {static_cast<float>(made.binades.front().exponent), static_cast<float>(std::ilogb(in.largest) + 1)};
  const std::size_t together = (made.binades.size() + kPoints - 1) / kPoints;
  float most = 0.5f;
  std::vector<Point> negative, positive;
  for (std::size_t i = 0; i < made.binades.size(); i += together) {
    float left = 0, right = 0;
    for (std::size_t k = i; k < std::min(i + together, made.binades.size()); ++k) {
      left = std::max(left, static_cast<float>(std::fabs(made.binades[k].negative.error)));
      right = std::max(right, static_cast<float>(std::fabs(made.binades[k].positive.error)));
    }
    const auto thousandths = [](float error) { return std::round(error * 1000) / 1000; };
    const auto x = static_cast<float>(made.binades[i].exponent);
    for (const float error : {left, right})
      if (std::isfinite(error)) most = std::max(most, error);
    negative.push_back({x, thousandths(left)});
    positive.push_back({x, thousandths(right)});
  }
  for (std::vector<Point>* list : {&negative, &positive}) {  // a level line needs its ends only
    std::vector<Point> bends;
    for (std::size_t i = 0; i < list->size(); ++i)
      if (i == 0 || i + 1 == list->size() || (*list)[i - 1].y != (*list)[i].y || (*list)[i + 1].y != (*list)[i].y)
        bends.push_back((*list)[i]);
    list->swap(bends);
  }
  drawn.y = Range{-0.02f * most, 1.15f * most};
  drawn.lines.push_back({"x < 0", {{std::move(negative)}, {}, {}}, 0, "1", 2.4});
  drawn.lines.push_back({"x > 0", {{std::move(positive)}, {}, {}}, 1, "1", 1.2});
  return drawn;
}

void error(const Options& options) {
  const Call call = parse_function(options.function);
  if (!call.entry->elementwise()) fail("{} works on rows: it has no error at a number", call.text());
  const Subject of{call, options.order,
                   options.from == "input"    ? From::input
                   : options.from == "output" ? From::output
                                              : From::bits};
  if (of.from != From::input) {
    if (options.order != 1) fail("--from {} is about f', --order 1", options.from);
    const std::string why = of.from == From::output ? why_no_backward_from_output(call) : why_no_bits(call);
    if (!why.empty()) fail("{}", why);
  }
  if (!options.output.empty() && !is_picture(std::filesystem::path(options.output).extension().string()))
    fail("cannot draw {}: its name must end in .svg, .png or .pdf", options.output);
  std::optional<OutputFile> file;
  if (!options.output.empty()) file.emplace(options.output);  // before the work: a bad place is told at once

  std::vector<Table> tables;
  for (std::size_t i = 0; i < kFormatCount; ++i) {
    const auto named = [&](std::string_view name) {
      return std::find(options.dtypes.begin(), options.dtypes.end(), name) != options.dtypes.end();
    };
    if (named(kFormats[i].name) || named("all")) tables.push_back(table(of, static_cast<Format>(i), options.inputs));
  }
  if (file) {
    std::vector<Panel> panels;
    for (const Table& made : tables) panels.push_back(panel_of(made));
    const int columns = tables.size() > 1 ? 2 : 1, rows = (static_cast<int>(tables.size()) + columns - 1) / columns;
    const std::string extension = std::filesystem::path(options.output).extension();
    const std::string bytes = draw(panels, {extension, 400 * columns, 60 + 170 * rows}, columns);
    file->write(bytes.data(), bytes.size(), 0);
    file->commit();
  }
  if (options.json) {
    Json json = {
        {"function", call.text()}, {"order", options.order}, {"from", options.from}, {"formats", Json::array()}};
    for (const Table& made : tables) json["formats"].push_back(json_of(made, options.inputs));
    fmt::print("{}\n", json.dump(1));
    return;
  }
  for (const Table& made : tables) {
    if (&made != &tables.front()) fmt::print("\n");
    print(of, made, options.inputs);
  }
}

}  // namespace

void add_error(CLI::App& app) {
  CLI::App* verb =
      app.add_subcommand("error", "The error of the results in units in the last place, over all exponents");
  auto options = std::make_shared<Options>();
  verb->add_option("FUNCTION", options->function, "NAME or NAME:PARAMETER=VALUE,...")->required();
  std::vector<std::string> names = {"all"};
  for (const FormatInfo& format : kFormats) names.emplace_back(format.name);
  verb->add_option("--dtype", options->dtypes, "Formats, f32,f16 for example, or all")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  verb->add_option("--order", options->order, "0 value, 1 first, 2 second derivative")->check(CLI::Range(0, 2));
  verb->add_option("--from", options->from, "What f' is computed from: x, f(x), or f(x) and one bit")
      ->check(CLI::IsMember({"input", "output", "bits"}))
      ->capture_default_str();
  verb->add_option("--inputs", options->inputs, "Inputs a binade for f32, a 64th of it for f64; others have all")
      ->capture_default_str()
      ->check(CLI::Range(1u, 1u << 20));
  verb->add_option("-o,--output", options->output, "FILE.svg, FILE.png or FILE.pdf: error over log2 |x|");
  verb->add_flag("--json", options->json, "As a JSON object");
  verb->footer(
      "A right result is within half a unit. In the tails, where results vanish, the unit is the least number.\n"
      "Examples:\n  actfun error gelu\n  actfun error tanh --order 1 --dtype all -o error.svg\n"
      "  actfun error silu --dtype bf16 --json\n  actfun error sigmoid --order 1 --from output");
  verb->callback([options] { error(*options); });
}

}  // namespace actfun::tool
