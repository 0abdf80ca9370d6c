// SPDX-License-Identifier: Apache-2.0
// Arrays for tests of what works along axes: the same numbers in any format and arrangement.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "api/array.h"
#include "api/threads.h"
#include "backends/cpu/formats.h"
#include "tests/inputs.h"

namespace actfun::tests {

inline const double kInf = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();

template <class T>
constexpr Format kFormatOf = std::is_same_v<T, double> ? Format::f64 : Format::f32;

template <class T>
std::vector<T> normal_numbers(std::size_t n, double spread, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> distribution(0, spread);
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(distribution(generator));
  return x;
}

/// Half a unit in the last place of T at `want`.
template <class T>
long double half_an_ulp(long double want) {
  int exponent = 0;
  std::frexp(std::abs(want), &exponent);
  const int digits = std::numeric_limits<T>::digits;
  return std::ldexp(0.5L, std::max(exponent - digits, std::numeric_limits<T>::min_exponent - digits));
}

/// An array that owns its numbers, in the order of axes and with the gaps that are asked for.
class TestArray {
 public:
  using Shape = std::vector<std::size_t>;

  /// `order` lists the axes from the outermost in memory on; an axis of it counted from -1 downwards runs backwards.
  /// Without it, C order.
  TestArray(Format format, const Shape& shape, std::vector<int> order = {}, std::size_t gap = 0) {
    array_.format = static_cast<actfun_format>(format);
    array_.rank = static_cast<std::int32_t>(shape.size());
    std::copy(shape.begin(), shape.end(), array_.shape);
    if (order.empty())
      for (int i = 0; i < array_.rank; ++i) order.push_back(i);
    std::ptrdiff_t stride = 1 + static_cast<std::ptrdiff_t>(gap), start = 0;
    for (std::size_t k = order.size(); k-- > 0;) {
      const int axis = order[k] < 0 ? -1 - order[k] : order[k];
      array_.strides[axis] = order[k] < 0 ? -stride : stride;
      const auto last = static_cast<std::ptrdiff_t>(array_.shape[axis]) - 1;
      if (order[k] < 0) start += last * stride;
      stride *= last + 1;
    }
    bytes_.assign(static_cast<std::size_t>(stride) * width(), 0xa5);
    start_ = static_cast<std::size_t>(start) * width();
    array_.data = bytes_.data() + start_;
  }
  TestArray(const TestArray& other) : array_(other.array_), bytes_(other.bytes_), start_(other.start_) {
    array_.data = bytes_.data() + start_;
  }
  TestArray& operator=(const TestArray& other) {
    array_ = other.array_, bytes_ = other.bytes_, start_ = other.start_;
    array_.data = bytes_.data() + start_;
    return *this;
  }

  const actfun_array& view() const { return array_; }
  const actfun_array* operator&() const { return &array_; }
  Format format() const { return static_cast<Format>(array_.format); }
  std::size_t size() const { return size_of(array_); }

  /// Numbers in C order, each rounded to the array's format.
  template <class T>
  TestArray& set(const std::vector<T>& numbers) {
    for (std::size_t i = 0; i < size(); ++i) {
      const std::uint64_t code =
          encode(format(), round_to(format(), static_cast<double>(numbers[i])), Overflow::saturate);
      std::memcpy(at(i), &code, width());
    }
    return *this;
  }
  double get(std::size_t i) const {
    std::uint64_t code = 0;
    std::memcpy(&code, at(i), width());
    return decode(format(), code);
  }
  std::vector<double> numbers() const {
    std::vector<double> all(size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = get(i);
    return all;
  }
  /// The elements' codes in C order.
  std::vector<std::uint64_t> codes() const {
    std::vector<std::uint64_t> all(size());
    for (std::size_t i = 0; i < all.size(); ++i) std::memcpy(&all[i], at(i), width());
    return all;
  }

 private:
  std::size_t width() const { return info_of(format()).bytes; }
  unsigned char* at(std::size_t i) const {
    std::ptrdiff_t place = 0;
    for (int k = array_.rank; k-- > 0;) {
      place += static_cast<std::ptrdiff_t>(i % array_.shape[k]) * array_.strides[k];
      i /= array_.shape[k];
    }
    return static_cast<unsigned char*>(array_.data) + place * static_cast<std::ptrdiff_t>(width());
  }

  actfun_array array_{};
  std::vector<unsigned char> bytes_;
  std::size_t start_ = 0;
};

/// A vector as an array of one axis.
template <class T>
actfun_array row_of(std::vector<T>& x) {
  return {x.data(), static_cast<actfun_format>(kFormatOf<T>), 1, {x.size()}, {1}};
}

/// Arrangements of three axes.
inline const std::vector<std::vector<int>> kArrangements = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}, {-1, 1, -3}};

/// run(inputs, output, axis, target, threads) for arrays of three axes in every arrangement, on every target, any
/// number of threads, and with the output in the place of an input: the same codes as on plain arrays, the best target,
/// and one thread. `make` fills input number i.
template <class Run>
void expect_same_everywhere(Format format, std::size_t inputs, const Run& run, bool in_place = true) {
  struct Sharing {
    double usual = detail::worth_a_thread;
    Sharing() { detail::worth_a_thread = 0; }
    ~Sharing() { detail::worth_a_thread = usual; }
  } sharing;
  const TestArray::Shape shape = {3, 37, 18};
  std::vector<std::vector<double>> numbers;
  for (std::size_t i = 0; i < inputs; ++i)
    numbers.push_back(normal_numbers<double>(3 * 37 * 18, 1, static_cast<std::uint32_t>(7 + i)));
  const auto arrays = [&](std::vector<int> order, std::size_t gap) {
    std::vector<TestArray> all;
    for (const auto& each : numbers) all.emplace_back(format, shape, order, gap).set(each);
    return all;
  };
  for (int axis = 0; axis < 3; ++axis) {
    TestArray want(format, shape);
    run(arrays({}, 0), want.view(), axis, supported_targets().front(), 1);
    for (const Target& target : supported_targets())
      for (const auto& order : kArrangements)
        for (const unsigned threads : {1u, 3u}) {
          const std::string where =
              std::string(target.name) + ", axis " + std::to_string(axis) + ", order " + std::to_string(order[0]);
          std::vector<TestArray> from = arrays(order, 1);
          TestArray to(format, shape, {1, 0, 2});
          run(from, to.view(), axis, target, threads);
          EXPECT_EQ(to.codes(), want.codes()) << where;
          for (std::size_t i = 0; in_place && i < inputs; ++i) {
            from = arrays(order, 0);
            run(from, from[i].view(), axis, target, threads);
            EXPECT_EQ(from[i].codes(), want.codes()) << where << ", in the place of input " << i;
          }
        }
  }
}

}  // namespace actfun::tests
