// SPDX-License-Identifier: Apache-2.0
// actfun_certify: asks the oracle for all 2^32 results of each order, compares the kernels' with them, and writes
// certificates/<function>.json.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "api/certificate.h"
#include "core/exact/oracle.h"

namespace actfun::exact {
namespace {

constexpr Order kOrders[] = {Order::value, Order::slope, Order::curvature};
constexpr std::size_t kHardCases = 32, kHardCasesPerBinade = 4, kShownErrors = 20;
constexpr std::size_t kMeasuredPerBlock = 4096;  ///< distances cost MPFR; more than these are only counted

struct Options {
  std::vector<std::string> functions;
  std::filesystem::path directory;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  bool kernel = true, force = false;
};

bool same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

/// A line that overwrites itself on a terminal and says nothing in a pipe.
class Progress {
 public:
  Progress(std::string text, std::size_t total) : text_(std::move(text)), total_(total) {}
  ~Progress() {
    if (terminal_) std::fputs("\r\033[K", stderr);
  }
  void step() {
    const std::lock_guard lock(mutex_);
    ++done_;
    if (!terminal_) return;
    const double seconds = elapsed(), share = static_cast<double>(done_) / static_cast<double>(total_);
    std::fprintf(stderr, "\r%s %3.0f %%, %.0f s to go\033[K", text_.c_str(), 100 * share,
                 seconds / share * (1 - share));
  }
  double elapsed() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::string text_;
  std::size_t total_, done_ = 0;
  std::mutex mutex_;
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

struct Misrounding {
  float input, got, want;
};

/// What all threads find about one order.
struct Findings {
  OrderCertificate certificate;
  std::vector<Misrounding> misroundings;
  std::uint64_t misrounded = 0;
  std::mutex mutex;
};

/// The hardest inputs, no binade with more than its share, and all that the file had before.
std::vector<HardCase> hardest(std::vector<HardCase> found, const std::vector<HardCase>& known) {
  const auto harder = [](const HardCase& a, const HardCase& b) { return a.log2_distance < b.log2_distance; };
  std::sort(found.begin(), found.end(), harder);
  std::map<std::uint32_t, std::size_t> taken;
  std::vector<HardCase> list = known;
  std::size_t chosen = 0;
  for (const HardCase& h : found) {
    if (chosen == kHardCases) break;
    if (++taken[std::bit_cast<std::uint32_t>(h.input) >> 23] > kHardCasesPerBinade) continue;
    ++chosen;
    if (std::none_of(list.begin(), list.end(), [&](const HardCase& k) { return same(k.input, h.input); }))
      list.push_back(h);
  }
  std::stable_sort(list.begin(), list.end(), harder);
  return list;
}

/// An input whose true value is a midpoint, if f is a polynomial that has one among its first inputs.
std::optional<float> find_tie(const Oracle& oracle, Order order) {
  for (const bool negative : {false, true})
    for (const Piece& piece : oracle.pieces(negative)) {
      if (piece.models[static_cast<int>(order)].kind != Model::Kind::polynomial) continue;
      for (std::uint32_t bits = piece.first; bits <= std::min(piece.last, piece.first + 64); ++bits) {
        const float x = std::bit_cast<float>(bits | (negative ? 0x80000000u : 0));
        if (std::isinf(oracle.pointwise().distance(x, order))) return x;
      }
    }
  return std::nullopt;
}

void certify_block(const Oracle& oracle, const Call& call, Order order, const Options& options, std::uint32_t block,
                   Findings& findings) {
  thread_local std::vector<float> want(kBlockInputs), x(kBlockInputs), got(kBlockInputs);
  const std::uint32_t first = block * kBlockInputs;
  std::vector<std::uint32_t> asked;
  oracle.round_block(first, kBlockInputs, order, want.data(), &asked);

  OutputHash full, spread;
  full.add(want.data(), kBlockInputs);
  for (std::uint32_t i = 0; i < inputs_per_block(Extent::spread); ++i)
    spread.add(&want[input_pattern(Extent::spread, block, i) - first], 1);

  std::vector<HardCase> hard;
  const std::size_t stride = asked.size() / kMeasuredPerBlock + 1;
  for (std::size_t i = 0; i < asked.size(); i += stride) {
    const float input = std::bit_cast<float>(asked[i]);
    const double distance = oracle.pointwise().distance(input, order);
    if (distance < -10 && std::isfinite(distance)) hard.push_back({input, distance});
  }

  std::vector<Misrounding> wrong;
  std::uint64_t misrounded = 0;
  if (options.kernel) {
    for (std::uint32_t i = 0; i < kBlockInputs; ++i) x[i] = std::bit_cast<float>(first + i);
    call.evaluate(order, x.data(), got.data(), kBlockInputs);
    for (std::uint32_t i = 0; i < kBlockInputs; ++i)
      if (!same(got[i], want[i]) && misrounded++ < kShownErrors) wrong.push_back({x[i], got[i], want[i]});
  }

  const std::lock_guard lock(findings.mutex);
  OrderCertificate& c = findings.certificate;
  c.blocks[block] = full.digits();
  c.spread_blocks[block] = spread.digits();
  c.undecided += asked.size();
  c.hard_cases.insert(c.hard_cases.end(), hard.begin(), hard.end());
  findings.misrounded += misrounded;
  findings.misroundings.insert(findings.misroundings.end(), wrong.begin(), wrong.end());
}

/// The worst of many inputs, where none lies so near to a midpoint that it was listed: 0.01 x has only 2^23
/// significands.
void sample_worst_error(const Oracle& oracle, Order order, OrderCertificate& c) {
  std::mt19937 generator(1);
  for (int i = 0; i < 20000; ++i) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(generator()));
    const float y = std::isfinite(x) ? oracle.round(x, order) : 0;
    if (std::abs(y) < 0x1p-126f || !std::isfinite(y)) continue;
    const double e = std::ldexp(std::abs(oracle.value(x, order) - static_cast<double>(y)), 23 - std::ilogb(y));
    if (e > c.worst_error) c.worst_error = e, c.witness = x;
  }
}

void find_worst_error(const Oracle& oracle, Order order, Findings& findings) {
  OrderCertificate& c = findings.certificate;
  for (const Misrounding& m : findings.misroundings)
    if (const double e = oracle.pointwise().error(m.input, m.got, order); e > c.worst_error || std::isnan(e))
      c.worst_error = std::isfinite(e) ? e : std::numeric_limits<double>::max(), c.witness = m.input;
  if (c.worst_error > 0) return;
  if (const auto tie = find_tie(oracle, order))
    c.worst_error = 0.5, c.witness = *tie;
  else if (!c.hard_cases.empty())
    c.worst_error = 0.5 - std::exp2(c.hard_cases[0].log2_distance), c.witness = c.hard_cases[0].input;
  else
    sample_worst_error(oracle, order, c);
}

bool certify(const std::string& function, const Options& options) {
  const Call call = parse_function(function);
  const auto path = options.directory / (std::string(call.info().name) + ".json");
  Certificate certificate = read_certificate(path).value_or(Certificate{});
  if (certificate.complete() && !options.force) {
    std::printf("%s: complete, skipped\n", function.c_str());
    return certificate.clean();
  }
  certificate.function = call.info().name;
  certificate.parameters.clear();
  for (std::size_t i = 0; i < call.info().parameters.size(); ++i)
    certificate.parameters.emplace_back(call.info().parameters[i].name, call.parameters[i]);

  const Oracle oracle(call);
  std::uint64_t misrounded = 0;
  for (const Order order : kOrders) {
    Findings findings;
    findings.certificate.blocks.resize(kBlocks);
    findings.certificate.spread_blocks.resize(kBlocks);
    std::atomic<std::uint32_t> next{0};
    double seconds;
    {
      Progress progress(function + " " + std::string(name_of(order)), kBlocks);
      const auto work = [&] {
        for (std::uint32_t block = next++; block < kBlocks; block = next++) {
          certify_block(oracle, call, order, options, block, findings);
          progress.step();
        }
      };
      std::vector<std::jthread> helpers;
      for (unsigned t = 1; t < options.threads; ++t) helpers.emplace_back(work);
      work();
      helpers.clear();
      seconds = progress.elapsed();
    }
    OrderCertificate& c = findings.certificate;
    c.inputs = std::uint64_t{kBlocks} * kBlockInputs;
    if (options.kernel) c.misrounded = findings.misrounded;
    c.hash = hash_of(c.blocks);
    c.spread_hash = hash_of(c.spread_blocks);
    c.hard_cases = hardest(std::move(c.hard_cases), certificate[order].hard_cases);
    find_worst_error(oracle, order, findings);
    std::printf("%s %s: %llu misrounded, %llu left to MPFR, %.1f s\n", function.c_str(),
                std::string(name_of(order)).c_str(), static_cast<unsigned long long>(findings.misrounded),
                static_cast<unsigned long long>(c.undecided), seconds);
    std::sort(findings.misroundings.begin(), findings.misroundings.end(), [](const auto& a, const auto& b) {
      return std::bit_cast<std::uint32_t>(a.input) < std::bit_cast<std::uint32_t>(b.input);
    });
    for (std::size_t i = 0; i < std::min(kShownErrors, findings.misroundings.size()); ++i) {
      const Misrounding& m = findings.misroundings[i];
      std::printf("  x = %a: got %a, want %a\n", static_cast<double>(m.input), static_cast<double>(m.got),
                  static_cast<double>(m.want));
    }
    std::fflush(stdout);
    misrounded += findings.misrounded;
    certificate[order] = std::move(c);
    if (options.kernel)
      record(certificate, {.order = order,
                           .target = std::string(current_target().name),
                           .extent = Extent::full,
                           .inputs = certificate[order].inputs,
                           .failed = std::vector<FailedBlock>(findings.misrounded > 0)});
  }
  write_certificate(certificate, path);
  return misrounded == 0;
}

int usage(int status) {
  std::fputs(
      "usage: actfun_certify [--threads N] [--out DIR] [--no-kernel] [--force] FUNCTION... | --all\n"
      "Writes DIR/FUNCTION.json from the oracle and compares this machine's kernels with it.\n"
      "Exit status: 0 all results are correctly rounded, 1 some are not, 2 an error.\n",
      status == 0 ? stdout : stderr);
  return status;
}

int run(int argc, char** argv) {
  Options options;
  options.directory = certificate_directory();
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool more = i + 1 < argc;
    if (argument == "--help") return usage(0);
    if (argument == "--threads" && more)
      options.threads = static_cast<unsigned>(std::max(1, std::atoi(argv[++i])));
    else if (argument == "--out" && more)
      options.directory = argv[++i];
    else if (argument == "--no-kernel")
      options.kernel = false;
    else if (argument == "--force")
      options.force = true;
    else if (argument == "--all")
      for (const Entry& entry : functions()) {
        if (entry.elementwise()) options.functions.emplace_back(entry.info->name);
      }
    else if (argument.starts_with("-"))
      return usage(2);
    else
      options.functions.push_back(argument);
  }
  if (options.functions.empty()) return usage(2);
  std::filesystem::create_directories(options.directory);
  bool clean = true;
  for (const std::string& function : options.functions) clean = certify(function, options) && clean;
  return clean ? 0 : 1;
}

}  // namespace
}  // namespace actfun::exact

int main(int argc, char** argv) {
  try {
    return actfun::exact::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "actfun_certify: %s\n", error.what());
    return 2;
  }
}
