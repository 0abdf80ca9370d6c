// SPDX-License-Identifier: Apache-2.0
// Prints hashes of the outputs of one instruction set, as certificates hold them: `name order format hash`, of every
// elementwise function or those that are named. All inputs of the formats of 16 and 8 bits, and of f32 one in 256.
// Needs nothing but the kernels, so that it runs where the program and the tests do not; scripts/cross.sh compares.
#include <bit>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "api/outputs.h"

namespace actfun {
namespace {

std::string hash_of_floats(const Call& call, Order order, const Target& target) {
  constexpr std::uint32_t kChunk = 1u << 12;
  float x[kChunk], y[kChunk];
  OutputHash hash;
  for (std::uint32_t begin = 0; begin < kBlocks * inputs_per_block(Extent::sparse); begin += kChunk) {
    for (std::uint32_t i = 0; i < kChunk; ++i) x[i] = std::bit_cast<float>(input_pattern(Extent::sparse, 0, begin + i));
    call.evaluate(order, x, y, kChunk, target);
    hash.add(y, kChunk);
  }
  return hash.digits();
}

std::string hash_of_codes(const Call& call, Order order, Format format, const Target& target) {
  std::vector<unsigned char> array = format_inputs(call.info(), format);
  const std::size_t n = array.size() / info_of(format).bytes;
  call.apply(order, format, array.data(), array.data(), n, target);
  return hash_of(format, array.data(), n);
}

Format find_format(std::string_view name) {
  for (std::size_t f = 0; f < kFormatCount; ++f)
    if (kFormats[f].name == name) return static_cast<Format>(f);
  throw std::invalid_argument("unknown format '" + std::string(name) + "'");
}

bool is_fast(std::string_view tier) {
  if (tier != "exact" && tier != "fast")
    throw std::invalid_argument("unknown tier '" + std::string(tier) + "': exact or fast");
  return tier == "fast";
}

int print_hashes(int count, char** words) {
  const Target* target = nullptr;
  std::vector<Format> formats;
  std::vector<Call> calls;
  bool fast = false;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word.starts_with("--")) {
      if (i + 1 == count || (word != "--target" && word != "--format" && word != "--tier"))
        throw std::invalid_argument(
            "usage: actfun_hashes [--target TARGET] [--format FORMAT]... [--tier exact|fast] [FUNCTION...]");
      if (word == "--target")
        target = &find_target(words[++i]);
      else if (word == "--tier")
        fast = is_fast(words[++i]);
      else
        formats.push_back(find_format(words[++i]));
    } else {
      calls.push_back(parse_function(word));
      if (!calls.back().entry->elementwise()) throw std::invalid_argument(std::string(word) + " works on rows");
    }
  }
  if (!target) target = &current_target();
  if (!supported(*target)) throw std::invalid_argument("this machine does not support " + std::string(target->name));
  if (fast) formats = {Format::f32};  // the others are the exact tier's
  if (formats.empty()) formats = {Format::f16, Format::bf16, Format::f8e4m3fn, Format::f8e5m2, Format::f32};
  if (calls.empty())
    for (const Entry& entry : functions())
      if (entry.elementwise()) calls.push_back(parse_function(entry.info->name));

  for (Call& call : calls)
    for (const Order order : {Order::value, Order::slope, Order::curvature})
      for (const Format format : formats) {
        call.tier = fast ? Tier::fast : Tier::exact;
        if (fast && !call.has_fast_kernel(order, *target)) continue;
        const std::string hash =
            format == Format::f32 ? hash_of_floats(call, order, *target) : hash_of_codes(call, order, format, *target);
        std::printf("%s %s %s %s\n", std::string(call.info().name).c_str(), std::string(name_of(order)).c_str(),
                    std::string(info_of(format).name).c_str(), hash.c_str());
        std::fflush(stdout);  // whoever reads along sees how far it is
      }
  return 0;
}

}  // namespace
}  // namespace actfun

int main(int count, char** words) {
  try {
    return actfun::print_hashes(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "actfun_hashes: %s\n", error.what());
    return 2;
  }
}
