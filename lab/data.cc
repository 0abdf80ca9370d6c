// SPDX-License-Identifier: Apache-2.0
#include "lab/data.h"

#include <sys/stat.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>

#include "api/registry.h"
#include "backends/cpu/formats.h"
#include "lab/random.h"
#include "tool/npy.h"
#include "tool/text.h"

namespace actfun::lab {
namespace {

using tool::fail;

constexpr std::size_t kMostBytes = std::size_t{1} << 32;  ///< of a file when unpacked
constexpr int kMostClasses = 10'000;

/// All bytes of a file; those of a gzip file unpacked and checked.
std::string read_bytes(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) < 0) tool::fail_errno("cannot read it");
  if (!S_ISREG(status.st_mode)) fail("not a regular file");
  if (status.st_size == 0) fail("the file is empty");
  gzFile file = gzopen(path.c_str(), "rb");
  if (!file) tool::fail_errno("cannot read it");
  std::string bytes;
  std::vector<char> part(std::size_t{1} << 20);
  int got;
  while ((got = gzread(file, part.data(), static_cast<unsigned>(part.size()))) > 0 && bytes.size() <= kMostBytes)
    bytes.append(part.data(), static_cast<std::size_t>(got));
  int code;
  const std::string error = gzerror(file, &code);
  const bool truncated = got < 0 || code == Z_BUF_ERROR;
  gzclose(file);
  if (bytes.size() > kMostBytes) fail("it has more than {} bytes", kMostBytes);
  if (code == Z_BUF_ERROR) fail("the gzip file is truncated");
  if (truncated) fail("the gzip file is damaged ({})", error);
  if (bytes.empty()) fail("the file is empty");
  return bytes;
}

/// Integers and numbers as they lie in .npy and IDX files.
struct Element {
  char kind;  ///< u, i or f
  std::size_t size;
  bool big_endian;

  double read(const char* at) const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < size; ++i)
      bits |= std::uint64_t{static_cast<unsigned char>(at[i])} << 8 * (big_endian ? size - 1 - i : i);
    if (kind == 'f') {
      if (size == 8) return std::bit_cast<double>(bits);
      if (size == 4) return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
      return decode(Format::f16, bits);
    }
    if (kind == 'u') return static_cast<double>(bits);
    const int unused = static_cast<int>(64 - 8 * size);
    return static_cast<double>(static_cast<std::int64_t>(bits << unused) >> unused);
  }
};

Table table_of(const std::vector<std::uint64_t>& shape, const Element& element, std::string_view bytes) {
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape)
    if (__builtin_mul_overflow(count, size, &count)) fail("its shape is too large for any file");
  std::uint64_t wanted;
  if (__builtin_mul_overflow(count, element.size, &wanted) || bytes.size() != wanted)
    fail("the file is {}: its shape ({}) needs {} numbers of {} bytes, it has {} bytes",
         bytes.size() < count * element.size ? "truncated" : "too long", fmt::join(shape, ", "), count, element.size,
         bytes.size());
  if (shape.empty() || count == 0) fail("it holds no samples: its shape is ({})", fmt::join(shape, ", "));
  Table table{static_cast<Index>(shape[0]), static_cast<Index>(count / shape[0]), std::vector<double>(count)};
  for (std::size_t i = 0; i < count; ++i) table.values[i] = element.read(bytes.data() + i * element.size);
  return table;
}

Table read_npy(std::string_view bytes) {
  if (bytes.size() < 12) fail("the file ends within its header");
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (byte(6) < 1 || byte(6) > 3) fail(".npy version {} is unknown: 1, 2, 3", byte(6));
  const std::size_t before = byte(6) == 1 ? 10 : 12;
  const std::size_t length = byte(8) | byte(9) << 8 | (byte(6) == 1 ? 0 : byte(10) << 16 | std::size_t{byte(11)} << 24);
  if (length > bytes.size() - before) fail("the file ends within its header");
  const tool::NpyHeader header = tool::parse_npy_header(bytes.substr(before, length));
  if (header.fortran_order && header.shape.size() > 1) fail("its order is Fortran's; only C order is allowed");
  const std::string& type = header.type;
  const auto size = type.size() == 3 ? static_cast<std::size_t>(type[2] - '0') : 0;
  const bool allowed = type.size() == 3 && std::strchr("<>|", type[0]) &&
                       (type[1] == 'f' ? size == 2 || size == 4 || size == 8
                                       : std::strchr("ui", type[1]) && std::has_single_bit(size) && size <= 8);
  if (!allowed) fail("its elements are '{}'; integers and float16, 32, 64 are allowed", type);
  return table_of(header.shape, {type[1], size, type[0] == '>'}, bytes.substr(before + length));
}

Table read_idx(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  static constexpr std::pair<int, Element> kTypes[] = {{0x08, {'u', 1, true}}, {0x09, {'i', 1, true}},
                                                       {0x0B, {'i', 2, true}}, {0x0C, {'i', 4, true}},
                                                       {0x0D, {'f', 4, true}}, {0x0E, {'f', 8, true}}};
  const auto* type = std::ranges::find(kTypes, static_cast<int>(byte(2)), &std::pair<int, Element>::first);
  if (type == std::end(kTypes)) fail("IDX type {:#04x} is unknown: 0x08, 0x09, 0x0b to 0x0e", byte(2));
  const std::size_t dimensions = byte(3);
  if (bytes.size() < 4 + 4 * dimensions) fail("the file ends within its header");
  std::vector<std::uint64_t> shape;
  for (std::size_t d = 0; d < dimensions; ++d)
    shape.push_back(static_cast<std::uint64_t>(Element{'u', 4, true}.read(bytes.data() + 4 + 4 * d)));
  return table_of(shape, type->second, bytes.substr(4 + 4 * dimensions));
}

/// Commas, semicolons or tabs between numbers; one first line of names is allowed.
Table read_csv(std::string_view bytes) {
  Table table;
  std::size_t line_number = 0;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = tool::trim(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    ++line_number;
    if (line.empty()) continue;
    std::vector<double> row;
    std::optional<std::string> bad;
    for (bool last = false; !last;) {
      const std::size_t comma = line.find_first_of(",;\t");
      last = comma == line.npos;
      const std::string_view field = tool::trim(line.substr(0, comma));
      if (!last) line.remove_prefix(comma + 1);
      if (double value; parse_number(field, value))
        row.push_back(value);
      else if (!bad)
        bad = field.substr(0, 40);
    }
    if (bad && line_number == 1) continue;  // names
    if (bad) fail("line {}: '{}' is not a number", line_number, *bad);
    if (table.rows == 0) table.columns = static_cast<Index>(row.size());
    if (static_cast<Index>(row.size()) != table.columns)
      fail("line {} has {} columns, those before have {}", line_number, row.size(), table.columns);
    table.values.insert(table.values.end(), row.begin(), row.end());
    ++table.rows;
  }
  if (table.rows == 0) fail("it holds no samples");
  return table;
}

/// Labels are classes: integers from 0.
std::vector<int> labels_of(const Table& table, const std::string& path, int classes) {
  if (table.columns != 1) fail("{}: labels are one number a sample, it has {} columns", path, table.columns);
  std::vector<int> labels;
  const int most = classes > 0 ? classes : kMostClasses;
  for (const double value : table.values) {
    if (!(value >= 0 && value < most && value == std::floor(value)))
      fail("{}: label {} of sample {} is out of range: integers from 0 to {} are allowed", path, value, labels.size(),
           most - 1);
    labels.push_back(static_cast<int>(value));
  }
  return labels;
}

Samples samples_from(const std::string& data, const std::string& labels, int classes) {
  Table table = read_table(data);
  Samples samples;
  if (labels.empty()) {  // in the last column
    if (table.columns < 2) fail("{}: a label in the last column and a feature before it are needed", data);
    Table last{table.rows, 1, {}};
    std::vector<double> features;
    for (Index r = 0; r < table.rows; ++r) {
      const double* row = table.values.data() + r * table.columns;
      features.insert(features.end(), row, row + table.columns - 1);
      last.values.push_back(row[table.columns - 1]);
    }
    samples.labels = labels_of(last, data, classes);
    --table.columns;
    table.values = std::move(features);
  } else {
    samples.labels = labels_of(read_table(labels), labels, classes);
  }
  if (static_cast<Index>(samples.size()) != table.rows)
    fail("{} has {} samples, {} has {} labels", data, table.rows, labels, samples.size());
  samples.x.resize(table.rows, table.columns);
  for (Index i = 0; i < samples.x.size(); ++i) {
    const auto value = static_cast<float>(table.values[static_cast<std::size_t>(i)]);
    if (!std::isfinite(value))
      fail("{}: feature {} of sample {} is {}", data, i % table.columns, i / table.columns,
           table.values[static_cast<std::size_t>(i)]);
    samples.x.data()[i] = value;
  }
  return samples;
}

void set_aside(Data& data, double share) {
  const Samples all = std::move(data.train);
  const auto count = static_cast<std::size_t>(std::lround(share * static_cast<double>(all.size())));
  if (count == 0 || count >= all.size())
    fail("of {} samples, a share of {} for the test leaves one part empty", all.size(), share);
  const std::vector<std::size_t> order = Random(0, 0).permutation(all.size());
  const auto take = [&](std::size_t first, std::size_t last) {
    Samples part;
    part.x.resize(static_cast<Index>(last - first), all.x.cols());
    for (std::size_t i = first; i < last; ++i) {
      part.x.row(static_cast<Index>(i - first)) = all.x.row(static_cast<Index>(order[i]));
      part.labels.push_back(all.labels[order[i]]);
    }
    return part;
  };
  data.test = take(0, count);
  data.train = take(count, all.size());
}

void standardise(Data& data) {
  for (Index c = 0; c < data.train.x.cols(); ++c) {
    const auto column = data.train.x.col(c).cast<double>();
    const double mean = column.mean();
    const double deviation = std::sqrt((column.array() - mean).square().mean());
    for (Samples* part : {&data.train, &data.test})
      part->x.col(c) = deviation > 0 ? ((part->x.col(c).cast<double>().array() - mean) / deviation).cast<float>().eval()
                                     : Eigen::ArrayXf::Zero(part->x.rows()).eval();
  }
}

std::string hash_of(const Data& data) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_128bits_reset(state);
  for (const Samples* part : {&data.train, &data.test}) {
    const Index shape[] = {part->x.rows(), part->x.cols()};
    XXH3_128bits_update(state, shape, sizeof shape);
    XXH3_128bits_update(state, part->x.data(), static_cast<std::size_t>(part->x.size()) * sizeof(float));
    XXH3_128bits_update(state, part->labels.data(), part->labels.size() * sizeof(int));
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

DataOptions digits() {
  std::error_code error;
  std::filesystem::path directory = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  directory = directory / ".." / "share" / "actfun" / "data";
  if (!std::filesystem::is_directory(directory, error)) directory = ACTFUN_DATA_SOURCE_DIR;
  DataOptions options;
  options.data = (directory / "digits_standard.npy").string();
  options.labels = (directory / "digits_labels.npy").string();
  return options;
}

Table read_table(const std::string& path) {
  try {
    const std::string bytes = read_bytes(path);
    if (bytes.starts_with("\x93NUMPY")) return read_npy(bytes);
    if (bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0) return read_idx(bytes);
    std::filesystem::path name(path);
    if (name.extension() == ".gz") name = name.stem();
    if (name.extension() == ".csv") return read_csv(bytes);
    fail("neither a .npy nor an IDX file, and its name does not end in .csv");
  } catch (const std::exception& error) {
    fail("{}: {}", path, error.what());
  }
}

Data read_data(const DataOptions& options) {
  if (!(options.test_share > 0 && options.test_share < 1))
    fail("a test share of {} is not between 0 and 1", options.test_share);
  if (options.classes < 0 || options.classes == 1 || options.classes > kMostClasses)
    fail("{} classes are not from 2 to {}", options.classes, kMostClasses);
  if (options.test_data.empty() && !options.test_labels.empty())
    fail("test labels {} need test data", options.test_labels);
  Data data;
  data.name = std::filesystem::path(options.data).filename().string();
  data.train = samples_from(options.data, options.labels, options.classes);
  data.classes = options.classes > 0 ? options.classes : 1 + *std::ranges::max_element(data.train.labels);
  if (data.classes < 2) fail("{}: all labels are 0; two classes at least are needed", options.data);
  if (options.test_data.empty()) {
    set_aside(data, options.test_share);
  } else {
    data.test = samples_from(options.test_data, options.test_labels, data.classes);
    if (data.test.x.cols() != data.train.x.cols())
      fail("{} has {} features a sample, {} has {}", options.test_data, data.test.x.cols(), options.data,
           data.train.x.cols());
  }
  if (options.standardise) standardise(data);
  data.hash = hash_of(data);
  return data;
}

}  // namespace actfun::lab
