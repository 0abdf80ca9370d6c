// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/inverse.h"
#include "tool/call.h"
#include "tool/rows.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

struct Options {
  std::string function, kinks, dtype = "f32", tier, format = "dec";
  std::vector<std::string> numbers;
  int order = 0;
  bool json = false, inverse = false, from_output = false;
};

/// Numbers of any format are held by doubles on their way in and out.
std::vector<double> compute(const Call& call, const Options& options, Format format,
                            const std::vector<double>& numbers) {
  if (call.entry->elementwise()) {
    const std::size_t n = numbers.size(), bytes = info_of(format).bytes;
    std::vector<unsigned char> x(n * bytes), y(n * bytes);
    convert(Format::f64, numbers.data(), format, x.data(), n, current_target().bit);
    if (options.inverse)
      invert(call, format, x.data(), y.data(), n, current_target());
    else if (options.from_output)
      backward_from_output(call, format, x.data(), nullptr, y.data(), n, current_target());
    else
      call.apply(static_cast<Order>(options.order), format, x.data(), y.data(), n, current_target());
    std::vector<double> results(n);
    convert(format, y.data(), Format::f64, results.data(), n, current_target().bit);
    return results;
  }
  const std::vector<float> x(numbers.begin(), numbers.end());
  std::vector<float> y(x.size());
  if (const std::size_t k = group_size(call)) {
    if (x.size() % k != 0)
      fail("{} works on groups of {} numbers; {} numbers do not divide by {}", call.text(), k, x.size(), k);
    y.resize(x.size() / k);
  }
  if (!x.empty()) evaluate_rows(call, x.data(), y.data(), nullptr, {1, x.size(), 1}, current_target());
  return {y.begin(), y.end()};
}

/// Calls `batch` with the numbers of standard input, a number a line, as they arrive: a person who types sees every
/// answer at once, a long file is never held whole.
template <class Batch>
void read_lines(Format format, Batch batch) {
  std::string text;
  std::vector<double> numbers;
  std::size_t line = 0;
  std::vector<char> buffer(1 << 18);
  const auto take = [&](std::string_view spelled) {
    ++line;
    try {
      numbers.push_back(number(spelled, format));
    } catch (const std::exception& error) {
      batch(numbers);  // what came before the broken line is right
      fail("line {}: {}", line, error.what());
    }
  };
  while (true) {
    const ssize_t got = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("cannot read standard input");
    text.append(buffer.data(), got);
    std::size_t start = 0;
    for (std::size_t end; (end = text.find('\n', start)) != text.npos; start = end + 1)
      take(std::string_view(text).substr(start, end - start));
    text.erase(0, start);
    if (got == 0 && !text.empty()) take(text);  // a last line without an end
    batch(numbers);
    numbers.clear();
    if (got == 0) return;
    if (text.size() > 4096) fail("line {} is longer than 4096 characters", line + 1);
  }
}

void eval(const Options& options) {
  Call call = parse_call(options.function, options.kinks);
  call.tier = find_tier(options.tier);
  if (!call.entry->elementwise() && options.order != 0) fail("{} has order 0 only: it works on rows", call.text());
  if (!call.entry->elementwise() && (options.inverse || options.from_output))
    fail("{} works on rows: it has no inverse", call.text());
  const std::string why = options.inverse       ? why_no_inverse(call)
                          : options.from_output ? why_no_backward_from_output(call)
                                                : "";
  if (!why.empty()) fail("{}", why);
  const Format format = parse_format(options.dtype);
  if (!call.entry->elementwise() && format != Format::f32)
    fail("{} works on f32 only, not {}", call.text(), options.dtype);
  const auto spell = [&](double y) { return options.format == "hex" ? hexadecimal(y, format) : decimal(y, format); };

  const auto print = [&](const std::vector<double>& x) {
    std::string out;
    for (const double y : compute(call, options, format, x)) (out += spell(y)) += '\n';
    fmt::print("{}", out);
    std::fflush(stdout);
  };
  std::vector<double> x;
  for (const std::string& text : options.numbers) x.push_back(number(text, format));
  const bool at_once = !options.numbers.empty() || options.json || !call.entry->elementwise();
  if (!at_once) return read_lines(format, print);
  if (options.numbers.empty())
    read_lines(format, [&](const auto& more) { x.insert(x.end(), more.begin(), more.end()); });
  if (!options.json) return print(x);

  // Numbers are strings here as in `list --json`: JSON has no inf, nan and hexadecimal.
  nlohmann::ordered_json json = {{"function", call.text()},      {"order", options.order},
                                 {"dtype", options.dtype},       {"tier", options.tier},
                                 {"x", nlohmann::json::array()}, {"y", nlohmann::json::array()}};
  if (options.inverse || options.from_output) json["order"] = options.inverse ? "inverse" : "f' from f";
  if (call.kinks != Kinks::actfun) json["kinks"] = name_of(call.kinks);
  for (const double y : compute(call, options, format, x)) json["y"].push_back(spell(y));
  for (const double value : x) json["x"].push_back(spell(value));
  fmt::print("{}\n", json.dump(1));
}

}  // namespace

void add_eval(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("eval", "Values at numbers from the command line or from standard input");
  auto options = std::make_shared<Options>();
  verb->add_option("FUNCTION", options->function, "NAME, NAME:PARAMETER=VALUE,... or NAME@PRESET")->required();
  verb->add_option("X", options->numbers, "Numbers: decimal, 0x1.8p+2, inf, nan. Without: one a line from stdin");
  verb->add_option("--order", options->order, "0 value, 1 first, 2 second derivative")->check(CLI::Range(0, 2));
  const auto inverse = verb->add_flag("--inverse", options->inverse, "x of f(x), where f is strictly monotone");
  const auto from_output =
      verb->add_flag("--from-output", options->from_output, "f'(x) of f(x), where it follows from that");
  const auto order = verb->get_option("--order");
  inverse->excludes(order)->excludes(from_output), from_output->excludes(order);
  add_kinks_option(verb, options->kinks);
  verb->add_option("--dtype", options->dtype, "Format of numbers and results")->check(CLI::IsMember(format_names()));
  add_tier_option(verb, options->tier);
  verb->add_option("--format", options->format, "dec: shortest that reads back; hex: C99")
      ->check(CLI::IsMember({"dec", "hex"}));
  verb->add_flag("--json", options->json, "As a JSON object");
  verb->footer(
      "softmax and log_softmax take all numbers as one row, maxout as groups of k.\n"
      "Examples:\n  actfun eval gelu -5.5 0x1.8p+2 inf\n  actfun eval elu:alpha=0.5 --order 1 -1\n"
      "  actfun eval leaky_relu@keras -1\n  actfun eval hardtanh --order 1 --kinks jax 1\n"
      "  seq -3 0.5 3 | actfun eval tanh --format hex\n  actfun eval softmax 1 2 3\n"
      "  actfun eval gelu --dtype bf16 -1.5\n  actfun eval sigmoid --inverse 0.25");
  verb->callback([options] { eval(*options); });
}

}  // namespace actfun::tool
