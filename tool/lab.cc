// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <ranges>
#include <string>
#include <vector>

#include "lab/runs.h"
#include "lab/train.h"
#include "tool/call.h"
#include "tool/claims.h"
#include "tool/lab_report.h"
#include "tool/output.h"
#include "tool/progress.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

namespace fs = std::filesystem;
using lab::Data;
using lab::Json;
using lab::Settings;

struct Options {
  std::vector<std::string> functions;
  std::vector<int> depths = {2};
  std::vector<long> widths = {64};
  std::vector<double> rates = {0.05};
  std::vector<std::string> initialisers = {"he"}, methods = {"sgd"};
  int seeds = 5, epochs = 20;
  long batch = 32;
  double momentum = 0;
  std::string learn = "learnable", share = "layer", output, dump;
  bool centred = false, raw = false, claims = false;
  unsigned threads = 0;
  lab::DataOptions data;
};

template <class Names>
std::size_t position(const Names& names, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(names, name) - std::begin(names));
}

/// The hidden layers that the text asks for: F for `depth` layers of the same function, F/G/H for one of each.
std::vector<std::string> hidden_layers(const std::string& text, int depth) {
  std::vector<std::string> list;
  for (const auto part : std::views::split(text, '/'))
    list.push_back(parse_function(std::string_view(part.begin(), part.end())).text());
  if (list.size() == 1) list.resize(static_cast<std::size_t>(depth), std::string(list[0]));
  return list;
}

/// Every network that the options ask for, with its first seed.
std::vector<Settings> networks(const Options& options) {
  std::vector<Settings> list;
  for (const std::string& function : options.functions)
    for (const int depth : function.find('/') == function.npos ? options.depths : std::vector<int>{0})  // own depth
      for (const long width : options.widths)
        for (const std::string& initialiser : options.initialisers)
          for (const std::string& method : options.methods)
            for (const double rate : options.rates) {
              Settings s;
              s.functions = hidden_layers(function, depth);
              s.width = width;
              s.initialiser = static_cast<lab::Initialiser>(position(lab::kInitialisers, initialiser));
              s.learn = static_cast<lab::Learn>(position(lab::kLearn, options.learn));
              if (options.share != "layer") s.share = options.share == "element" ? 1 : std::stol(options.share);
              s.centred = options.centred;
              s.method = static_cast<lab::Method>(position(lab::kMethods, method));
              s.rate = rate;
              s.momentum = s.method == lab::Method::sgd ? options.momentum : 0;
              s.batch = options.batch;
              s.epochs = options.epochs;
              list.push_back(s);
            }
  return list;
}

/// What sets a network apart from the others of the sweep.
std::string label(const Settings& s, const Options& options) {
  std::string text = s.function_text();
  if (options.depths.size() > 1) text += fmt::format(", {} layers", s.functions.size());
  if (options.widths.size() > 1) text += fmt::format(", width {}", s.width);
  if (options.initialisers.size() > 1)
    text += fmt::format(", {}", lab::kInitialisers[static_cast<std::size_t>(s.initialiser)]);
  if (options.methods.size() > 1) text += fmt::format(", {}", lab::kMethods[static_cast<std::size_t>(s.method)]);
  if (options.rates.size() > 1) text += fmt::format(", rate {}", s.rate);
  return text;
}

void sweep(const Options& options) {
  if (options.functions.empty()) fail("a FUNCTION is missing: which networks are to be trained?");
  for (const double rate : options.rates)
    if (!(rate > 0 && std::isfinite(rate))) fail("--rate {} is not positive and finite", rate);
  if (!(options.momentum >= 0 && options.momentum < 1)) fail("--momentum {} is not in [0, 1)", options.momentum);
  const std::vector<Settings> wanted = networks(options);
  const Data data = lab::read_data(options.data);
  for (const Settings& s : wanted)  // what is wrong with one of them is told before any is trained
    static_cast<void>(lab::Network<float>(s, data.train.x.cols(), data.classes));

  const fs::path directory = options.output.empty() ? "lab_runs" : options.output;
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) fail("cannot make the directory {}: {}", directory.string(), error.message());
  lab::RunFile file(directory / "runs.jsonl");
  OutputFile page(directory / "report.html");

  std::vector<lab::Task> tasks;
  Progress progress("training",
                    wanted.size() * static_cast<std::uint64_t>(options.seeds * std::max(options.epochs, 1)));
  for (Settings s : wanted)
    for (s.seed = 1; s.seed <= static_cast<std::uint64_t>(options.seeds); ++s.seed) {
      const std::string name = replace_all(fmt::format("{}-{}", label(s, options), s.seed), "/", "+");
      const std::string dump =
          options.dump.empty() ? "" : (fs::path(options.dump) / replace_all(name, ", ", "-")).string();
      tasks.push_back(
          {s.json(data), [s, dump, &data, &progress] { return lab::train(s, data, dump, [&] { progress.add(1); }); }});
    }
  lab::do_runs(file, tasks, options.threads, [] {});

  std::vector<Group> groups;
  for (Settings s : wanted) {
    groups.push_back({label(s, options), {}});
    for (s.seed = 1; s.seed <= static_cast<std::uint64_t>(options.seeds); ++s.seed)
      groups.back().runs.push_back(file.find(s.json(data)));
  }
  const std::string html = lab_page(groups);
  page.write(html.data(), html.size(), 0);
  page.commit();
  fmt::print("{}\n{}\n{}\n", text(overview(groups)), (directory / "runs.jsonl").string(),
             (directory / "report.html").string());
}

}  // namespace

void add_lab(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("lab", "Trains networks on real data and shows what their functions did");
  auto options = std::make_shared<Options>();
  const auto names = [](const auto& list) {
    return CLI::IsMember(std::vector<std::string>(std::begin(list), std::end(list)));
  };
  const CLI::Validator share(
      [](std::string& text) {
        double number = 0;
        const bool good =
            text == "layer" || text == "element" ||
            (parse_number(text, number) && number >= 1 && number <= 65536 && number == static_cast<long>(number));
        return good ? std::string() : "'" + text + "' is not layer, element or a number of units";
      },
      "layer|element|UNITS");
  verb->add_option("FUNCTION", options->functions, "One network a function; F/G/H has one for each hidden layer");
  verb->add_flag("--claims", options->claims, "Puts what is said of activation functions to the test, instead");
  verb->add_option("--data", options->data.data,
                   "Samples: .npy, IDX or .csv, gzip too; handwritten digits unless given");
  verb->add_option("--labels", options->data.labels,
                   "Their labels, 0 to classes - 1; a .csv may have them in its last column");
  verb->add_option("--test", options->data.test_data, "Samples to test with, instead of a share of the others");
  verb->add_option("--test-labels", options->data.test_labels, "Their labels");
  verb->add_option("--test-share", options->data.test_share, "The share that is set aside for the test")
      ->capture_default_str();
  verb->add_option("--classes", options->data.classes, "Labels from here on are refused");
  verb->add_flag("--raw", options->raw, "Features as they are, not to mean 0 and deviation 1");
  verb->add_option("--depth", options->depths, "Hidden layers")
      ->delimiter(',')
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  verb->add_option("--width", options->widths, "Units in each of them")
      ->delimiter(',')
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  verb->add_option("--seeds", options->seeds, "Runs of each network, with seeds 1 to this")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  verb->add_option("--epochs", options->epochs, "Times that all samples are seen")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  verb->add_option("--optimiser", options->methods, "sgd, adam")
      ->delimiter(',')
      ->check(names(lab::kMethods))
      ->capture_default_str();
  verb->add_option("--rate", options->rates, "The learning rate")->delimiter(',')->capture_default_str();
  verb->add_option("--momentum", options->momentum, "Of sgd")->capture_default_str();
  verb->add_option("--batch", options->batch, "Samples a step")->check(CLI::Range(1, 1 << 20))->capture_default_str();
  verb->add_option("--initialiser", options->initialisers, "he, glorot (by the function's gain), lecun (without)")
      ->delimiter(',')
      ->check(names(lab::kInitialisers))
      ->capture_default_str();
  verb->add_option("--learn", options->learn, "Which parameters of functions are trained")
      ->check(names(lab::kLearn))
      ->capture_default_str();
  verb->add_option("--share", options->share, "Units that share a learned parameter: layer, element, or how many")
      ->check(share)
      ->capture_default_str();
  verb->add_flag("--centre", options->centred, "Takes f(0) from all outputs: what zero-centred ones change");
  add_threads_option(verb, options->threads, "Runs at the same time");
  verb->add_option("--dump", options->dump, "Directory for the trained networks' sums z, a .npy a layer and run");
  verb->add_option("-o,--output", options->output,
                   "Directory for runs.jsonl and report.html (lab_runs), with --claims docs");
  verb->footer(
      "A run that is finished is in runs.jsonl, whatever happens then; it is not done again.\n"
      "Examples:\n  actfun lab relu tanh sigmoid\n  actfun lab sigmoid relu --depth 2,8 --rate 0.01,0.1 --seeds 3\n"
      "  actfun lab tanh/relu/maxout:k=3 prelu --share element --optimiser adam --rate 0.001\n"
      "  actfun lab gelu --data train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz\n"
      "  actfun lab --claims");
  verb->callback([options] {
    if (options->data.data.empty()) {
      if (!options->data.labels.empty()) fail("--labels {} need --data", options->data.labels);
      const lab::DataOptions digits = lab::digits();
      options->data.data = digits.data;
      options->data.labels = digits.labels;
    }
    options->data.standardise = !options->raw;
    options->claims ? check_claims(options->output.empty() ? "docs" : options->output, options->threads)
                    : sweep(*options);
  });
}

}  // namespace actfun::tool
