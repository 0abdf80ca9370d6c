// SPDX-License-Identifier: Apache-2.0
#include "api/chain.h"

#include <fmt/core.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tool/call.h"
#include "tool/npy.h"
#include "tool/output.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

struct Options {
  std::string text, input, output, kept, tier, dtype, to;
  std::uint64_t seed = 0;
  unsigned threads = 0;
  bool show = false;
};

/// A file's array in memory.
class Loaded {
 public:
  Loaded(const std::string& path, std::optional<Format> dtype) : file_(path, dtype), bytes_(size_of_elements()) {
    if (file_.header().fortran_order && file_.header().shape.size() > 1)
      fail("{} is in Fortran order: chains take arrays in C order", path);
    if (file_.header().shape.size() > ACTFUN_MAX_RANK)
      fail("{} has {} axes; at most {} are possible", path, file_.header().shape.size(), ACTFUN_MAX_RANK);
    file_.read(bytes_.data(), 0, file_.header().elements());
  }
  const NpyHeader& header() const { return file_.header(); }
  Format format() const { return file_.format(); }
  actfun_array array() { return array_of(bytes_.data(), format()); }
  /// One of this shape.
  actfun_array array_of(void* data, Format format) const {
    const std::vector<std::uint64_t>& shape = header().shape;
    actfun_array array{data, static_cast<actfun_format>(format), static_cast<std::int32_t>(shape.size()), {}, {}};
    std::ptrdiff_t stride = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      array.shape[i] = shape[i], array.strides[i] = stride;
      stride *= static_cast<std::ptrdiff_t>(shape[i]);
    }
    return array;
  }

 private:
  std::size_t size_of_elements() const { return file_.header().elements() * info_of(file_.format()).bytes; }

  NpyReader file_;
  std::vector<unsigned char> bytes_;
};

/// How NumPy describes elements of a format; those that it lacks are bare codes.
std::string npy_type(Format format) {
  switch (format) {
    case Format::f32:
      return "<f4";
    case Format::f64:
      return "<f8";
    case Format::f16:
      return "<f2";
    case Format::bf16:
      return "<u2";
    case Format::f8e4m3fn:
    case Format::f8e5m2:
      break;
  }
  return "|u1";
}

void write(OutputFile& out, const NpyHeader& header, const std::vector<unsigned char>& bytes) {
  const std::string start = npy_header_bytes(header);
  out.reserve(start.size() + bytes.size());
  out.write(start.data(), start.size(), 0);
  out.write(bytes.data(), bytes.size(), start.size());
}

void chain(const Options& options) {
  Chain chain = Chain::parse(options.text);
  chain.tier = find_tier(options.tier);
  chain.threads = options.threads;
  if (options.show) fmt::print("y = {}\n", chain.formula());
  if (options.input.empty() && options.output.empty()) {
    if (!options.show) fail("there is nothing to do: name IN.npy and -o, or --show");
    return;
  }
  if (options.input.empty() || options.output.empty()) fail("IN.npy and -o belong together");
  if (options.kept == options.output) fail("-o and --kept name the same file");
  if (chain.quantizes() && !options.to.empty()) fail("--to and quantize both say what the result is");

  const auto dtype = options.dtype.empty() ? std::nullopt : std::optional(parse_format(options.dtype));
  Loaded x(options.input, dtype);
  std::deque<Loaded> files;
  std::vector<actfun_array> operands;
  for (const std::string& path : chain.operands()) {
    files.emplace_back(path, dtype);
    operands.push_back(files.back().array());
  }

  const Format to = options.to.empty() ? x.format() : parse_format(options.to);
  const std::size_t n = x.header().elements();
  std::vector<unsigned char> y(n * (chain.quantizes() ? 1 : info_of(to).bytes)),
      kept(options.kept.empty() ? 0 : (n + 7) / 8);
  OutputFile out(options.output);
  std::optional<OutputFile> kept_out;
  if (!options.kept.empty()) kept_out.emplace(options.kept);
  chain.run(x.array(), operands, x.array_of(y.data(), to),
            {.seed = options.seed, .kept = kept_out ? kept.data() : nullptr}, current_target());

  NpyHeader header = x.header();
  header.fortran_order = false;
  header.type = !chain.quantizes() ? npy_type(to) : chain.stages().back().quantization.is_signed ? "|i1" : "|u1";
  write(out, header, y);
  if (kept_out) {
    write(*kept_out, {.type = "|u1", .shape = {kept.size()}}, kept);
    kept_out->commit();
  }
  out.commit();
}

}  // namespace

void add_chain(CLI::App& app) {
  CLI::App* verb =
      app.add_subcommand("chain", "Bias, functions, residual, dropout, ... in one pass: .npy in, .npy out");
  auto options = std::make_shared<Options>();
  verb->add_option("STAGES", options->text, "Stages separated by |, see below")->required();
  verb->add_option("IN.npy", options->input, "float32, float64, float16, any shape, C order");
  verb->add_option("-o,--output", options->output, "Where the result goes; may be an input");
  verb->add_flag("--show", options->show, "Print the formula; without files, nothing else happens");
  verb->add_option("--seed", options->seed, "Of dropout: the same seed drops the same elements, 0 unless given");
  verb->add_option("--kept", options->kept, "Also write what dropout kept: bit i % 8 of byte i / 8");
  verb->add_option("--to", options->to, "The result's format; that of IN.npy unless given")
      ->check(CLI::IsMember(format_names()));
  verb->add_option("--dtype", options->dtype, "What integers or raw bytes in the files are: bf16, f8e4m3fn, ...")
      ->check(CLI::IsMember(format_names()));
  add_tier_option(verb, options->tier);
  verb->add_option("--threads", options->threads, "All of the machine unless given; never changes a result")
      ->check(CLI::Range(1, 1024));
  verb->footer(
      "Stages: gelu, elu:alpha=0.5, ... (any elementwise function); bias(B.npy), bias(B.npy, axis=1), bias(0.5);\n"
      "add(R.npy), multiply(M.npy); scale(2); clamp(-1, 1); dropout(0.1); quantize(SCALE, ZERO_POINT[, int8]).\n"
      "Files are .npy; a bias has one number, or one for each channel along an axis, the last unless given.\n"
      "Examples:\n  actfun chain 'bias(b.npy) | gelu | add(r.npy)' x.npy -o y.npy\n"
      "  actfun chain 'silu | dropout(0.1)' x.npy -o y.npy --seed 7 --kept bits.npy --tier fast\n"
      "  actfun chain 'relu | quantize(0.05, 0)' x.npy -o codes.npy\n"
      "  actfun chain 'bias(B) | gelu | add(R)' --show");
  verb->callback([options] { chain(*options); });
}

}  // namespace actfun::tool
