// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/cpu/sum.h"
#include "tool/call.h"
#include "tool/npy.h"
#include "tool/output.h"
#include "tool/text.h"
#include "tool/verbs.h"
#include "tool/workers.h"

namespace actfun::tool {
namespace {

struct Options {
  std::string function, kinks, tier, input, gradient, output, dtype;
  unsigned threads = 0;
  bool parameters = false;
};

/// Elements in one piece of work. The sums of pieces are added in their order, so that threads change nothing.
constexpr std::size_t kChunk = std::size_t{1} << 18;

void backward(const Options& options) {
  Call call = parse_call(options.function, options.kinks);
  call.tier = find_tier(options.tier);
  if (!call.entry->elementwise())
    fail("{} works on rows: the verb takes functions that work on every element", call.text());
  const std::size_t count = call.info().parameters.size();
  if (options.parameters && count == 0) fail("{} has no parameters", call.text());

  const auto dtype = options.dtype.empty() ? std::nullopt : std::optional(parse_format(options.dtype));
  const NpyReader x(options.input, dtype), g(options.gradient, dtype);
  const Format format = x.format();
  if (g.format() != format)
    fail("{} holds {}, but {} holds {}", options.input, info_of(format).name, options.gradient,
         info_of(g.format()).name);
  if (g.header().shape != x.header().shape || g.header().fortran_order != x.header().fortran_order)
    fail("{} has shape {}, but {} has shape {}{}", options.input, x.header().shape_text(), options.gradient,
         g.header().shape_text(), g.header().shape == x.header().shape ? " in another order" : "");

  const std::size_t elements = x.header().elements(), bytes = info_of(format).bytes,
                    chunks = (elements + kChunk - 1) / kChunk;
  const std::string header = npy_header_bytes(x.header());
  OutputFile out(options.output);
  out.reserve(header.size() + elements * bytes);
  out.write(header.data(), header.size(), 0);
  std::vector<std::array<double, kMaxParameters>> sums(options.parameters ? chunks : 0);
  const Target& target = current_target();
  share_out("computing", chunks, options.threads, [&] {
    return [&, inputs = std::vector<unsigned char>(), gradients = std::vector<unsigned char>()](std::size_t i) mutable {
      const std::size_t first = i * kChunk, n = std::min(kChunk, elements - first);
      inputs.resize(n * bytes), gradients.resize(n * bytes);
      x.read(inputs.data(), first, n);
      g.read(gradients.data(), first, n);
      if (options.parameters) {
        double* pointers[kMaxParameters] = {};
        for (std::size_t k = 0; k < count; ++k) pointers[k] = &sums[i][k];
        call.parameter_gradients(format, {.inner = n}, inputs.data(), gradients.data(), pointers, target);
      }
      call.multiply(Part::slope, format, inputs.data(), gradients.data(), gradients.data(), n, target);
      out.write(gradients.data(), n * bytes, header.size() + first * bytes);
    };
  });
  out.commit();
  if (!options.parameters) return;
  for (std::size_t k = 0; k < count; ++k) {
    Sum sum;
    for (const auto& each : sums) sum.add(each[k]);
    fmt::print("{} {}\n", call.info().parameters[k].name, decimal(sum.value(), Format::f64));
  }
}

}  // namespace

void add_backward(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("backward", "A gradient through a function: g f'(x), .npy in, .npy out");
  auto options = std::make_shared<Options>();
  verb->add_option("FUNCTION", options->function, "NAME, NAME:PARAMETER=VALUE,... or NAME@PRESET")->required();
  verb->add_option("X.npy", options->input, "The function's input: float32, float64, float16, any shape")->required();
  verb->add_option("G.npy", options->gradient, "The gradient with respect to its output: of the same type and shape")
      ->required();
  verb->add_option("-o,--output", options->output, "Where the gradient with respect to x goes; may be an input")
      ->required();
  verb->add_flag("--parameters", options->parameters, "Also print the gradient with respect to each parameter");
  verb->add_option("--dtype", options->dtype, "What integers or raw bytes in the files are: bf16, f8e4m3fn, ...")
      ->check(CLI::IsMember(format_names()));
  add_kinks_option(verb, options->kinks);
  add_tier_option(verb, options->tier);
  add_threads_option(verb, options->threads);
  verb->footer(
      "The product is rounded once; the derivative itself is not. Arrays larger than memory are streamed.\n"
      "Examples:\n  actfun backward gelu x.npy g.npy -o dx.npy\n"
      "  actfun backward prelu:weight=0.1 x.npy g.npy -o dx.npy --parameters");
  verb->callback([options] { backward(*options); });
}

}  // namespace actfun::tool
