// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "tool/call.h"
#include "tool/npy.h"
#include "tool/output.h"
#include "tool/rows.h"
#include "tool/text.h"
#include "tool/verbs.h"
#include "tool/workers.h"

namespace actfun::tool {
namespace {

struct Options {
  std::string function, kinks, tier, input, output, index, dtype;
  int order = 0, axis = -1;
  unsigned threads = 0;
  bool speed = false;
};

/// Elements in one piece of work: 1 MiB, which stays in the cache between reading, computing and writing.
constexpr std::size_t kChunk = std::size_t{1} << 18;

/// Rows first_outer.. and columns first_inner.. of an array seen as [outer, length, inner].
struct Chunk {
  std::size_t first_outer, first_inner;
  Rows rows;
};

/// Cuts an array into chunks: whole slabs [length, inner], or columns of one slab when a slab is too large.
class Cutter {
 public:
  explicit Cutter(Rows all) : all_(all) {
    if (all.outer == 0 || all.length == 0 || all.inner == 0) return;
    const bool whole = all.inner <= kChunk / all.length;
    outers_ = whole ? std::max<std::size_t>(1, kChunk / (all.length * all.inner)) : 1;
    inners_ = whole ? all.inner : std::min(all.inner, std::max<std::size_t>(64, kChunk / all.length));
    columns_ = (all.inner + inners_ - 1) / inners_;
    count_ = (all.outer + outers_ - 1) / outers_ * columns_;
  }
  std::size_t count() const { return count_; }
  Chunk chunk(std::size_t i) const {
    const std::size_t outer = i / columns_ * outers_, inner = i % columns_ * inners_;
    return {outer, inner, {std::min(outers_, all_.outer - outer), all_.length, std::min(inners_, all_.inner - inner)}};
  }
  const Rows& all() const { return all_; }

 private:
  Rows all_;
  std::size_t outers_ = 0, inners_ = 0, columns_ = 0, count_ = 0;
};

/// Calls body(place in the array, place in the chunk, elements) for every run of elements of the chunk that lies
/// together in an array of shape [outer, length, inner].
template <class Body>
void for_runs(const Chunk& chunk, std::size_t length, std::size_t inner, Body body) {
  const auto [outers, ignored, inners] = chunk.rows;
  if (inners == inner) return body(chunk.first_outer * length * inner, std::size_t{0}, outers * length * inner);
  for (std::size_t row = 0; row < outers * length; ++row)
    body((chunk.first_outer * length + row) * inner + chunk.first_inner, row * inners, inners);
}

/// The array as the function's axis sees it; elementwise functions see one long row of columns.
Rows view(const Call& call, const NpyHeader& header, int axis) {
  if (call.entry->elementwise()) return {1, 1, header.elements()};
  const int dimensions = static_cast<int>(header.shape.size());
  if (axis < -dimensions || axis >= dimensions)
    fail("axis {} does not exist: the shape is {}", axis, header.shape_text());
  const std::size_t at = axis < 0 ? axis + dimensions : axis;
  std::uint64_t before = 1, after = 1;
  for (std::size_t i = 0; i < header.shape.size(); ++i) {
    if (i < at) before *= header.shape[i];
    if (i > at) after *= header.shape[i];
  }
  if (header.fortran_order) std::swap(before, after);  // the first axis lies closest
  return {before, header.shape[at], after};
}

/// Reads, computes and writes the chunks on several threads, each chunk wholly on one. No result depends on who.
class Job {
 public:
  Job(const Call& call, int order, const NpyReader& in, const Cutter& cutter, OutputFile& out, OutputFile* index,
      std::uint64_t offset, std::size_t out_length)
      : call_(call),
        order_(order),
        in_(in),
        cutter_(cutter),
        out_(out),
        index_(index),
        offset_(offset),
        out_length_(out_length) {}

  void run(unsigned threads) {
    share_out("computing", cutter_.count(), threads, [this] {
      return [this, x = std::vector<unsigned char>(), y = std::vector<unsigned char>(),
              index = std::vector<std::int32_t>()](std::size_t i) mutable { step(cutter_.chunk(i), x, y, index); };
    });
  }

  /// The computation alone, without files.
  void compute(const Chunk& chunk, const void* x, void* y, std::int32_t* index) const {
    const Rows rows = chunk.rows;
    if (call_.entry->elementwise())
      call_.apply(static_cast<Order>(order_), in_.format(), x, y, rows.inner, target_);
    else
      evaluate_rows(call_, static_cast<const float*>(x), static_cast<float*>(y), index, rows, target_);
  }

 private:
  void step(const Chunk& chunk, std::vector<unsigned char>& x, std::vector<unsigned char>& y,
            std::vector<std::int32_t>& index) {
    const auto [outers, length, inners] = chunk.rows;
    const std::size_t inner = cutter_.all().inner, bytes = info_of(in_.format()).bytes;
    x.resize(outers * length * inners * bytes);
    y.resize(outers * out_length_ * inners * bytes);
    if (index_) index.resize(y.size() / bytes);
    for_runs(chunk, length, inner,
             [&](std::size_t place, std::size_t at, std::size_t n) { in_.read(&x[at * bytes], place, n); });
    compute(chunk, x.data(), y.data(), index_ ? index.data() : nullptr);
    for_runs(chunk, out_length_, inner, [&](std::size_t place, std::size_t at, std::size_t n) {
      out_.write(&y[at * bytes], n * bytes, offset_ + place * bytes);
      if (index_) index_->write(&index[at], n * sizeof(std::int32_t), offset_ + place * sizeof(std::int32_t));
    });
  }

  const Call& call_;
  const int order_;
  const NpyReader& in_;
  const Cutter& cutter_;
  OutputFile& out_;
  OutputFile* index_;
  const std::uint64_t offset_;
  const std::size_t out_length_;
  const Target& target_ = current_target();
};

/// How fast the first chunk is computed in memory on one thread, next to a copy.
void print_speed(const Job& job, const Cutter& cutter, const NpyReader& in, std::size_t out_length) {
  const Chunk chunk = cutter.chunk(0);
  const auto [outers, length, inners] = chunk.rows;
  const std::size_t size = info_of(in.format()).bytes, n_in = outers * length * inners;
  std::vector<unsigned char> x(n_in * size), y(x.size());
  for_runs(chunk, length, cutter.all().inner,
           [&](std::size_t place, std::size_t at, std::size_t n) { in.read(&x[at * size], place, n); });
  const std::size_t bytes = (n_in + outers * out_length * inners) * size;
  const auto time = bench::interleaved_medians(
      {[&] { job.compute(chunk, x.data(), y.data(), nullptr); }, [&] { std::memcpy(y.data(), x.data(), x.size()); }});
  fmt::print(
      "{} elements in memory, one thread, median of repeated runs: {:.3f} ns an element, {:.2f} GB/s read and "
      "written; a copy: {:.3f} ns, {:.2f} GB/s\n",
      n_in, time[0] / n_in * 1e9, bytes / time[0] * 1e-9, time[1] / n_in * 1e9, 2 * x.size() / time[1] * 1e-9);
}

void apply(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  Call call = parse_call(options.function, options.kinks);
  call.tier = find_tier(options.tier);
  const bool elementwise = call.entry->elementwise();
  if (!elementwise && options.order != 0) fail("{} has order 0 only: it works on rows", call.text());
  if (elementwise && options.axis != -1) fail("{} works on every element: it takes no --axis", call.text());
  if (!options.index.empty() && !has_index(call)) fail("{} has no winners: it takes no --index", call.text());
  if (!options.index.empty() && options.index == options.output) fail("-o and --index name the same file");

  const NpyReader in(options.input, options.dtype.empty() ? std::nullopt : std::optional(parse_format(options.dtype)));
  if (!elementwise && in.format() != Format::f32)
    fail("{} works on f32 only: {} holds {}", call.text(), options.input, info_of(in.format()).name);
  const Rows rows = view(call, in.header(), options.axis);
  NpyHeader header = in.header();
  std::size_t out_length = rows.length;
  if (const std::size_t k = group_size(call)) {
    if (rows.length % k != 0)
      fail("{} needs an axis that divides by {}; it has length {}", call.text(), k, rows.length);
    out_length = rows.length / k;
    header.shape[options.axis < 0 ? options.axis + header.shape.size() : options.axis] = out_length;
  }
  NpyHeader index_header = header;
  index_header.type = "<i4";

  const std::string bytes = npy_header_bytes(header), index_bytes = npy_header_bytes(index_header);
  const std::uint64_t size = bytes.size() + header.elements() * info_of(in.format()).bytes;
  OutputFile out(options.output);
  std::optional<OutputFile> index;
  if (!options.index.empty()) index.emplace(options.index);
  out.reserve(size);
  out.write(bytes.data(), bytes.size(), 0);
  if (index) {
    index->reserve(size);
    index->write(index_bytes.data(), index_bytes.size(), 0);  // as long as the other: the types' names are
  }

  const Cutter cutter(rows);
  Job job(call, options.order, in, cutter, out, index ? &*index : nullptr, bytes.size(), out_length);
  job.run(options.threads);
  if (index) index->commit();
  out.commit();

  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (options.speed) {
    const std::uint64_t moved = in.header().elements() * info_of(in.format()).bytes + size;
    fmt::print("{} of {}, shape {}: {:.3f} ms from file to file, {:.2f} GB/s\n", call.text(), options.input,
               in.header().shape_text(), took * 1e3, moved / took * 1e-9);
    if (cutter.count() > 0) print_speed(job, cutter, in, out_length);
  }
}

}  // namespace

void add_apply(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("apply", "A function on an array: .npy in, .npy out");
  auto options = std::make_shared<Options>();
  verb->add_option("FUNCTION", options->function, "NAME, NAME:PARAMETER=VALUE,... or NAME@PRESET")->required();
  verb->add_option("IN.npy", options->input, "Little-endian float32, float64, float16, any shape, C or Fortran order")
      ->required();
  verb->add_option("-o,--output", options->output, "Where the result goes; may be the input")->required();
  verb->add_option("--order", options->order, "0 value, 1 first, 2 second derivative")->check(CLI::Range(0, 2));
  verb->add_option("--dtype", options->dtype, "What integers or raw bytes in the file are: bf16, f8e4m3fn, ...")
      ->check(CLI::IsMember(format_names()));
  add_kinks_option(verb, options->kinks);
  add_tier_option(verb, options->tier);
  verb->add_option("--axis", options->axis, "Axis of softmax, log_softmax, maxout; the last one unless given");
  verb->add_option("--index", options->index, "Also write maxout's winners, int32 in [0, k)");
  add_threads_option(verb, options->threads);
  verb->add_flag("--speed", options->speed, "Print how fast it was");
  verb->footer(
      "Arrays larger than memory are streamed.\n"
      "Examples:\n  actfun apply gelu x.npy -o y.npy\n  actfun apply silu x.npy -o dy.npy --order 1 --threads 4\n"
      "  actfun apply softmax x.npy -o p.npy --axis 0\n  actfun apply maxout:k=4 x.npy -o y.npy --index i.npy\n"
      "  actfun apply gelu bits.npy -o y.npy --dtype bf16");
  verb->callback([options] { apply(*options); });
}

}  // namespace actfun::tool
