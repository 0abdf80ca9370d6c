// SPDX-License-Identifier: Apache-2.0
#include "api/outputs.h"

// No library: this is built for machines that have none.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace actfun {
namespace {

static_assert(std::endian::native == std::endian::little, "hashes are of little-endian bytes");

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

std::uint64_t pattern(Format format, const void* array, std::size_t i) {
  const std::size_t bytes = info_of(format).bytes;
  std::uint64_t bits = 0;
  std::memcpy(&bits, static_cast<const unsigned char*>(array) + i * bytes, bytes);
  return bits;
}
void set_pattern(Format format, void* array, std::size_t i, std::uint64_t bits) {
  const std::size_t bytes = info_of(format).bytes;
  std::memcpy(static_cast<unsigned char*>(array) + i * bytes, &bits, bytes);
}

/// The same numbers everywhere and always: SplitMix64.
class Random {
 public:
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }

 private:
  std::uint64_t state_ = 0;
};

double stepped(double x, std::int64_t steps) {
  const auto bits = std::bit_cast<std::int64_t>(std::abs(x));
  const double y = std::bit_cast<double>(std::max<std::int64_t>(0, bits + steps));
  return x < 0 ? -y : y;
}

/// Neighbours of where the record says that something happens, of powers of two, and of the ends of the format.
std::vector<double> wide_specials(const Info& info) {
  std::vector<double> places;
  const auto add = [&](std::string_view text) {
    const bool minus = text.starts_with('-');
    for (const Parameter& p : info.parameters)
      if (text.substr(minus) == p.name) places.push_back(minus ? -p.preset : p.preset);
    double x;
    if (parse_number(text, x) && std::isfinite(x)) places.push_back(x);
  };
  for (const std::string_view root : info.roots) add(root);
  for (const Extremum& e : info.extrema) add(e.x);
  for (const Kink& k : info.kinks) add(k.x);
  for (int exponent = -1074; exponent <= 1023; ++exponent) {
    places.push_back(std::ldexp(1.0, exponent));
    places.push_back(-std::ldexp(1.0, exponent));
  }
  places.push_back(std::numeric_limits<double>::max());
  places.push_back(-std::numeric_limits<double>::max());
  std::vector<double> all = {0.0, -0.0, std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()};
  for (const double x : places)
    for (std::int64_t step = -8; step <= 8; ++step) all.push_back(stepped(x, step));
  for (std::uint64_t bits = 1; bits < 1000; ++bits) {
    all.push_back(std::bit_cast<double>(bits));
    all.push_back(-std::bit_cast<double>(bits));
  }
  return all;
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
      bits[i] = (b & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : b;
    }
    XXH3_128bits_update(static_cast<XXH3_state_t*>(state_), bits, 4 * count);
  }
}
std::string OutputHash::digits() const {
  return digits_of(XXH3_128bits_digest(static_cast<const XXH3_state_t*>(state_)));
}

std::vector<unsigned char> format_inputs(const Info& info, Format format) {
  const std::size_t bytes = info_of(format).bytes;
  if (format == Format::f32) throw std::invalid_argument("f32's inputs are in blocks");
  if (format != Format::f64) {
    const std::size_t n = std::size_t{1} << (8 * bytes);
    std::vector<unsigned char> array(n * bytes);
    for (std::size_t i = 0; i < n; ++i) set_pattern(format, array.data(), i, i);
    return array;
  }
  std::vector<double> x = wide_specials(info);
  x.resize(std::min(x.size(), kWideInputs));
  // By turns any bit pattern, and a number between 2^-30 and 2^10, where functions bend.
  for (Random random; x.size() < kWideInputs;) {
    const std::uint64_t bits = random.next();
    if (x.size() % 2 == 0) {
      x.push_back(std::bit_cast<double>(bits));
    } else {
      const std::uint64_t exponent = 1023 - 30 + (bits >> 52 & 0x7ff) % 40;
      x.push_back(std::bit_cast<double>((bits & 0x800fffffffffffffu) | exponent << 52));
    }
  }
  std::vector<unsigned char> array(kWideInputs * bytes);
  std::memcpy(array.data(), x.data(), array.size());
  return array;
}

std::vector<unsigned char> sparse_elements(Format format, std::span<const unsigned char> array) {
  constexpr std::size_t kStride = 32;
  const std::size_t bytes = info_of(format).bytes, n = array.size() / bytes / kStride;
  std::vector<unsigned char> sparse(n * bytes);
  for (std::size_t i = 0; i < n; ++i) set_pattern(format, sparse.data(), i, pattern(format, array.data(), kStride * i));
  return sparse;
}

double element(Format format, const void* array, std::size_t i) { return decode(format, pattern(format, array, i)); }
void set_element(Format format, void* array, std::size_t i, double value) {
  set_pattern(format, array, i, encode(format, value, Overflow::saturate));
}

std::string hash_of(Format format, const void* array, std::size_t n) {
  const std::uint64_t nan = encode(format, std::numeric_limits<double>::quiet_NaN(), Overflow::saturate);
  std::vector<unsigned char> stream(n * info_of(format).bytes);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t bits = pattern(format, array, i);
    const double value = decode(format, bits);
    set_pattern(format, stream.data(), i, value != value ? nan : bits);
  }
  return digits_of(XXH3_128bits(stream.data(), stream.size()));
}

std::string hash_of(std::span<const std::string> blocks) {
  const std::string all = std::accumulate(blocks.begin(), blocks.end(), std::string());
  return digits_of(XXH3_128bits(all.data(), all.size()));
}

}  // namespace actfun
