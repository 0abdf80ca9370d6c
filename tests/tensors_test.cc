// SPDX-License-Identifier: Apache-2.0
// The readers of tensors: what they accept, and that no broken file does more than throw.
#include "tool/tensors.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "tool/npy.h"

namespace actfun::tool {
namespace {

template <class T>
std::string little_endian(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

const std::vector<float> kElements{1, -2, 3.5f, 0, -0.25f, 1e-40f};

std::string elements() { return {reinterpret_cast<const char*>(kElements.data()), kElements.size() * sizeof(float)}; }
std::string npy() { return npy_header_bytes({"<f4", false, {3, 2}}) + elements(); }

std::string compress(const std::string& bytes, int window_bits) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(bytes.size() + 200, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string zip(bool deflated) {
  std::string files, directory;
  int count = 0;
  for (const std::string name : {"fc1.npy", "fc2.npy"}) {
    const std::string plain = npy(), packed = deflated ? compress(plain, -15) : plain;
    const auto crc = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(plain.data()), static_cast<uInt>(plain.size())));
    const std::string common = little_endian<std::uint16_t>(20) + little_endian<std::uint16_t>(0) +
                               little_endian<std::uint16_t>(deflated ? 8 : 0) + little_endian<std::uint32_t>(0) +
                               little_endian(crc) + little_endian(static_cast<std::uint32_t>(packed.size())) +
                               little_endian(static_cast<std::uint32_t>(plain.size())) +
                               little_endian(static_cast<std::uint16_t>(name.size())) + little_endian<std::uint16_t>(0);
    directory += "PK\1\2" + little_endian<std::uint16_t>(20) + common + std::string(10, '\0') +
                 little_endian(static_cast<std::uint32_t>(files.size())) + name;
    files += "PK\3\4" + common + name + packed;
    ++count;
  }
  const auto entries = little_endian(static_cast<std::uint16_t>(count));
  return files + directory + "PK\5\6" + std::string(4, '\0') + entries + entries +
         little_endian(static_cast<std::uint32_t>(directory.size())) +
         little_endian(static_cast<std::uint32_t>(files.size())) + std::string(2, '\0');
}

std::string safetensors(const std::string& header) {
  return little_endian(static_cast<std::uint64_t>(header.size())) + header + elements();
}
constexpr auto kHeader =
    R"({"__metadata__":{"by":"test"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"F16","shape":[4],"data_offsets":[16,24]}})";

class Tensors : public testing::Test {
 protected:
  Tensors() : directory_(std::filesystem::temp_directory_path() / ("actfun-tensors-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(directory_);
  }
  ~Tensors() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& bytes) {
    const std::string path = directory_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  /// Reads a file to its last byte.
  static std::vector<std::string> read(const std::string& path, const Bare& bare = {}) {
    const TensorFile file(path, bare);
    std::vector<std::string> all;
    for (const Tensor& tensor : file.tensors()) {
      std::string bytes(tensor.size() * info_of(tensor.format).bytes, '\0');
      if (bytes.size() > std::size_t{1} << 24) throw std::runtime_error("larger than the test");
      if (tensor.elements)
        std::memcpy(bytes.data(), tensor.elements, bytes.size());
      else
        tensor.read()(bytes.data(), bytes.size());
      all.push_back(bytes);
    }
    return all;
  }
  static std::string refusal(const std::string& path, const Bare& bare = {}) {
    try {
      read(path, bare);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "accepted";
  }

  std::filesystem::path directory_;
};

TEST_F(Tensors, AreReadFromEveryKindOfFile) {
  EXPECT_EQ(read(write("x.npy", npy())).at(0), elements());
  EXPECT_EQ(read(write("x.npy.gz", compress(npy(), 31))).at(0), elements());
  for (const bool deflated : {false, true}) {
    const std::string path = write("x.npz", zip(deflated));
    EXPECT_EQ(read(path), (std::vector{elements(), elements()}));
    EXPECT_EQ(TensorFile(path, {}).tensors()[1].name, "fc2");
  }
  const std::string path = write("x.safetensors", safetensors(kHeader));
  EXPECT_EQ(read(path).at(1), elements().substr(16));
  EXPECT_EQ(TensorFile(path, {}).tensors()[1].format, Format::f16);
  EXPECT_EQ(read(write("x.bin", elements()), {Format::f32, {-1, 2}}).at(0), elements());
}

TEST_F(Tensors, AreRefusedWithAReason) {
  const auto says = [](const std::string& message, const std::string& part) {
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nshould say: " << part;
  };
  says(refusal(write("x.npy", npy().substr(0, 140))), "truncated");
  says(refusal(write("x.npy.gz", compress(npy(), 31).substr(0, 60))), "end early");
  says(refusal(write("x.npz", zip(true).substr(0, 300))), "no directory");
  std::string damaged = zip(true);
  damaged[90] = static_cast<char>(damaged[90] ^ 0x10);
  EXPECT_NE(refusal(write("x.npz", damaged)), "accepted");
  says(refusal(write("x.bin", elements())), "--dtype and --shape");
  says(refusal(write("x.bin", elements()), {Format::f32, {7, 2}}), "needs 56 bytes");
  says(refusal(write("x.bin", elements()), {Format::f32, {-1, 5}}), "no multiple");
  says(refusal(write("x.bin", "")), "--dtype and --shape");
  says(refusal(directory_), "directory");

  const auto of = [&](const std::string& header) { return refusal(write("x.safetensors", safetensors(header))); };
  const auto tensor = [](const std::string& text) { return "{\"a\":" + text + "}"; };
  says(refusal(write("x.safetensors", "short")), "5 bytes");
  says(refusal(write("x.safetensors", little_endian<std::uint64_t>(1000) + "{}")), "truncated");
  says(refusal(write("x.safetensors", little_endian(~std::uint64_t{0}) + "{}")), "would have");
  says(of("{nonsense"), "not JSON");
  says(of("[1]"), "not a JSON object");
  says(of(std::string(4000, '[')), "nested");
  says(
      of(R"({"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}})"),
      "twice");
  says(of(tensor(R"({"dtype":"F32","shape":[7],"data_offsets":[0,28]})")), "ends at byte 28 of 24");
  says(of(tensor(R"({"dtype":"F32","shape":[5],"data_offsets":[0,24]})")), "does not need");
  says(of(tensor(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,24]})")), "does not need");
  says(of(tensor(R"({"dtype":"F32","shape":[-6],"data_offsets":[0,24]})")), "not a whole number");
  says(of(tensor(R"({"dtype":"F32","shape":[5],"data_offsets":[4,24]})")), "belong to none");
  says(of(tensor(R"({"dtype":"F32","shape":[5],"data_offsets":[0,20]})")), "belong to no tensor");
  says(of(tensor(R"({"dtype":"F33","shape":[6],"data_offsets":[0,24]})")), "unknown dtype");
  says(of(tensor(R"({"dtype":"F32","shape":[6]})")), "no data_offsets");
  says(
      of(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[3],"data_offsets":[12,24]}})"),
      "overlaps");
}

TEST_F(Tensors, SurviveAnyDamage) {
  const std::pair<const char*, std::string> kFiles[] = {{"x.npy", npy()},
                                                        {"x.npy.gz", compress(npy(), 31)},
                                                        {"stored.npz", zip(false)},
                                                        {"deflated.npz", zip(true)},
                                                        {"x.safetensors", safetensors(kHeader)}};
  std::mt19937 generator(1);
  std::size_t refused = 0, tried = 0;
  for (const auto& [name, good] : kFiles)
    for (int round = 0; round < 300; ++round) {
      std::string bad = good;
      for (std::size_t change = 0; change < 1 + generator() % 3; ++change) {
        const std::size_t at = generator() % bad.size();
        switch (generator() % 5) {
          case 0:
            bad[at] = static_cast<char>(generator());
            break;
          case 1:
            bad[at] = static_cast<char>(bad[at] ^ (1 << generator() % 8));
            break;
          case 2:
            bad.resize(at + 1);
            break;
          case 3:
            bad.insert(at, std::string(1 + generator() % 9, static_cast<char>(generator())));
            break;
          default:  // a number becomes a huge one
            for (std::size_t i = at; i < std::min(bad.size(), at + 1 + generator() % 8); ++i) bad[i] = '\xff';
        }
      }
      ++tried;
      refused += refusal(write(name, bad)) != "accepted";
    }
  EXPECT_GT(refused, tried / 2);
}

}  // namespace
}  // namespace actfun::tool
