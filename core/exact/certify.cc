// SPDX-License-Identifier: Apache-2.0
// actfun_certify: asks the oracle for all 2^32 results of each order, and for results in the other formats, compares
// the kernels' with them, and writes certificates/<function>.json. What a certificate already has is not done again, so
// that an interrupted run goes on where it stopped.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "api/certificate.h"
#include "api/parts.h"
#include "core/exact/oracle.h"

namespace actfun::exact {
namespace {

constexpr Order kOrders[] = {Order::value, Order::slope, Order::curvature};
constexpr std::size_t kHardCases = 32, kHardCasesPerBinade = 4, kShownErrors = 20;
constexpr std::size_t kMeasuredPerBlock = 4096;  ///< distances cost MPFR; more than these are only counted

struct Options {
  std::vector<std::string> functions;
  std::vector<Order> orders;
  std::vector<Format> formats;
  std::filesystem::path directory;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  bool kernel = true, force = false, only_fast = false;
};

bool same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}
bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}

/// One run over the inputs: all of f32 in one order and tier, or another format, three orders from one evaluation.
struct Work {
  std::string function;
  Order order;
  Format format;
  Tier tier = Tier::exact;

  bool on_floats() const { return format == Format::f32; }
  std::size_t steps() const;
  std::string text() const {
    return function + " " + std::string(info_of(format).name) + (on_floats() ? " " + std::string(name_of(order)) : "") +
           (tier == Tier::fast ? " fast" : "");
  }
};
constexpr std::size_t kStepInputs = 1000;  ///< of a format

std::size_t Work::steps() const {
  if (on_floats()) return kBlocks;
  const std::size_t n = format == Format::f64 ? kWideInputs : std::size_t{1} << (8 * info_of(format).bytes);
  return (n + kStepInputs - 1) / kStepInputs;
}

/// A line over all of the work that overwrites itself on a terminal and says nothing in a pipe. What a step takes is
/// measured, for each kind of work; until then it is taken from two cores of 2024.
class Progress {
 public:
  explicit Progress(const std::vector<Work>& work) {
    for (const Work& w : work) left_[index(w)] += w.steps();
  }
  ~Progress() { clear(); }

  void begin(const std::string& text, std::size_t number, std::size_t of) {
    text_ = "[" + std::to_string(number) + "/" + std::to_string(of) + "] " + text;
    start_ = Clock::now();
    done_ = 0;
  }
  void step(const Work& work) {
    const std::lock_guard lock(mutex_);
    ++done_;
    const std::size_t k = index(work);
    --left_[k];
    if (!terminal_) return;
    const Clock::time_point now = Clock::now();
    if (done_ < work.steps() && now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    seconds_[k] = elapsed() / static_cast<double>(done_);
    double rest = 0;
    for (std::size_t i = 0; i < kKinds; ++i) rest += static_cast<double>(left_[i]) * seconds_[i];
    const auto minutes = static_cast<long>(rest / 60 + 0.5);
    std::fprintf(stderr, "\r%s %3zu %%, %ld h %02ld min to go\033[K", text_.c_str(), 100 * done_ / work.steps(),
                 minutes / 60, minutes % 60);
  }
  void clear() const {
    if (terminal_) std::fputs("\r\033[K", stderr);
  }
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kKinds = 2;
  static std::size_t index(const Work& work) { return work.on_floats() ? 0 : 1; }

  std::string text_;
  std::size_t left_[kKinds] = {}, done_ = 0;
  double seconds_[kKinds] = {0.1, 0.02};
  std::mutex mutex_;
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  Clock::time_point start_ = Clock::now(), shown_{};
};

/// Runs f(0), ..., f(steps - 1) on all threads and says how long it took.
template <class F>
double run_steps(const Work& work, unsigned threads, Progress& progress, F f) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto loop = [&] {
    try {
      for (std::size_t i = next++; i < work.steps(); i = next++) {
        f(i);
        progress.step(work);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = work.steps();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned t = 1; t < threads; ++t) helpers.emplace_back(loop);
    loop();
  }
  if (failure) std::rethrow_exception(failure);
  return progress.elapsed();
}

struct Misrounding {
  float input, got, want;
};

/// What all threads find about one order.
struct Findings {
  OrderCertificate certificate;
  std::vector<Misrounding> misroundings;
  std::uint64_t misrounded = 0;
  std::vector<float> sparse = std::vector<float>(kBlocks * inputs_per_block(Extent::sparse));
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
  for (std::uint32_t i = 0, n = inputs_per_block(Extent::sparse); i < n; ++i)
    findings.sparse[std::size_t{block} * n + i] = want[input_pattern(Extent::sparse, block, i) - first];

  std::vector<HardCase> hard;
  const std::size_t stride = asked.size() / kMeasuredPerBlock + 1;
  for (std::size_t i = 0; i < asked.size(); i += stride) {
    const float input = std::bit_cast<float>(asked[i]);
    const double distance = oracle.pointwise().distance(input, order);
    if (distance < -10 && std::isfinite(distance)) hard.push_back({input, want[asked[i] - first], distance});
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

double error(const Oracle& oracle, const Misrounding& m, Order order) {
  const Rounded right = oracle.pointwise().round(static_cast<double>(m.input), order, {});
  return std::abs((right.value - static_cast<double>(m.got)) + right.rest) / unit_of(right.value, Format::f32);
}

void find_worst_error(const Oracle& oracle, Order order, Findings& findings) {
  OrderCertificate& c = findings.certificate;
  for (const Misrounding& m : findings.misroundings)
    if (const double e = error(oracle, m, order); e > c.worst_error || std::isnan(e))
      c.worst_error = std::isfinite(e) ? e : std::numeric_limits<double>::max(), c.witness = m.input;
  if (c.worst_error > 0) return;
  if (const auto tie = find_tie(oracle, order))
    c.worst_error = 0.5, c.witness = *tie;
  else if (!c.hard_cases.empty())
    c.worst_error = 0.5 - std::exp2(c.hard_cases[0].log2_distance), c.witness = c.hard_cases[0].input;
  else
    sample_worst_error(oracle, order, c);
}

void report_misroundings(std::vector<Misrounding>& list) {
  std::sort(list.begin(), list.end(), [](const Misrounding& a, const Misrounding& b) {
    return std::bit_cast<std::uint32_t>(a.input) < std::bit_cast<std::uint32_t>(b.input);
  });
  for (std::size_t i = 0; i < std::min(kShownErrors, list.size()); ++i)
    std::printf("  x = %a: got %a, want %a\n", static_cast<double>(list[i].input), static_cast<double>(list[i].got),
                static_cast<double>(list[i].want));
}

/// All of f32, one order. Returns whether every result is correctly rounded; so do the others.
bool certify_blocks(const Work& work, const Call& call, const Oracle& oracle, const Options& options,
                    Certificate& certificate, Progress& progress) {
  const Order order = work.order;
  Findings findings;
  findings.certificate.blocks.resize(kBlocks);
  findings.certificate.spread_blocks.resize(kBlocks);
  const double seconds = run_steps(work, options.threads, progress, [&](std::size_t block) {
    certify_block(oracle, call, order, options, static_cast<std::uint32_t>(block), findings);
  });
  OrderCertificate& c = findings.certificate;
  c.inputs = std::uint64_t{kBlocks} * kBlockInputs;
  if (options.kernel) c.misrounded = findings.misrounded;
  c.hash = hash_of(c.blocks);
  c.spread_hash = hash_of(c.spread_blocks);
  c.sparse_hash = hash_of(Format::f32, findings.sparse.data(), findings.sparse.size());
  c.hard_cases = hardest(std::move(c.hard_cases), certificate[order].hard_cases);
  find_worst_error(oracle, order, findings);
  progress.clear();
  std::printf("%s: %llu misrounded, %llu left to MPFR, %.1f s\n", work.text().c_str(),
              static_cast<unsigned long long>(findings.misrounded), static_cast<unsigned long long>(c.undecided),
              seconds);
  report_misroundings(findings.misroundings);
  certificate[order] = std::move(c);
  if (options.kernel)
    record(certificate, {.order = order,
                         .target = std::string(current_target().name),
                         .extent = Extent::full,
                         .inputs = certificate[order].inputs,
                         .failed = std::vector<FailedBlock>(findings.misrounded > 0)});
  return findings.misrounded == 0;
}

/// A root of f' that is not at zero, and the largest |f'| within distance 1 of it.
struct Root {
  double x, largest = 0;
};
std::vector<Root> roots_of_slope(Call call) {
  call.tier = Tier::exact;
  std::vector<Root> roots;
  for (const Extremum& e : call.info().extrema) {
    double x;
    if (e.order != 0 || !parse_number(e.x, x) || x == 0) continue;
    Root root{x};
    for (int i = -1000; i <= 1000; ++i) {
      const auto at = static_cast<float>(x + i * 0.001);
      float slope;
      call.evaluate(Order::slope, &at, &slope, 1);
      root.largest = std::max(root.largest, static_cast<double>(std::abs(slope)));
    }
    roots.push_back(root);
  }
  return roots;
}

/// All of f32 in the fast tier, one order. Returns whether the bound holds.
bool certify_fast(const Work& work, Call call, const Oracle& oracle, const Options& options, Certificate& certificate,
                  Progress& progress) {
  constexpr double kBound = 2;
  call.tier = Tier::fast;
  FastCertificate c;
  const std::vector<Root> roots = work.order == Order::slope ? roots_of_slope(call) : std::vector<Root>{};
  c.blocks.resize(kBlocks);
  std::vector<float> sparse(kBlocks * inputs_per_block(Extent::sparse));
  std::mutex mutex;
  const double seconds = run_steps(work, options.threads, progress, [&](std::size_t step) {
    thread_local std::vector<float> x(kBlockInputs), got(kBlockInputs), want(kBlockInputs);
    const auto block = static_cast<std::uint32_t>(step), first = block * kBlockInputs;
    oracle.round_block(first, kBlockInputs, work.order, want.data(), nullptr);
    for (std::uint32_t i = 0; i < kBlockInputs; ++i) x[i] = std::bit_cast<float>(first + i);
    call.evaluate(work.order, x.data(), got.data(), kBlockInputs);
    OutputHash hash;
    hash.add(got.data(), kBlockInputs);
    for (std::uint32_t i = 0, n = inputs_per_block(Extent::sparse); i < n; ++i)
      sparse[std::size_t{block} * n + i] = got[input_pattern(Extent::sparse, block, i) - first];
    // What is not the correctly rounded result is compared with the exact tier's doubles, right to 2^-40.
    double worst = 0;
    float witness = 0;
    std::vector<double> inputs, results;
    for (std::uint32_t i = 0; i < kBlockInputs; ++i)
      if (!same(got[i], want[i])) {
        inputs.push_back(static_cast<double>(x[i]));
        // An infinity, a NaN or a zero's sign that is wrong has no place.
        const bool number = std::isfinite(got[i]) && std::isfinite(want[i]) && got[i] != want[i];
        results.push_back(number ? static_cast<double>(got[i]) : std::numeric_limits<double>::infinity());
      }
    std::vector<double> truth(inputs.size()), error(inputs.size());
    kernels(call, current_target())
        .raw[static_cast<int>(part_of(work.order))](inputs.data(), truth.data(), error.data(), inputs.size(),
                                                    constants(call).data());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      double e = std::abs(results[i] - truth[i]) / unit_of(truth[i], Format::f32);
      if (!(e < std::numeric_limits<double>::max())) e = std::numeric_limits<double>::max();
      const auto root = std::find_if(roots.begin(), roots.end(),
                                     [&](const Root& r) { return e > kBound && std::abs(inputs[i] - r.x) <= 1; });
      if (root != roots.end()) {
        const double near = std::abs(results[i] - truth[i]) / (0x1p-24 * root->largest);
        const std::lock_guard lock(mutex);
        c.root = static_cast<float>(root->x);
        ++c.near_root;
        if (near > c.worst_near_root) c.worst_near_root = near, c.root_witness = static_cast<float>(inputs[i]);
        continue;
      }
      if (e > worst) worst = e, witness = static_cast<float>(inputs[i]);
    }
    const std::lock_guard lock(mutex);
    c.blocks[block] = hash.digits();
    if (worst > c.worst_error || (worst == c.worst_error && witness < c.witness))
      c.worst_error = worst, c.witness = witness;
  });
  c.inputs = std::uint64_t{kBlocks} * kBlockInputs;
  c.hash = hash_of(c.blocks);
  c.sparse_hash = hash_of(Format::f32, sparse.data(), sparse.size());
  progress.clear();
  std::printf("%s: at most %.4f ulp, at %a, %.1f s\n", work.text().c_str(), c.worst_error,
              static_cast<double>(c.witness), seconds);
  if (c.near_root > 0)
    std::printf("  but for %llu near the root %g: at most %.4f times 2^-24 of what f' reaches there, at %a\n",
                static_cast<unsigned long long>(c.near_root), static_cast<double>(c.root), c.worst_near_root,
                static_cast<double>(c.root_witness));
  certificate.fast[static_cast<int>(work.order)] = c;
  return c.worst_error <= kBound && c.worst_near_root <= 1;
}

/// A kernel's result in a format that is not the right one, or as wrong as any.
struct Worst {
  double error = 0, input = 0, got = 0, want = 0;
};

bool certify_format(const Work& work, const Call& call, const Pointwise& pointwise, const Options& options,
                    Certificate& certificate, Progress& progress) {
  const Format format = work.format;
  const Rounding rounding{.format = format, .saturate = call.overflow == Overflow::saturate};
  const std::vector<unsigned char> x = format_inputs(call.info(), format);
  const std::size_t bytes = info_of(format).bytes, n = x.size() / bytes;
  std::vector<unsigned char> want[3], got[3];
  for (const Order order : kOrders) {
    const int k = static_cast<int>(order);
    want[k].resize(x.size());
    got[k].resize(x.size());
  }
  if (options.kernel) {
    std::vector<std::jthread> all;
    const std::size_t part = (n + options.threads - 1) / options.threads;
    for (std::size_t first = 0; first < n; first += part)
      all.emplace_back([&, first, count = std::min(part, n - first)] {
        for (const Order order : kOrders)
          call.apply(order, format, &x[first * bytes], &got[static_cast<int>(order)][first * bytes], count,
                     current_target());
      });
  }
  FormatCertificate c[3];
  Worst worst[3], first_wrong[3];
  std::uint64_t misrounded[3] = {};
  std::mutex mutex;
  const double seconds = run_steps(work, options.threads, progress, [&](std::size_t step) {
    Worst here[3], wrong[3];
    std::uint64_t count[3] = {};
    for (std::size_t i = step * kStepInputs; i < std::min(n, (step + 1) * kStepInputs); ++i) {
      const double input = element(format, x.data(), i);
      constexpr double nan = std::numeric_limits<double>::quiet_NaN();
      const auto right = std::isnan(input) ? std::array<Rounded, 3>{Rounded{nan, 0}, {nan, 0}, {nan, 0}}
                                           : pointwise.round(input, rounding);
      for (std::size_t k = 0; k < 3; ++k) {
        const double y = right[k].value, answer = options.kernel ? element(format, got[k].data(), i) : y;
        set_element(format, want[k].data(), i, y);
        const bool ok = same(y, answer);
        // What has overflowed, or was held at the largest number, has no place of its own.
        const bool beyond = !std::isfinite(y) || (ok && std::abs(right[k].rest) > unit_of(y, format));
        double e = beyond ? 0 : std::abs((y - answer) + right[k].rest) / unit_of(y, format);
        if (!ok && !(e < std::numeric_limits<double>::max())) e = std::numeric_limits<double>::max();
        if (!ok && beyond) e = std::numeric_limits<double>::max();
        if (e > here[k].error) here[k] = {e, input, answer, y};
        if (!ok && count[k]++ == 0) wrong[k] = {e, input, answer, y};
      }
    }
    const std::lock_guard lock(mutex);
    for (std::size_t k = 0; k < 3; ++k) {
      if (here[k].error > worst[k].error || (here[k].error == worst[k].error && here[k].input < worst[k].input))
        worst[k] = here[k];  // whatever the order of the threads
      if (count[k] && !misrounded[k]) first_wrong[k] = wrong[k];
      misrounded[k] += count[k];
    }
  });
  progress.clear();
  bool clean = true;
  for (const Order order : kOrders) {
    const auto k = static_cast<std::size_t>(order);
    c[k].inputs = n;
    if (options.kernel) c[k].misrounded = misrounded[k];
    c[k].worst_error = worst[k].error;
    c[k].witness = worst[k].input;
    c[k].hash = hash_of(format, want[k].data(), n);
    if (format == Format::f64) {
      const std::vector<unsigned char> sparse = sparse_elements(format, want[k]);
      c[k].sparse_hash = hash_of(format, sparse.data(), sparse.size() / bytes);
    }
    certificate(format, order) = c[k];
    clean = clean && misrounded[k] == 0;
    std::printf("%s %s: %llu misrounded, at most %.6g ulp%s", work.text().c_str(), std::string(name_of(order)).c_str(),
                static_cast<unsigned long long>(misrounded[k]), worst[k].error, k == 2 ? "" : "\n");
    if (misrounded[k])
      std::printf("%s  x = %a: got %a, want %a%s", k == 2 ? "\n" : "", first_wrong[k].input, first_wrong[k].got,
                  first_wrong[k].want, k == 2 ? "" : "\n");
  }
  std::printf(", %.1f s\n", seconds);
  return clean;
}

/// What is asked for and not in the certificate.
std::vector<Work> missing(const std::string& function, const Certificate& certificate, const Options& options) {
  std::vector<Work> list;
  for (const Format format : options.formats) {
    if (format != Format::f32) {
      if (options.force || !certificate.complete(format)) list.push_back({function, Order::value, format});
      continue;
    }
    for (const Order order : options.orders) {
      if (!options.only_fast && (options.force || !certificate[order].complete()))
        list.push_back({function, order, format});
    }
    Call call = parse_function(function);
    call.tier = Tier::fast;
    for (const Order order : {Order::value, Order::slope})
      if (options.kernel && call.has_fast_kernel(order, current_target()) &&
          (options.force || !certificate.fast[static_cast<int>(order)].complete()))
        list.push_back({function, order, format, Tier::fast});
  }
  return list;
}

struct Task {
  Call call;
  std::filesystem::path path;
  Certificate certificate;
};

Task make_task(const std::string& function, const Options& options) {
  Task task{parse_function(function), {}, {}};
  task.path = options.directory / (std::string(task.call.info().name) + ".json");
  task.certificate = read_certificate(task.path).value_or(Certificate{});
  task.certificate.function = task.call.info().name;
  task.certificate.parameters.clear();
  for (std::size_t i = 0; i < task.call.info().parameters.size(); ++i)
    task.certificate.parameters.emplace_back(task.call.info().parameters[i].name, task.call.parameters[i]);
  return task;
}

/// Whether nothing in the certificate says that a result was wrong.
bool clean(const Certificate& certificate) {
  const auto right = [](const auto& c) { return c.misrounded.value_or(0) == 0; };
  bool all = true;
  for (const Order order : kOrders) {
    all = all && right(certificate[order]);
    for (std::size_t f = 0; f < kFormatCount; ++f) all = all && right(certificate(static_cast<Format>(f), order));
  }
  return all;
}

bool certify(const Options& options) {
  std::vector<Work> work;
  bool all_clean = true;
  for (const std::string& function : options.functions) {
    const Task task = make_task(function, options);
    const std::vector<Work> list = missing(function, task.certificate, options);
    if (list.empty()) {
      std::printf("%s: complete, skipped\n", function.c_str());
      all_clean = all_clean && clean(task.certificate);
    }
    work.insert(work.end(), list.begin(), list.end());
  }
  Progress progress(work);
  std::optional<Task> task;
  std::optional<Oracle> oracle;
  std::optional<Pointwise> pointwise;
  for (std::size_t i = 0; i < work.size(); ++i) {
    const Work& w = work[i];
    if (i == 0 || work[i - 1].function != w.function) {
      task = make_task(w.function, options);
      oracle.reset();
      pointwise.emplace(task->call);
    }
    if (w.on_floats() && !oracle) oracle.emplace(task->call);
    progress.begin(w.text(), i + 1, work.size());
    bool ok;
    if (w.tier == Tier::fast)
      ok = certify_fast(w, task->call, *oracle, options, task->certificate, progress);
    else if (w.on_floats())
      ok = certify_blocks(w, task->call, *oracle, options, task->certificate, progress);
    else
      ok = certify_format(w, task->call, *pointwise, options, task->certificate, progress);
    std::fflush(stdout);
    write_certificate(task->certificate, task->path);
    all_clean = all_clean && ok;
  }
  return all_clean;
}

int usage(int status) {
  std::fputs(
      "usage: actfun_certify [--threads N] [--out DIR] [--no-kernel] [--force] [--order 0,1,2]\n"
      "                      [--format f32,f64,... | --only-fast] FUNCTION... | --all\n"
      "Writes DIR/FUNCTION.json from the oracle and compares this machine's kernels with it. What the file has "
      "already\n"
      "is left as it is, unless forced. --order is about f32 only: of the other formats all orders come at once.\n"
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
    else if (argument == "--order" && more)
      for (const char* digit = argv[++i]; *digit; ++digit) {
        if (*digit >= '0' && *digit <= '2')
          options.orders.push_back(static_cast<Order>(*digit - '0'));
        else if (*digit != ',')
          return usage(2);
      }
    else if (argument == "--format" && more)
      for (std::string rest = argv[++i]; !rest.empty();) {
        const std::string name = rest.substr(0, rest.find(','));
        rest.erase(0, name.size() + 1);
        const auto* found = std::find_if(std::begin(kFormats), std::end(kFormats),
                                         [&](const FormatInfo& format) { return format.name == name; });
        if (found == std::end(kFormats)) return usage(2);
        options.formats.push_back(static_cast<Format>(found - kFormats));
      }
    else if (argument == "--no-kernel")
      options.kernel = false;
    else if (argument == "--only-fast")
      options.only_fast = true, options.formats = {Format::f32};
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
  if (options.orders.empty()) options.orders.assign(std::begin(kOrders), std::end(kOrders));
  if (options.formats.empty())
    for (std::size_t f = 0; f < kFormatCount; ++f) options.formats.push_back(static_cast<Format>(f));
  std::filesystem::create_directories(options.directory);
  return certify(options) ? 0 : 1;
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
