// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tool/call.h"
#include "tool/health_report.h"
#include "tool/health_state.h"
#include "tool/output.h"
#include "tool/progress.h"
#include "tool/tensors.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

using namespace health;
namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> inputs, functions, axes, merged;
  std::string kinks, dtype, state, html, output;
  std::vector<std::int64_t> shape;
  bool activations = false, exact = false, json = false, speed = false;
  float tolerance = 0.01f;
  std::size_t worst = 3;
  unsigned threads = 0;
  std::optional<double> max_dead, max_saturated, max_nan, max_inf, max_subnormal, max_f16_overflow, max_bf16_overflow,
      max_constant, min_gain, max_gain;
};

/// "VALUE" for every layer, or "PATTERN=VALUE" for those whose names match; the last one that matches holds.
class PerLayer {
 public:
  PerLayer(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const std::size_t equals = text.find('='), colon = text.find(':');
      if (equals == text.npos || colon < equals)  // elu:alpha=0.5 is a value
        list_.push_back({"*", text});
      else
        list_.push_back({text.substr(0, equals), text.substr(equals + 1)});
    }
  }
  std::optional<std::string> of(const std::string& layer) const {
    for (std::size_t i = list_.size(); i-- > 0;)
      if (list_[i].first == layer || fnmatch(list_[i].first.c_str(), layer.c_str(), 0) == 0) {
        used_[i] = true;
        return list_[i].second;
      }
    return std::nullopt;
  }
  /// Throws when a pattern was never of use: a name that is misspelt.
  void check_used(std::string_view option) const {
    for (std::size_t i = 0; i < list_.size(); ++i)
      if (list_[i].first != "*" && !used_.contains(i))
        fail("{} {}={}: there is no layer of this name", option, list_[i].first, list_[i].second);
  }

 private:
  std::vector<std::pair<std::string, std::string>> list_;
  mutable std::map<std::size_t, bool> used_;
};

/// The array as [outer, channels, inner]: `axis` is a number, "none", or nothing, which means the last axis of arrays
/// with two and more.
Shape shape_of(const Tensor& tensor, const std::optional<std::string>& axis) {
  const std::size_t size = tensor.size(), dimensions = tensor.shape.size();
  if (size == 0) fail("{}: it has no elements: its shape is {}", tensor.where, tensor.shape_text());
  if ((!axis && dimensions < 2) || axis == "none") return {size, 1, 1};
  std::int64_t at = -1;
  if (axis) {
    const auto [end, error] = std::from_chars(axis->data(), axis->data() + axis->size(), at);
    if (error != std::errc() || end != axis->data() + axis->size())
      fail("'{}' is not an axis: a number or none", *axis);
  }
  const auto count = static_cast<std::int64_t>(dimensions);
  if (at < -count || at >= count)
    fail("{}: axis {} does not exist: the shape is {}", tensor.where, at, tensor.shape_text());
  const auto channel = static_cast<std::size_t>(at < 0 ? at + count : at);
  Shape shape{1, tensor.shape[channel], 1};
  for (std::size_t i = 0; i < dimensions; ++i) {
    if (i < channel) shape.outer *= tensor.shape[i];
    if (i > channel) shape.inner *= tensor.shape[i];
  }
  if (tensor.fortran_order) std::swap(shape.outer, shape.inner);  // the first axis lies closest
  return shape;
}

/// So many bytes of a file are read at a time: they stay in a cache.
constexpr std::size_t kWindow = std::size_t{1} << 18;

/// Adds a tensor whose elements lie in memory: parts go to whatever thread is free, and what the threads know is
/// merged. Neither changes a result.
void add_in_memory(const Tensor& tensor, const Shape& shape, Patient& patient, unsigned threads, Progress& progress) {
  const Target& target = current_target();
  const Cut cut(shape);
  const std::size_t bytes = info_of(tensor.format).bytes;
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&](Layer& layer) {
    std::vector<float> floats;
    const Reader reader(*tensor.mapping);
    std::vector<unsigned char> window(std::max(kWindow, cut.largest_piece() * bytes));
    std::size_t begin = 0, end = 0;  // of the elements in it
    const Layer::Get get = [&](std::size_t first, std::size_t n) -> const float* {
      if (first < begin || first + n > end) {
        begin = first;
        end = std::min(tensor.size(), first + window.size() / bytes);
        reader.read(static_cast<std::size_t>(tensor.elements - tensor.mapping->data()) + first * bytes, window.data(),
                    (end - begin) * bytes);
      }
      const unsigned char* const from = &window[(first - begin) * bytes];
      if (tensor.format == Format::f32) return reinterpret_cast<const float*>(from);
      floats.resize(n);
      to_floats(tensor.format, from, floats.data(), n, target);
      return floats.data();
    };
    for (std::size_t part; (part = next++) < cut.parts();) {
      layer.add_part(cut, part, get, target);
      progress.add((cut.first(part + 1) - cut.first(part)) * bytes);
    }
  };
  const auto help = [&] {
    try {
      Layer own(*patient.plan, shape.channels);
      work(own);
      const std::lock_guard lock(mutex);
      patient.layer->merge(own);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  if (threads == 1 || cut.parts() < 2) return work(*patient.layer);
  {
    std::vector<std::jthread> pool;
    for (unsigned i = 0; i + 1 < std::min<std::size_t>(threads, cut.parts()); ++i) {
      try {
        pool.emplace_back(help);
      } catch (const std::system_error&) {
        break;  // no memory or leave for another thread: those that run do the work
      }
    }
    help();
  }
  if (failure) std::rethrow_exception(failure);
}

/// Adds a tensor that is decompressed on the way.
void add_stream(const Tensor& tensor, const Shape& shape, Patient& patient, Progress& progress) {
  const Target& target = current_target();
  const Cut cut(shape);
  const std::size_t bytes = info_of(tensor.format).bytes;
  std::vector<unsigned char> raw;
  std::vector<float> floats;
  Layer own(*patient.plan, shape.channels);  // what is broken further on must not count
  try {
    const Tensor::Next read = tensor.read();
    const Layer::Get get = [&](std::size_t, std::size_t n) -> const float* {
      raw.resize(n * bytes);
      floats.resize(n);
      read(raw.data(), raw.size());
      to_floats(tensor.format, raw.data(), floats.data(), n, target);
      progress.add(raw.size());
      return floats.data();
    };
    for (std::size_t part = 0; part < cut.parts(); ++part) own.add_part(cut, part, get, target);
  } catch (const std::runtime_error& error) {
    fail("cannot read {}: {}", tensor.where, error.what());
  }
  patient.layer->merge(own);
}

/// FILE, LAYER=FILE, or a directory of files.
struct Input {
  std::string path, layer;
};
std::vector<Input> inputs_of(const std::vector<std::string>& texts) {
  std::vector<Input> inputs;
  for (const std::string& text : texts) {
    Input input{text, ""};
    const std::size_t equals = text.find('=');
    if (equals != text.npos && equals > 0 && !fs::exists(text))
      input = {text.substr(equals + 1), text.substr(0, equals)};
    if (!fs::is_directory(input.path)) {
      inputs.push_back(input);
      continue;
    }
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(input.path)) {
      const std::string name = entry.path().filename();
      for (const std::string_view suffix : {".npy", ".npz", ".safetensors", ".npy.gz"})
        if (name.ends_with(suffix)) {
          found.push_back(entry.path());
          break;
        }
    }
    if (found.empty()) fail("{} holds no .npy, .npz, .safetensors or .npy.gz", input.path);
    std::ranges::sort(found);
    for (const std::string& path : found) inputs.push_back({path, input.layer});
  }
  return inputs;
}

class Checkup {
 public:
  explicit Checkup(const Options& options) : options_(options), functions_(options.functions), axes_(options.axes) {
    if (!options.dtype.empty()) bare_.format = parse_format(options.dtype);
    bare_.shape = options.shape;
    if (std::ranges::count_if(bare_.shape, [](std::int64_t n) { return n < 0; }) > 1)
      fail("--shape: only one size may be -1");
    for (const std::int64_t n : bare_.shape)
      if (n < -1) fail("--shape: {} is no size", n);
  }

  void run() {
    if (!options_.state.empty() && (fs::exists(options_.state) || options_.inputs.empty()))
      patients_ = read_state(options_.state);
    const std::vector<Input> inputs = inputs_of(options_.inputs);
    std::vector<TensorFile> files;  // all headers are read first: what is wrong is told before the work
    for (const Input& input : inputs) {
      files.emplace_back(input.path, bare_);
      if (files.back().tensors().empty())
        fail("{} holds no tensor of floating-point numbers{}", input.path,
             files.back().skipped() > 0 ? fmt::format("; {} others are left out", files.back().skipped()) : "");
      for (const Tensor& tensor : files.back().tensors()) {
        bytes_ += tensor.size() * info_of(tensor.format).bytes;
        sizes_[input.layer.empty() ? tensor.name : input.layer] += tensor.size();
      }
    }
    Progress progress("reading", bytes_);
    const auto each = [&](auto body) {
      for (std::size_t i = 0; i < files.size(); ++i)
        for (const Tensor& tensor : files[i].tensors())
          body(tensor, inputs[i].layer.empty() ? tensor.name : inputs[i].layer);
    };
    each([&](const Tensor& tensor, const std::string& name) { shape_for(tensor, patient(tensor, name)); });
    functions_.check_used("--function");
    axes_.check_used("--axis");
    each([&](const Tensor& tensor, const std::string& name) {
      Patient& p = patient(tensor, name);
      const Shape shape = shape_for(tensor, p);
      if (tensor.elements)
        add_in_memory(tensor, shape, p, options_.threads, progress);
      else
        add_stream(tensor, shape, p, progress);
      ++p.batches;
    });
  }
  Patients& patients() { return patients_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  /// The layer that a tensor belongs to, made if there is none.
  Patient& patient(const Tensor& tensor, const std::string& name) {
    if (Patient* const known = patients_.find(name)) {
      if (known->plan->format != tensor.format)
        fail("{}: its elements are {}; layer '{}' holds {}", tensor.where, info_of(tensor.format).name, name,
             info_of(known->plan->format).name);
      check_function(*known);
      return *known;
    }
    Patient made;
    made.name = name;
    if (const std::optional<Call> call = call_of(name))
      made.plan = std::make_unique<Plan>(*call, tensor.format, options_.tolerance, exact(name));
    else
      made.plan = std::make_unique<Plan>(tensor.format, exact(name));
    const Shape shape = shape_of(tensor, axes_.of(name));
    try {
      made.layer = std::make_unique<Layer>(*made.plan, shape.channels);
    } catch (const std::invalid_argument& error) {
      fail("{}: {}", tensor.where, error.what());
    }
    patients_.add(std::move(made));
    return patients_.list().back();
  }

  /// Of small layers every element is given to the kernels: it costs nothing.
  bool exact(const std::string& layer) const {
    constexpr std::uint64_t kSmall = std::uint64_t{1} << 20;
    return options_.exact || sizes_.at(layer) <= kSmall;
  }

  std::optional<Call> call_of(const std::string& layer) const {
    const std::optional<std::string> text = functions_.of(layer);
    if (text && *text != "none") {
      const Call call = parse_call(*text, options_.kinks);
      if (!call.entry->elementwise()) fail("--function {}: it works on rows, not on single elements", *text);
      return call;
    }
    if (!text && !options_.activations)
      fail(
          "layer '{0}' has no function: --function NAME or --function {0}=NAME names the one that its elements are "
          "given "
          "to, --activations says that they are its results",
          layer);
    return std::nullopt;
  }
  /// A layer that a state knows has its function already; the command line may leave it out.
  void check_function(const Patient& known) const {
    if (!functions_.of(known.name) && !options_.activations) return;
    const std::optional<Call> call = call_of(known.name);
    const auto text = [](const std::optional<Call>& c) { return c ? c->text() : std::string("none (activations)"); };
    if (text(call) != text(known.plan->call) || (call && call->kinks != known.plan->call->kinks))
      fail("layer '{}' is known with the function {}, not {}", known.name, text(known.plan->call), text(call));
    if (call && options_.tolerance != known.plan->tolerance)
      fail("layer '{}' is known with the tolerance {}, not {}", known.name, decimal(known.plan->tolerance),
           decimal(options_.tolerance));
  }

  Shape shape_for(const Tensor& tensor, const Patient& p) const {
    const Shape shape = shape_of(tensor, axes_.of(p.name));
    if (shape.channels != p.layer->channels())
      fail("{}: it has {} channels, its shape being {}; layer '{}' has {} (--axis chooses another axis)", tensor.where,
           shape.channels, tensor.shape_text(), p.name, p.layer->channels());
    return shape;
  }

  const Options& options_;
  PerLayer functions_, axes_;
  Bare bare_;
  Patients patients_;
  std::uint64_t bytes_ = 0;                     ///< of all tensors
  std::map<std::string, std::uint64_t> sizes_;  ///< elements of each layer in this run
};

/// All limits that the user set and that a layer breaks.
std::vector<std::string> broken_limits(const Options& options, const std::vector<Examined>& layers) {
  std::vector<std::string> broken;
  for (const Examined& e : layers) {
    const Summary& all = e.diagnosis.all;
    const auto share = [](std::uint64_t part, std::uint64_t whole) {
      return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
    };
    const auto check = [&](const std::optional<double>& limit, bool most, double value, std::string_view what) {
      if (!limit || (most ? value <= *limit : value >= *limit)) return;
      broken.push_back(fmt::format("layer '{}': {} is {:.6g}, {} is {:.6g}", e.patient->name, what, value,
                                   most ? "the limit" : "the least allowed", *limit));
    };
    check(options.max_dead, true, share(e.diagnosis.dead, e.diagnosis.channels.size()), "the share of dead units");
    check(options.max_constant, true, share(e.diagnosis.constant, e.diagnosis.channels.size()),
          "the share of constant units");
    check(options.max_nan, true, static_cast<double>(all.counts[nan]), "the number of NaN");
    check(options.max_inf, true, static_cast<double>(all.infinite()), "the number of infinities");
    check(options.max_subnormal, true, share(all.counts[subnormal], all.elements), "the share of subnormal elements");
    check(options.max_f16_overflow, true, static_cast<double>(all.counts[f16_overflow]),
          "the number of elements too large for f16");
    check(options.max_bf16_overflow, true, static_cast<double>(all.counts[bf16_overflow]),
          "the number of elements too large for bf16");
    if (!e.patient->plan->call) continue;
    check(options.max_saturated, true, share(all.counts[health::saturated], all.elements),
          "the share of saturated elements");
    check(options.min_gain, false, all.gain, "the gain E[f'^2]");
    check(options.max_gain, true, all.gain, "the gain E[f'^2]");
  }
  return broken;
}

/// Time on the clock and of the processor.
struct Timer {
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  std::clock_t processor = std::clock();

  double wall() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }
  double work() const { return static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC; }
};

/// What reading the files alone takes of the processor.
double reading_time(const std::vector<Input>& files) {
  double least = INFINITY;
  std::vector<unsigned char> window(kWindow);
  for (int round = 0; round < 3; ++round) {
    const Timer timer;
    for (const Input& input : files) {
      const Mapping mapping(input.path);
      const Reader reader(mapping);
      for (std::size_t at = 0; at < mapping.size(); at += window.size())
        reader.read(at, window.data(), std::min(window.size(), mapping.size() - at));
    }
    least = std::min(least, timer.work());
  }
  return least;
}

/// How long it took from the files' headers to the last element, what of that was reading, and the rest next to a copy
/// of as many bytes in memory. They are compared by the time of the processor, which other programs on the machine do
/// not change.
void print_speed(std::FILE* to, const std::vector<Input>& files, std::uint64_t bytes, unsigned threads, double wall,
                 double work) {
  const std::size_t size = std::min<std::uint64_t>(bytes, std::uint64_t{1} << 28),
                    part = (size + threads - 1) / threads;
  std::vector<unsigned char> from(size, 1), goal(size);
  double copy = INFINITY;
  for (int round = 0; round < 5; ++round) {
    const Timer timer;
    {
      std::vector<std::jthread> pool;
      for (std::size_t at = 0; at < size; at += part)
        pool.emplace_back([&, at] { std::memcpy(&goal[at], &from[at], std::min(part, size - at)); });
    }
    copy = std::min(copy, timer.work());
  }
  const double each = 1e9 / static_cast<double>(bytes), copy_each = 1e9 / static_cast<double>(size),
               reading = reading_time(files);
  fmt::print(to,
             "{} bytes in {:.1f} ms, {:.2f} GB/s; processor {:.1f} ms, {:.4f} ns a byte, of which reading {:.4f} ns; a "
             "copy in memory, as many threads: {:.4f} ns; counting next to a copy: {:.2f}\n",
             bytes, 1e3 * wall, 1e-9 * static_cast<double>(bytes) / wall, 1e3 * work, work * each, reading * each,
             copy * copy_each, copy * copy_each / ((work - reading) * each));
}

void run_health(const Options& options) {
  if (options.inputs.empty() && options.state.empty()) fail("there is nothing to check: name files, or a --state");
  if (options.activations && !options.functions.empty())
    fail("--activations and --function exclude each other; --function LAYER=none says it of one layer");
  std::optional<OutputFile> html;  // first: a bad place is told before the work
  if (!options.html.empty()) html.emplace(options.html);
  const Timer timer;
  Checkup checkup(options);
  checkup.run();
  const double wall = timer.wall(), work = timer.work();
  if (!options.state.empty() && !options.inputs.empty()) write_state(checkup.patients(), options.state);

  const std::vector<Examined> layers = examine(checkup.patients());
  if (html) {
    const std::string page = health_page(layers);
    html->write(page.data(), page.size(), 0);
    html->commit();
  }
  if (options.json)
    fmt::print("{}\n", health_json(layers).dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
  else
    fmt::print("{}", health_text(layers, options.worst));
  if (options.speed)
    print_speed(options.json ? stderr : stdout, inputs_of(options.inputs), checkup.bytes(), options.threads, wall,
                work);

  const std::vector<std::string> broken = broken_limits(options, layers);
  if (broken.empty()) return;
  throw CheckFailed(fmt::format("{}", fmt::join(broken, "\nactfun: ")));
}

void merge(const Options& options) {
  Patients all;
  for (const std::string& path : options.merged) all.merge(read_state(path));
  write_state(all, options.output);
}

}  // namespace

void add_health(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("health", "Dead and saturated units, NaN and more in tensors of a network");
  auto options = std::make_shared<Options>();
  verb->add_option("FILE", options->inputs,
                   "[LAYER=]FILE or a directory: .npy, .npz, .safetensors, .npy.gz, or bare elements");
  verb->add_option("-f,--function", options->functions,
                   "[LAYER=]FUNCTION that the elements are given to; * and ? match; none: they are activations");
  verb->add_flag("--activations", options->activations, "The elements are results of functions, of whichever");
  add_kinks_option(verb, options->kinks);
  verb->add_option("--axis", options->axes,
                   "[LAYER=]AXIS of the channels, or none; the last one of several unless given");
  verb->add_option("--tolerance", options->tolerance, "Saturated is where |f'| is below")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_flag("--exact", options->exact, "f and f' of every element by the kernels: no approximation, slower");
  verb->add_option("--dtype", options->dtype, "Of bare elements, or what integers in .npy files are")
      ->check(CLI::IsMember(format_names()));
  verb->add_option("--shape", options->shape, "Of bare elements, such as --shape=-1,64")->delimiter(',');
  verb->add_option("--state", options->state, "File of what is known: read if it is there, then written");
  verb->add_option("--html", options->html, "Write a page");
  verb->add_flag("--json", options->json, "Everything, of every channel");
  verb->add_option("--worst", options->worst, "Units that the text lists of each layer")->capture_default_str();
  add_threads_option(verb, options->threads);
  verb->add_flag("--speed", options->speed, "Print how fast it was, next to a copy");
  const std::pair<const char*, std::optional<double> Options::*> kLimits[] = {
      {"--max-dead", &Options::max_dead},
      {"--max-constant", &Options::max_constant},
      {"--max-saturated", &Options::max_saturated},
      {"--max-subnormal", &Options::max_subnormal},
      {"--max-nan", &Options::max_nan},
      {"--max-inf", &Options::max_inf},
      {"--max-f16-overflow", &Options::max_f16_overflow},
      {"--max-bf16-overflow", &Options::max_bf16_overflow},
      {"--min-gain", &Options::min_gain},
      {"--max-gain", &Options::max_gain}};
  for (const auto& [name, member] : kLimits) {
    const std::string_view text = name;
    const bool share = text.ends_with("dead") || text.ends_with("constant") || text.ends_with("saturated") ||
                       text.ends_with("subnormal");
    CLI::Option* const option = verb->add_option_function<double>(
        name, [options, member = member](const double& value) { (*options).*member = value; },
        share ? "Share of any layer from which on the exit status is 1" : "Likewise, a number");
    if (share)
      option->check(CLI::Range(0.0, 1.0));
    else
      option->check(CLI::NonNegativeNumber);
  }
  verb->footer(
      "A layer is what has one name: a file's without its suffix, or an archive's entry; tensors of one name are "
      "batches\n"
      "of one layer. Exit status: 1 when a limit is crossed.\n"
      "Examples:\n  actfun health fc1.npy fc2.npy --function relu --max-dead 0.1 --max-nan 0\n"
      "  actfun health step1/ step2/ -f gelu -f 'conv*=relu' --axis 'conv*=1' --html health.html\n"
      "  actfun health monday.npz -f silu --state monday.json\n"
      "  actfun health merge monday.json tuesday.json -o all.json && actfun health --state all.json\n"
      "  actfun health dump.bin --dtype bf16 --shape=-1,4096 -f gelu_tanh --json");
  CLI::App* merge_verb = verb->add_subcommand("merge", "Put states together");
  merge_verb->add_option("STATE", options->merged, "Files that --state wrote")->required();
  merge_verb->add_option("-o,--output", options->output, "Where the result goes; may be one of them")->required();
  merge_verb->callback([options] { merge(*options); });
  verb->callback([options, merge_verb] {
    if (!merge_verb->parsed()) run_health(*options);
  });
}

}  // namespace actfun::tool
