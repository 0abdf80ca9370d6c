// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/simplex.h"
#include "tool/npy.h"
#include "tool/output.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

struct Options {
  std::string input, output, dtype, seed = "0";
  int axis = -1;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  double alpha = 1.5, tau = 1;
  bool hard = false;
};

/// The elements of a file as they lie in it.
actfun_array view(const NpyHeader& header, Format format, void* data) {
  if (header.shape.size() > ACTFUN_MAX_RANK)
    fail("shape {} has more than {} axes", header.shape_text(), ACTFUN_MAX_RANK);
  actfun_array array{data, static_cast<actfun_format>(format), static_cast<std::int32_t>(header.shape.size()), {}, {}};
  std::copy(header.shape.begin(), header.shape.end(), array.shape);
  std::ptrdiff_t stride = 1;
  for (int i = 0; i < array.rank; ++i) {
    const int axis = header.fortran_order ? i : array.rank - 1 - i;
    array.strides[axis] = stride;
    stride *= static_cast<std::ptrdiff_t>(array.shape[axis]);
  }
  return array;
}

void check(const char* option, double value, double least, double most) {
  if (!(value >= least && value <= most)) fail("{} is {}; {} to {} are allowed", option, value, least, most);
}

std::uint64_t parse_seed(const std::string& text) {
  const std::string_view digits = trim(text);
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
  if (error != std::errc() || end != digits.data() + digits.size())
    fail("--seed is '{}'; whole numbers from 0 to 2^64 - 1 are allowed", printable(std::string(digits)));
  return seed;
}

/// work(array, axis, target, threads) on the input, in place, and then to the output.
using Work = std::function<void(const Options&, const actfun_array&, int, const Target&)>;

void run(const Options& options, const Work& work) {
  check("--alpha", options.alpha, 1, kMostAlpha);
  check("--tau", options.tau, kLeastTau, kMostTau);
  const NpyReader in(options.input, options.dtype.empty() ? std::nullopt : std::optional(parse_format(options.dtype)));
  const std::size_t count = in.header().elements(), bytes = count * info_of(in.format()).bytes;
  std::vector<unsigned char> data(bytes);
  const actfun_array array = view(in.header(), in.format(), data.data());
  const int axis = axis_of(array, options.axis);
  if (axis < 0) fail("axis {} does not exist: the shape is {}", options.axis, in.header().shape_text());
  const std::string header = npy_header_bytes(in.header());
  OutputFile out(options.output);
  out.reserve(header.size() + bytes);
  in.read(data.data(), 0, count);
  work(options, array, axis, current_target());
  out.write(header.data(), header.size(), 0);
  out.write(data.data(), bytes, header.size());
  out.commit();
}

CLI::App* add_verb(CLI::App& app, const std::string& name, const std::string& what, const std::string& examples,
                   const std::shared_ptr<Options>& options, const Work& work) {
  CLI::App* verb = app.add_subcommand(name, what + ", .npy in, .npy out");
  verb->add_option("IN.npy", options->input,
                   "Little-endian float32, float64, float16, up to 8 axes, C or Fortran order")
      ->required();
  verb->add_option("-o,--output", options->output, "Where the result goes; may be the input")->required();
  verb->add_option("--axis", options->axis, "The axis whose rows sum up to 1; the last one unless given");
  verb->add_option("--dtype", options->dtype, "What integers or raw bytes in the file are: bf16, f8e4m3fn, ...")
      ->check(CLI::IsMember(format_names()));
  verb->add_option("--threads", options->threads, "All of the machine unless given; never changes a result")
      ->check(CLI::Range(1, 1024));
  verb->footer("The array is held in memory. A row with a NaN is all NaN. Examples:\n" + examples);
  verb->callback([options, work] { run(*options, work); });
  return verb;
}

}  // namespace

void add_simplex(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_verb(app, "sparsemax", "The nearest point of the simplex along an axis",
           "  actfun sparsemax x.npy -o p.npy\n  actfun sparsemax x.npy -o p.npy --axis 0", options,
           [](const Options& given, const actfun_array& x, int axis, const Target& target) {
             entmax(2, x, x, axis, target, given.threads);
           });
  CLI::App* verb = add_verb(app, "entmax", "Sparse softmax along an axis",
                            "  actfun entmax x.npy -o p.npy\n  actfun entmax x.npy -o p.npy --alpha 1.25", options,
                            [](const Options& given, const actfun_array& x, int axis, const Target& target) {
                              entmax(given.alpha, x, x, axis, target, given.threads);
                            });
  verb->add_option("--alpha", options->alpha, "1 is softmax, 2 sparsemax; to 32, and 1.5 unless given");
  add_verb(app, "hardmax", "One-hot of the first of the largest along an axis", "  actfun hardmax x.npy -o y.npy",
           options, [](const Options& given, const actfun_array& x, int axis, const Target& target) {
             hardmax(x, x, axis, target, given.threads);
           });
  verb = add_verb(app, "gumbel-softmax", "A sample by softmax with Gumbel's noise along an axis",
                  "  actfun gumbel-softmax x.npy -o p.npy --tau 0.5 --seed 7\n"
                  "  actfun gumbel-softmax x.npy -o y.npy --hard",
                  options, [](const Options& given, const actfun_array& x, int axis, const Target& target) {
                    gumbel_softmax(given.tau, parse_seed(given.seed), x, given.hard ? nullptr : &x,
                                   given.hard ? &x : nullptr, axis, target, given.threads);
                  });
  verb->add_option("--tau", options->tau, "The temperature, 1 unless given");
  verb->add_option("--seed", options->seed, "Of the noise, 0 unless given: the same seed, the same noise");
  verb->add_flag("--hard", options->hard, "The one-hot of the sample's largest in its place");
}

}  // namespace actfun::tool
