// SPDX-License-Identifier: Apache-2.0
#include "api/certificate.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
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

std::string_view name_of(Extent extent) {
  return extent == Extent::full ? "full" : extent == Extent::spread ? "spread" : "sparse";
}

template <class T>
std::string hexadecimal(T x) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%a", static_cast<double>(x));
  return buffer;
}
template <class T = float>
T float_from(const Json& text) {
  T x;
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
    j["hard_cases"].push_back(
        {{"input", hexadecimal(h.input)}, {"output", hexadecimal(h.output)}, {"log2_distance", h.log2_distance}});
  j["hash"] = c.hash;
  j["spread_hash"] = c.spread_hash;
  j["sparse_hash"] = c.sparse_hash;
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
  for (const Json& h : j.at("hard_cases"))
    c.hard_cases.push_back({float_from(h.at("input")), float_from(h.at("output")), h.at("log2_distance")});
  c.hash = j.at("hash");
  c.spread_hash = j.at("spread_hash");
  c.sparse_hash = j.at("sparse_hash");
  c.blocks = j.at("blocks").get<std::vector<std::string>>();
  c.spread_blocks = j.at("spread_blocks").get<std::vector<std::string>>();
  return c;
}

Json to_json(const FormatCertificate& c) {
  Json j;
  j["inputs"] = c.inputs;
  j["misrounded"] = c.misrounded ? Json(*c.misrounded) : Json();
  j["worst_error"] = c.worst_error;
  j["witness"] = hexadecimal(c.witness);
  j["hash"] = c.hash;
  if (!c.sparse_hash.empty()) j["sparse_hash"] = c.sparse_hash;
  return j;
}
FormatCertificate format_from(const Json& j) {
  FormatCertificate c;
  c.inputs = j.at("inputs");
  if (!j.at("misrounded").is_null()) c.misrounded = j.at("misrounded").get<std::uint64_t>();
  c.worst_error = j.at("worst_error");
  c.witness = float_from<double>(j.at("witness"));
  c.hash = j.at("hash");
  c.sparse_hash = j.value("sparse_hash", "");
  return c;
}

Json to_json(const FastCertificate& c) {
  Json j = {{"inputs", c.inputs}, {"worst_error", c.worst_error}, {"witness", hexadecimal(c.witness)}};
  if (c.near_root > 0)
    j["near_root"] = {{"root", hexadecimal(c.root)},
                      {"results", c.near_root},
                      {"worst_error", c.worst_near_root},
                      {"witness", hexadecimal(c.root_witness)}};
  j["hash"] = c.hash;
  j["sparse_hash"] = c.sparse_hash;
  j["blocks"] = c.blocks;
  return j;
}
FastCertificate fast_from(const Json& j) {
  FastCertificate c;
  c.inputs = j.at("inputs");
  c.worst_error = j.at("worst_error");
  c.witness = float_from(j.at("witness"));
  if (const auto found = j.find("near_root"); found != j.end()) {
    c.root = float_from(found->at("root"));
    c.near_root = found->at("results");
    c.worst_near_root = found->at("worst_error");
    c.root_witness = float_from(found->at("witness"));
  }
  c.hash = j.at("hash");
  c.sparse_hash = j.at("sparse_hash");
  c.blocks = j.at("blocks").get<std::vector<std::string>>();
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

bool Certificate::complete(Format format) const {
  if (format == Format::f32) return complete();
  return std::all_of(kOrders, kOrders + 3, [&](Order order) { return (*this)(format, order).complete(); });
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
    if (const auto fast = j.find("fast"); fast != j.end())
      for (const Order order : {Order::value, Order::slope})
        if (const auto found = fast->find(std::string(name_of(order))); found != fast->end())
          c.fast[static_cast<int>(order)] = fast_from(*found);
    if (const auto formats = j.find("formats"); formats != j.end())
      for (std::size_t f = 0; f < kFormatCount; ++f)
        if (const auto format = formats->find(std::string(kFormats[f].name)); format != formats->end())
          for (const Order order : kOrders)
            if (const auto found = format->find(std::string(name_of(order))); found != format->end())
              c(static_cast<Format>(f), order) = format_from(*found);
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
  for (const Order order : {Order::value, Order::slope})
    if (const FastCertificate& found = certificate.fast[static_cast<int>(order)]; found.complete())
      j["fast"][std::string(name_of(order))] = to_json(found);
  for (std::size_t f = 0; f < kFormatCount; ++f)
    for (const Order order : kOrders)
      if (const FormatCertificate& found = certificate(static_cast<Format>(f), order); found.complete())
        j["formats"][std::string(kFormats[f].name)][std::string(name_of(order))] = to_json(found);
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
  if (extent == Extent::sparse && !blocks.empty())
    throw std::invalid_argument(certificate.function + ": a sparse hash has no blocks");
  if (blocks.empty()) blocks = all;
  const bool fast = call.has_fast_kernel(order, target);
  const FastCertificate* tier = fast ? &certificate.fast[static_cast<int>(order)] : nullptr;
  if (fast && (!tier->complete() || extent == Extent::spread))
    throw std::invalid_argument("the certificate of " + certificate.function + " lacks that of the fast tier's " +
                                std::string(name_of(order)));
  const auto& expected = fast                     ? tier->blocks
                         : extent == Extent::full ? certificate[order].blocks
                                                  : certificate[order].spread_blocks;
  const std::string& expected_sparse = fast ? tier->sparse_hash : certificate[order].sparse_hash;
  std::vector<float> sparse(extent == Extent::sparse ? kBlocks * inputs_per_block(extent) : 0);

  Verification result{.order = order, .target = std::string(target.name), .extent = extent, .failed = {}};
  const auto start = std::chrono::steady_clock::now();
  std::atomic<std::size_t> next{0};
  std::size_t done = 0;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < blocks.size(); i = next++) {
      const std::uint32_t block = blocks[i];
      bool right = true;
      if (extent != Extent::sparse) {
        right = hash_block(call, order, target, extent, block) == expected[block];
      } else {
        const std::uint32_t n = inputs_per_block(extent);
        float* y = sparse.data() + std::size_t{block} * n;
        for (std::uint32_t k = 0; k < n; ++k) y[k] = std::bit_cast<float>(input_pattern(extent, block, k));
        call.evaluate(order, y, y, n, target);
      }
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
  if (extent == Extent::sparse && hash_of(Format::f32, sparse.data(), sparse.size()) != expected_sparse)
    result.failed.push_back({0, 0, 0xffffffff});
  std::sort(result.failed.begin(), result.failed.end(),
            [](const FailedBlock& a, const FailedBlock& b) { return a.index < b.index; });
  result.inputs = std::uint64_t{inputs_per_block(extent)} * blocks.size();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

Verification verify(const Call& call, Order order, Format format, const Target& target, const Certificate& certificate,
                    Extent extent) {
  if (call.info().name != certificate.function)
    throw std::invalid_argument("the certificate is about " + certificate.function + ", not " + call.text());
  if (!call.preset()) throw std::invalid_argument(call.text() + ": certificates are about the default parameters");
  const FormatCertificate& right = certificate(format, order);
  if (!right.complete())
    throw std::invalid_argument("the certificate of " + certificate.function + " lacks its " +
                                std::string(name_of(order)) + " in " + std::string(info_of(format).name));
  if (extent != Extent::full && (extent != Extent::sparse || right.sparse_hash.empty()))
    throw std::invalid_argument("the certificate of " + certificate.function + " has only the full extent of " +
                                std::string(info_of(format).name));
  const auto start = std::chrono::steady_clock::now();
  std::vector<unsigned char> array = format_inputs(call.info(), format);
  if (extent == Extent::sparse) array = sparse_elements(format, array);
  const std::size_t n = array.size() / info_of(format).bytes;
  call.apply(order, format, array.data(), array.data(), n, target);
  Verification result{.order = order,
                      .target = std::string(target.name),
                      .extent = extent,
                      .format = format,
                      .inputs = n,
                      .seconds = 0,
                      .failed = {}};
  if (hash_of(format, array.data(), n) != (extent == Extent::full ? right.hash : right.sparse_hash))
    result.failed.push_back({0, 0, static_cast<std::uint32_t>(n - 1)});
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

void record(Certificate& certificate, const Verification& v) {
  const std::string_view extent = v.format == Format::f32 ? name_of(v.extent) : info_of(v.format).name;
  const Run run{v.target, std::string(name_of(v.order)), std::string(extent), v.inputs, v.failed.size(), cpu_name(),
                today()};
  std::erase_if(certificate.runs,
                [&](const Run& r) { return r.target == run.target && r.order == run.order && r.extent == run.extent; });
  certificate.runs.push_back(run);
}

}  // namespace actfun
