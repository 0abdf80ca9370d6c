// SPDX-License-Identifier: Apache-2.0
#include "api/certificate.h"

#include <xxhash.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace actfun {
namespace {

using Json = nlohmann::ordered_json;

constexpr Order kOrders[] = {Order::value, Order::slope, Order::curvature};

std::string digits_of(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  std::string digits;
  for (const unsigned char byte : canonical.digest) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", byte);
    digits += pair;
  }
  return digits;
}

std::string_view name_of(Extent extent) { return extent == Extent::full ? "full" : "spread"; }

std::string hexadecimal(float x) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%a", static_cast<double>(x));
  return buffer;
}
float float_from(const Json& text) {
  float x;
  if (!parse_number(text.get<std::string>(), x)) throw std::runtime_error("no number: " + text.get<std::string>());
  return x;
}

Json to_json(const OrderCertificate& c) {
  Json j;
  j["inputs"] = c.inputs;
  j["misrounded"] = c.misrounded ? Json(*c.misrounded) : Json();
  j["worst_error"] = c.worst_error;
  j["witness"] = hexadecimal(c.witness);
  j["undecided"] = c.undecided;
  j["hard_cases"] = Json::array();
  for (const HardCase& h : c.hard_cases)
    j["hard_cases"].push_back({{"input", hexadecimal(h.input)}, {"log2_distance", h.log2_distance}});
  j["hash"] = c.hash;
  j["spread_hash"] = c.spread_hash;
  j["blocks"] = c.blocks;
  j["spread_blocks"] = c.spread_blocks;
  return j;
}
OrderCertificate order_from(const Json& j) {
  OrderCertificate c;
  c.inputs = j.at("inputs");
  if (!j.at("misrounded").is_null()) c.misrounded = j.at("misrounded").get<std::uint64_t>();
  c.worst_error = j.at("worst_error");
  c.witness = float_from(j.at("witness"));
  c.undecided = j.at("undecided");
  for (const Json& h : j.at("hard_cases")) c.hard_cases.push_back({float_from(h.at("input")), h.at("log2_distance")});
  c.hash = j.at("hash");
  c.spread_hash = j.at("spread_hash");
  c.blocks = j.at("blocks").get<std::vector<std::string>>();
  c.spread_blocks = j.at("spread_blocks").get<std::vector<std::string>>();
  return c;
}

std::filesystem::path program_directory() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

std::string cpu_name() {
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

std::string hash_block(const Call& call, Order order, const Target& target, Extent extent, std::uint32_t block) {
  constexpr std::uint32_t kChunk = 1u << 12;
  float x[kChunk], y[kChunk];
  OutputHash hash;
  for (std::uint32_t begin = 0; begin < inputs_per_block(extent); begin += kChunk) {
    for (std::uint32_t i = 0; i < kChunk; ++i) x[i] = std::bit_cast<float>(input_pattern(extent, block, begin + i));
    call.evaluate(order, x, y, kChunk, target);
    hash.add(y, kChunk);
  }
  return hash.digits();
}

}  // namespace

std::string_view name_of(Order order) {
  constexpr std::string_view names[] = {"value", "slope", "curvature"};
  return names[static_cast<int>(order)];
}

OutputHash::OutputHash() : state_(XXH3_createState()) { XXH3_128bits_reset(static_cast<XXH3_state_t*>(state_)); }
OutputHash::~OutputHash() { XXH3_freeState(static_cast<XXH3_state_t*>(state_)); }
void OutputHash::add(const float* y, std::size_t n) {
  constexpr std::size_t kChunk = 1024;
  std::uint32_t bits[kChunk];
  for (std::size_t begin = 0; begin < n; begin += kChunk) {
    const std::size_t count = std::min(kChunk, n - begin);
    for (std::size_t i = 0; i < count; ++i) {
      const auto b = std::bit_cast<std::uint32_t>(y[begin + i]);
      const std::uint32_t canonical = (b & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : b;
      bits[i] = std::endian::native == std::endian::little ? canonical : __builtin_bswap32(canonical);
    }
    XXH3_128bits_update(static_cast<XXH3_state_t*>(state_), bits, 4 * count);
  }
}
std::string OutputHash::digits() const {
  return digits_of(XXH3_128bits_digest(static_cast<const XXH3_state_t*>(state_)));
}

std::string hash_of(std::span<const std::string> blocks) {
  const std::string all = std::accumulate(blocks.begin(), blocks.end(), std::string());
  return digits_of(XXH3_128bits(all.data(), all.size()));
}

bool Certificate::clean() const {
  for (const OrderCertificate& order : orders)
    if (!order.complete() || order.misrounded != std::uint64_t{0}) return false;
  return true;
}

std::filesystem::path certificate_directory() {
  if (const char* directory = std::getenv("ACTFUN_CERTIFICATES"); directory && *directory) return directory;
  const auto installed = program_directory() / ".." / "share" / "actfun" / "certificates";
  std::error_code error;
  if (std::filesystem::is_directory(installed, error)) return installed;
  return ACTFUN_CERTIFICATES_SOURCE_DIR;
}
std::filesystem::path certificate_path(std::string_view function) {
  return certificate_directory() / (std::string(function) + ".json");
}

std::optional<Certificate> read_certificate(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  try {
    const Json j = Json::parse(file);
    Certificate c;
    c.function = j.at("function");
    c.dtype = j.at("dtype");
    c.tier = j.at("tier");
    for (const auto& [name, value] : j.at("parameters").items()) c.parameters.emplace_back(name, value);
    for (const Order order : kOrders)
      if (const auto found = j.find(std::string(name_of(order))); found != j.end()) c[order] = order_from(*found);
    for (const Json& r : j.at("runs"))
      c.runs.push_back({r.at("target"), r.at("order"), r.at("extent"), r.at("inputs"), r.at("failed_blocks"),
                        r.at("cpu"), r.at("date")});
    return c;
  } catch (const std::exception& error) {
    throw std::runtime_error(path.string() + " is not a certificate: " + error.what());
  }
}
std::optional<Certificate> find_certificate(std::string_view function) {
  return read_certificate(certificate_path(function));
}

void write_certificate(const Certificate& certificate, const std::filesystem::path& path) {
  Json j;
  j["function"] = certificate.function;
  j["parameters"] = Json::object();
  for (const auto& [name, value] : certificate.parameters) j["parameters"][name] = value;
  j["dtype"] = certificate.dtype;
  j["tier"] = certificate.tier;
  for (const Order order : kOrders)
    if (certificate[order].complete()) j[std::string(name_of(order))] = to_json(certificate[order]);
  j["runs"] = Json::array();
  for (const Run& r : certificate.runs)
    j["runs"].push_back({{"target", r.target},
                         {"order", r.order},
                         {"extent", r.extent},
                         {"inputs", r.inputs},
                         {"failed_blocks", r.failed_blocks},
                         {"cpu", r.cpu},
                         {"date", r.date}});
  std::filesystem::path beside = path;
  beside += ".part";
  {
    std::ofstream file(beside);
    file << j.dump(1) << '\n';
    if (!file.flush()) throw std::runtime_error("cannot write " + beside.string());
  }
  std::filesystem::rename(beside, path);
}

Verification verify(const Call& call, Order order, const Target& target, const Certificate& certificate, Extent extent,
                    unsigned threads, const std::function<void(double)>& progress,
                    std::span<const std::uint32_t> blocks) {
  if (call.info().name != certificate.function)
    throw std::invalid_argument("the certificate is about " + certificate.function + ", not " + call.text());
  if (!call.preset()) throw std::invalid_argument(call.text() + ": certificates are about the default parameters");
  if (!certificate[order].complete())
    throw std::invalid_argument("the certificate of " + certificate.function + " lacks its " +
                                std::string(name_of(order)));
  std::vector<std::uint32_t> all(kBlocks);
  std::iota(all.begin(), all.end(), 0u);
  if (blocks.empty()) blocks = all;
  const auto& expected = extent == Extent::full ? certificate[order].blocks : certificate[order].spread_blocks;

  Verification result{.order = order, .target = std::string(target.name), .extent = extent, .failed = {}};
  const auto start = std::chrono::steady_clock::now();
  std::atomic<std::size_t> next{0};
  std::size_t done = 0;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < blocks.size(); i = next++) {
      const std::uint32_t block = blocks[i];
      const bool right = hash_block(call, order, target, extent, block) == expected[block];
      const std::lock_guard lock(mutex);
      if (!right) result.failed.push_back({block, block * kBlockInputs, block * kBlockInputs + (kBlockInputs - 1)});
      if (progress) progress(static_cast<double>(++done) / static_cast<double>(blocks.size()));
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned t = 1; t < threads; ++t) helpers.emplace_back(work);
    work();
  }
  std::sort(result.failed.begin(), result.failed.end(),
            [](const FailedBlock& a, const FailedBlock& b) { return a.index < b.index; });
  result.inputs = std::uint64_t{inputs_per_block(extent)} * blocks.size();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

void record(Certificate& certificate, const Verification& v) {
  const Run run{
      v.target, std::string(name_of(v.order)), std::string(name_of(v.extent)), v.inputs, v.failed.size(), cpu_name(),
      today()};
  std::erase_if(certificate.runs,
                [&](const Run& r) { return r.target == run.target && r.order == run.order && r.extent == run.extent; });
  certificate.runs.push_back(run);
}

}  // namespace actfun
