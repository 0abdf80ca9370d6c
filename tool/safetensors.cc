// SPDX-License-Identifier: Apache-2.0
#include "tool/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "tool/text.h"

namespace actfun::tool {
namespace {

using nlohmann::json;

/// The format's own limit.
constexpr std::uint64_t kLongestHeader = 100'000'000;

struct Type {
  std::string_view name;
  unsigned bits;
  bool known;
  Format format;
};
constexpr Type kTypes[] = {
    {"F64", 64, true, Format::f64},     {"F32", 32, true, Format::f32},         {"F16", 16, true, Format::f16},
    {"BF16", 16, true, Format::bf16},   {"F8_E4M3", 8, true, Format::f8e4m3fn}, {"F8_E5M2", 8, true, Format::f8e5m2},
    {"BOOL", 8, false, Format::f32},    {"U8", 8, false, Format::f32},          {"I8", 8, false, Format::f32},
    {"U16", 16, false, Format::f32},    {"I16", 16, false, Format::f32},        {"U32", 32, false, Format::f32},
    {"I32", 32, false, Format::f32},    {"U64", 64, false, Format::f32},        {"I64", 64, false, Format::f32},
    {"F8_E8M0", 8, false, Format::f32}, {"F8_E4M3FNUZ", 8, false, Format::f32}, {"F8_E5M2FNUZ", 8, false, Format::f32},
    {"C64", 64, false, Format::f32},
};

/// JSON that names no key of an object twice: readers would not agree on what it says.
json parse(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      fail("its header names '{}' twice", printable(value.get<std::string>()));
    if (depth > 8) fail("its header is nested too deeply");
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::exception&) {
    fail("its header is not JSON");
  }
}

std::vector<std::uint64_t> numbers(const json& list, const std::string& what) {
  std::vector<std::uint64_t> values;
  if (!list.is_array()) fail("{} is not a list", what);
  for (const json& item : list) {
    if (!item.is_number_unsigned()) fail("{} holds {}, not a whole number", what, printable(item.dump().substr(0, 40)));
    values.push_back(item.get<std::uint64_t>());
  }
  return values;
}

}  // namespace

std::vector<SafeTensor> read_safetensors(std::span<const unsigned char> file, std::size_t& skipped) {
  skipped = 0;
  if (file.size() < 8) fail("not a .safetensors file: it has {} bytes", file.size());
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i) length |= std::uint64_t{file[i]} << (8 * i);
  if (length > kLongestHeader) fail("not a .safetensors file: its header would have {} bytes", length);
  if (length > file.size() - 8)
    fail("the file is truncated: its header has {} bytes, the file {} after the length", length, file.size() - 8);
  const json header = parse({reinterpret_cast<const char*>(file.data()) + 8, length});
  if (!header.is_object()) fail("its header is not a JSON object");
  const auto data = file.subspan(8 + length);

  struct Placed {
    SafeTensor tensor;
    std::uint64_t begin, end;
    bool known;
  };
  std::vector<Placed> placed;
  for (const auto& [key, value] : header.items()) {
    if (key == "__metadata__") continue;
    const std::string name = printable(key), entry = fmt::format("tensor '{}'", name);
    if (!value.is_object()) fail("{} is not described by an object", entry);
    for (const char* field : {"dtype", "shape", "data_offsets"})
      if (!value.contains(field)) fail("{} has no {}", entry, field);
    const std::string dtype = value["dtype"].is_string() ? value["dtype"].get<std::string>() : "";
    const auto* type = std::ranges::find(kTypes, dtype, &Type::name);
    if (type == std::end(kTypes)) fail("{} has the unknown dtype {}", entry, printable(value["dtype"].dump()));
    const auto shape = numbers(value["shape"], entry + "'s shape"),
               offsets = numbers(value["data_offsets"], entry + "'s data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1]) fail("{}'s data_offsets are not two rising numbers", entry);
    if (offsets[1] > data.size())
      fail("{} ends at byte {} of {}: the file is truncated, or its header is wrong", entry, offsets[1], data.size());
    std::uint64_t bytes = type->bits / 8;
    bool overflow = false, empty = false;
    for (const std::uint64_t size : shape) {
      empty |= size == 0;
      overflow |= __builtin_mul_overflow(bytes, size, &bytes);
    }
    if (empty ? offsets[0] != offsets[1] : overflow || bytes != offsets[1] - offsets[0])
      fail("{} has {} bytes, which its shape [{}] of {} does not need", entry, offsets[1] - offsets[0],
           fmt::join(shape, ", "), type->name);
    placed.push_back({{name, type->format, shape, data.subspan(offsets[0], offsets[1] - offsets[0])},
                      offsets[0],
                      offsets[1],
                      type->known});
  }
  std::ranges::sort(
      placed, [](const Placed& a, const Placed& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t at = 0;
  for (const Placed& p : placed) {
    if (p.begin < at) fail("tensor '{}' overlaps the one before it", p.tensor.name);
    if (p.begin > at) fail("{} bytes before tensor '{}' belong to none", p.begin - at, p.tensor.name);
    at = p.end;
  }
  if (at != data.size()) fail("{} bytes at its end belong to no tensor", data.size() - at);

  std::vector<SafeTensor> tensors;
  for (Placed& p : placed) {
    if (p.known)
      tensors.push_back(std::move(p.tensor));
    else
      ++skipped;
  }
  return tensors;
}

}  // namespace actfun::tool
