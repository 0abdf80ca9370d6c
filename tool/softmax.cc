// SPDX-License-Identifier: Apache-2.0
#include "api/softmax.h"

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
  std::string input, output, dtype, mask, sink, causal = "none", tier = "exact";
  int axis = -1;
  double scale = 1;
  std::int64_t causal_offset = 0;
  unsigned threads = 0;
  bool log = false, min = false, safe = false, mean = false;
};

/// An array of a file, in memory.
class NpyArray {
 public:
  NpyArray(const std::string& path, std::optional<Format> format, bool booleans = false)
      : NpyArray(NpyReader(path, format, booleans), path) {}
  /// One of zeros, in the order of another.
  NpyArray(NpyHeader header, Format format) : header_(std::move(header)) {
    if (header_.shape.size() > ACTFUN_MAX_RANK)
      fail("{} axes are too many: at most {}", header_.shape.size(), ACTFUN_MAX_RANK);
    array_.format = static_cast<actfun_format>(format);
    array_.rank = static_cast<std::int32_t>(header_.shape.size());
    std::ptrdiff_t stride = 1;
    for (std::size_t k = 0; k < header_.shape.size(); ++k) {
      const std::size_t axis = header_.fortran_order ? k : header_.shape.size() - 1 - k;
      array_.shape[axis] = header_.shape[axis], array_.strides[axis] = stride;
      stride *= static_cast<std::ptrdiff_t>(header_.shape[axis]);
    }
    data_.resize(header_.elements() * info_of(format).bytes);
    array_.data = data_.data();
  }
  NpyArray(const NpyArray&) = delete;

  const actfun_array& array() const { return array_; }
  const NpyHeader& header() const { return header_; }
  Format format() const { return static_cast<Format>(array_.format); }
  /// Repeated along axes that have length 1 or are missing in front, as NumPy does.
  actfun_array broadcast(const std::vector<std::uint64_t>& shape, const std::string& name) const {
    actfun_array all = array_;
    const std::size_t rank = header_.shape.size(), added = shape.size() - rank;
    bool fits = rank <= shape.size();
    for (std::size_t i = 0; fits && i < rank; ++i) fits = header_.shape[i] == 1 || header_.shape[i] == shape[added + i];
    if (!fits)
      fail("{} has shape {}, which cannot be broadcast to {}", name, header_.shape_text(),
           NpyHeader{{}, false, shape}.shape_text());
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const bool own = i >= added && header_.shape[i - added] == shape[i];
      all.shape[i] = shape[i];
      all.strides[i] = own ? array_.strides[i - added] : 0;
    }
    all.rank = static_cast<std::int32_t>(shape.size());
    return all;
  }
  void write(const std::string& path) const {
    const std::string header = npy_header_bytes(header_);
    OutputFile out(path);
    out.reserve(header.size() + data_.size());
    out.write(header.data(), header.size(), 0);
    out.write(data_.data(), data_.size(), header.size());
    out.commit();
  }

 private:
  NpyArray(const NpyReader& reader, const std::string& path) : NpyArray(checked(reader, path), reader.format()) {
    reader.read(data_.data(), 0, header_.elements());
  }
  static NpyHeader checked(const NpyReader& reader, const std::string& path) {
    const std::size_t rank = reader.header().shape.size();
    if (rank > ACTFUN_MAX_RANK) fail("{} has {} axes; at most {} are possible", path, rank, ACTFUN_MAX_RANK);
    return reader.header();
  }

  NpyHeader header_;
  actfun_array array_{};
  std::vector<unsigned char> data_;
};

std::optional<Format> dtype_of(const Options& options) {
  return options.dtype.empty() ? std::nullopt : std::optional(parse_format(options.dtype));
}
int checked_axis(const Options& options, const NpyArray& x) {
  const int rank = x.array().rank, axis = options.axis < 0 ? options.axis + rank : options.axis;
  if (axis < 0 || axis >= rank)
    fail("--axis {}: {} has shape {}", options.axis, options.input, x.header().shape_text());
  return axis;
}
std::vector<std::uint64_t> without(std::vector<std::uint64_t> shape, int axis) {
  shape.erase(shape.begin() + axis);
  return shape;
}

/// What is computed from x, with masks and sinks read from their files: run(x, options, axis).
template <class Run>
void with_input(const Options& options, const Run& run) {
  const NpyArray x(options.input, dtype_of(options));
  const int axis = checked_axis(options, x);
  actfun_softmax_options all{};
  all.scale = options.min ? -options.scale : options.scale;
  all.safe = options.safe;
  all.tier = find_tier(options.tier) == Tier::fast ? ACTFUN_FAST : ACTFUN_EXACT;
  all.threads = options.threads;
  all.causal = options.causal == "top-left"       ? ACTFUN_CAUSAL_TOP_LEFT
               : options.causal == "bottom-right" ? ACTFUN_CAUSAL_BOTTOM_RIGHT
                                                  : ACTFUN_CAUSAL_NONE;
  all.causal_offset = options.causal_offset;
  std::optional<NpyArray> mask, sink;
  actfun_array mask_array{}, sink_array{};
  if (!options.mask.empty()) {
    mask.emplace(options.mask, std::nullopt, true);
    mask_array = mask->broadcast(x.header().shape, options.mask);
    all.mask = &mask_array;
    all.mask_kind = mask->format() == Format::f8e5m2 ? ACTFUN_MASK_BOOLEAN : ACTFUN_MASK_ADDED;
  }
  if (!options.sink.empty()) {
    sink.emplace(options.sink, std::nullopt);
    sink_array = sink->broadcast(without(x.header().shape, axis), options.sink);
    all.sink = &sink_array;
  }
  run(x, all, axis);
}

void softmax(const Options& options) {
  with_input(options, [&](const NpyArray& x, const actfun_softmax_options& all, int axis) {
    softmax_forward(options.log ? ACTFUN_LOG_SOFTMAX : ACTFUN_SOFTMAX, all, &x.array(), axis, &x.array(), nullptr,
                    nullptr, current_target());
    x.write(options.output);
  });
}
void log_sum_exp(const Options& options) {
  with_input(options, [&](const NpyArray& x, const actfun_softmax_options& all, int axis) {
    NpyHeader header = x.header();
    header.shape = without(header.shape, axis);
    const NpyArray y(header, x.format());
    logsumexp(all, options.mean, &x.array(), axis, &y.array(), current_target());
    y.write(options.output);
  });
}

/// What both verbs take.
CLI::App* add_verb(CLI::App& app, const char* name, const char* description, Options& options) {
  CLI::App* verb = app.add_subcommand(name, description);
  verb->add_option("X.npy", options.input, "Logits: float32, float64, float16, any shape, in memory as a whole")
      ->required();
  verb->add_option("-o,--output", options.output, "Where the results go; may be the input")->required();
  verb->add_option("--axis", options.axis, "The axis of the rows, -1 being the last")->capture_default_str();
  verb->add_option("--scale", options.scale, "Logits are multiplied by it: 1 / temperature")->capture_default_str();
  verb->add_option("--mask", options.mask,
                   "Numbers that are added to the logits, or booleans (or bytes), of which False takes an element out; "
                   "broadcast");
  verb->add_option("--sink", options.sink, "One more logit for each row, in the denominator only; broadcast");
  verb->add_option("--causal", options.causal,
                   "Query q, of the last axis but one, sees the keys up to q; from that end")
      ->check(CLI::IsMember({"none", "top-left", "bottom-right"}));
  verb->add_option("--causal-offset", options.causal_offset, "So many keys more");
  verb->add_option("--dtype", options.dtype, "What integers or raw bytes in the file are: bf16, f8e4m3fn, ...")
      ->check(CLI::IsMember(format_names()));
  verb->add_option("--threads", options.threads, "All of the machine unless given; never changes a result")
      ->check(CLI::Range(1, 1024));
  return verb;
}

}  // namespace

void add_softmax(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = add_verb(app, "softmax", "Softmax along an axis, with masks: .npy in, .npy out", *options);
  verb->add_flag("--log", options->log, "The logarithm of softmax");
  verb->add_flag("--min", options->min, "softmin: of the negative logits");
  verb->add_flag("--safe", options->safe, "Rows without an element that takes part give 0, not NaN");
  add_tier_option(verb, options->tier);
  verb->footer(
      "docs/softmax.md tells what is computed.\nExamples:\n  actfun softmax logits.npy -o p.npy\n"
      "  actfun softmax scores.npy -o p.npy --scale 0.125 --causal bottom-right --mask padding.npy --safe");
  verb->callback([options] { softmax(*options); });
}
void add_logsumexp(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = add_verb(app, "logsumexp", "log(sum(exp(x))) along an axis: .npy in, .npy out", *options);
  verb->add_flag("--mean", options->mean, "Of the mean in place of the sum");
  verb->footer("The result lacks the axis.\nExample:\n  actfun logsumexp logits.npy -o z.npy --axis 0");
  verb->callback([options] { log_sum_exp(*options); });
}

}  // namespace actfun::tool
