// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <string>
#include <vector>

#include "api/certificate.h"
#include "tool/call.h"
#include "tool/progress.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

struct Options {
  std::vector<std::string> functions;
  std::vector<int> orders;
  std::vector<std::string> formats;
  std::string tier, target, certificates;
  bool all = false, all_targets = false, spread = false, sparse = false, record = false;

  Extent extent() const { return spread ? Extent::spread : sparse ? Extent::sparse : Extent::full; }
  unsigned threads = 0;
};

/// What is verified, with everything that can be wrong about it found out before the first minute is spent.
struct Task {
  Call call;
  std::filesystem::path path;
  Certificate certificate;
};

std::vector<Task> tasks(const Options& options) {
  if (options.all && !options.functions.empty()) fail("--all and names of functions exclude each other");
  std::vector<std::string> texts = options.functions;
  if (texts.empty())
    for (const Entry& entry : functions())
      if (entry.elementwise()) texts.emplace_back(entry.info->name);
  std::vector<Task> list;
  for (const std::string& text : texts) {
    Call call = parse_function(text);
    call.tier = find_tier(options.tier);
    if (!call.entry->elementwise())
      fail("{} works on rows: there are certificates of elementwise functions", call.text());
    if (!call.preset())
      fail("{}: certificates are about default parameters ({})", call.text(), parse_function(call.info().name).text());
    const std::filesystem::path path = options.certificates.empty() ? certificate_path(call.info().name)
                                                                    : std::filesystem::path(options.certificates) /
                                                                          fmt::format("{}.json", call.info().name);
    std::optional<Certificate> certificate = read_certificate(path);
    if (!certificate) fail("{} has no certificate: {} does not exist", call.text(), path.string());
    list.push_back({call, path, std::move(*certificate)});
  }
  return list;
}

std::vector<const Target*> targets(const Options& options) {
  std::vector<const Target*> list;
  if (options.all_targets) {
    for (const Target& target : compiled_targets())
      if (supported(target)) list.push_back(&target);
  } else {
    list.push_back(options.target.empty() ? &current_target() : &find_target(options.target));
    if (!supported(*list[0])) fail("this machine does not support {}", list[0]->name);
  }
  return list;
}

std::string range_text(const FailedBlock& block) {
  return fmt::format("block {}: inputs {} to {} (bits {:#010x} to {:#010x})", block.index,
                     hexadecimal(std::bit_cast<float>(block.first)), hexadecimal(std::bit_cast<float>(block.last)),
                     block.first, block.last);
}

Verification verify_one(const Task& task, Order order, Format format, const Target& target, const Options& options) {
  if (format != Format::f32) return actfun::verify(task.call, order, format, target, task.certificate);
  constexpr std::uint64_t kSteps = 1000;
  Progress progress(fmt::format("{} {} {}", task.call.text(), name_of(order), target.name), kSteps);
  std::uint64_t shown = 0;
  return actfun::verify(task.call, order, target, task.certificate, options.extent(), options.threads,
                        [&](double share) {
                          const auto done = static_cast<std::uint64_t>(share * kSteps);
                          if (done > shown) progress.add(done - std::exchange(shown, done));
                        });
}

void verify(const Options& options) {
  std::vector<Task> list = tasks(options);
  std::vector<std::string> failures;
  for (Task& task : list) {
    for (const std::string& name : options.formats)
      for (const int order : options.orders)
        for (const Target* target : targets(options)) {
          const Format format = parse_format(name);
          const bool own = format == Format::f32 && task.call.has_fast_kernel(static_cast<Order>(order), *target);
          if (task.call.tier == Tier::fast && !own) continue;  // the exact tier's
          const Verification run = verify_one(task, static_cast<Order>(order), format, *target, options);
          fmt::print("{:<13} {:<9} {:<8} {:<6} {:>10} inputs {:>7.2f} s  {}\n", task.call.text(), name_of(run.order),
                     name, run.target, run.inputs, run.seconds,
                     run.passed() ? "as certified" : fmt::format("WRONG in {} blocks", run.failed.size()));
          std::fflush(stdout);
          for (const FailedBlock& block : run.failed)
            failures.push_back(fmt::format("{} {} {} on {}, {}", task.call.text(), name_of(run.order), name, run.target,
                                           format == Format::f32 ? range_text(block) : "some of all inputs"));
          if (!own) record(task.certificate, run);
        }
    if (options.record) write_certificate(task.certificate, task.path);
  }
  if (!failures.empty())
    throw CheckFailed(fmt::format("results differ from the certificate\n{}", fmt::join(failures, "\n")));
}

}  // namespace

void add_verify(CLI::App& app) {
  CLI::App* verb =
      app.add_subcommand("verify", "All results of this machine, in every format, against the certificates");
  auto options = std::make_shared<Options>();
  options->orders = {0, 1, 2};
  options->formats = format_names();
  verb->add_option("FUNCTION", options->functions, "All elementwise functions unless given");
  verb->add_flag("--all", options->all, "All elementwise functions, as without a name");
  verb->add_option("--dtype", options->formats, "Formats; all unless given")
      ->delimiter(',')
      ->check(CLI::IsMember(format_names()));
  verb->add_option("--order", options->orders, "0 value, 1 first, 2 second derivative; all unless given")
      ->delimiter(',')
      ->check(CLI::Range(0, 2));
  CLI::Option* target = verb->add_option("--target", options->target, "An instruction set of `actfun targets`");
  verb->add_flag("--all-targets", options->all_targets, "All that this machine supports, one after another")
      ->excludes(target);
  CLI::Option* spread =
      verb->add_flag("--spread", options->spread, "Of f32 one input in 32, for slow instruction sets");
  verb->add_flag("--sparse", options->sparse, "Of f32 one input in 256, for slow machines")->excludes(spread);
  add_threads_option(verb, options->threads);
  verb->add_option("--certificates", options->certificates, "Directory of the certificates");
  add_tier_option(verb, options->tier);
  verb->add_flag("--record", options->record, "Enter the runs in the certificates' files");
  verb->footer(
      "Exit status 1 names the blocks of inputs whose results differ.\n"
      "Examples:\n  actfun verify gelu\n  actfun verify tanh --order 1 --target AVX2 --dtype f32\n"
      "  actfun verify --all --dtype f16,bf16,f8e4m3fn,f8e5m2 --all-targets\n"
      "  actfun verify --all-targets --spread\n  actfun verify --all --tier fast --all-targets");
  verb->callback([options] { verify(*options); });
}

}  // namespace actfun::tool
