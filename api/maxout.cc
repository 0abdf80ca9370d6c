// SPDX-License-Identifier: Apache-2.0
#include "api/maxout.h"

#include <string>

#include "api/axis.h"
#include "api/row_buffer.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"

namespace actfun {
namespace {

/// The first of the largest of k members, or the first NaN.
template <class T>
std::size_t winner(const T* x, std::size_t k) {
  std::size_t best = 0;
  for (std::size_t j = 1; j < k && x[best] == x[best]; ++j)
    if (!(x[j] <= x[best])) best = j;
  return best;
}

/// Some neighbours along an axis.
actfun_array part_of(const actfun_array& array, int axis, std::size_t first, std::size_t count) {
  actfun_array part = array;
  part.shape[axis] = count;
  part.data = static_cast<unsigned char*>(array.data) +
              static_cast<std::ptrdiff_t>(first) * array.strides[axis] *
                  static_cast<std::ptrdiff_t>(info_of(static_cast<Format>(array.format)).bytes);
  return part;
}

/// An array of members, and one of their groups.
struct Groups {
  const actfun_array &members, &groups;
  std::size_t k;
  int axis;

  /// Shares out rows, or the groups of all rows where there are more of these:
  /// run(members, groups, row, place(group)) with RowBuffers, where `place` counts in C order of all groups.
  template <class T, class Run>
  void share_out(const Target& target, unsigned threads, const Run& run) const {
    if (size_of(groups) == 0) return;
    const DefaultFloatEnvironment environment;
    const Places places(groups, axis);
    const std::size_t rows = RowsOf(groups, axis).count(), length = places.length;
    const auto part = [&](std::size_t group, std::size_t count, std::size_t first, std::size_t end) {
      RowBuffer<T> many(part_of(members, axis, group * k, count * k), axis, end, target),
          few(part_of(groups, axis, group, count), axis, end, target);
      for (std::size_t row = first; row < end; ++row)
        run(many, few, row, count,
            [&, at = places.first(row)](std::size_t g) { return at + (group + g) * places.inner; });
    };
    if (rows >= length)
      in_parts(rows, tile_of_rows(length * k), threads,
               [&](std::size_t first, std::size_t count) { part(0, length, first, first + count); });
    else
      in_parts(length, tile_of_rows(rows * k), threads,
               [&](std::size_t first, std::size_t count) { part(first, count, 0, rows); });
  }
};

}  // namespace

void maxout(const actfun_array& x, std::size_t k, const actfun_array& y, std::int32_t* index, int axis,
            const Target& target, unsigned threads) {
  with_numbers(static_cast<Format>(x.format), [&]<class T>(T) {
    Groups{x, y, k, axis}.share_out<T>(
        target, threads,
        [&](RowBuffer<T>& members, RowBuffer<T>& winners, std::size_t row, std::size_t count, const auto& place) {
          const T* from = members.read(row);
          T* to = winners.room(row);
          for (std::size_t g = 0; g < count; ++g, from += k) {
            const std::size_t best = winner(from, k);
            to[g] = from[best];
            if (index) index[place(g)] = static_cast<std::int32_t>(best);
          }
          winners.write(row);
        });
  });
}

void maxout_backward(const actfun_array& g, const std::int32_t* index, std::size_t k, const actfun_array& dx, int axis,
                     const Target& target, unsigned threads) {
  for (std::size_t i = 0; i < size_of(g); ++i)
    if (index[i] < 0 || static_cast<std::size_t>(index[i]) >= k)
      throw LabelError("the winner of group " + std::to_string(i) + " is " + std::to_string(index[i]) +
                       "; a group has " + std::to_string(k) + " members, numbered from 0");
  with_numbers(static_cast<Format>(g.format), [&]<class T>(T) {
    Groups{dx, g, k, axis}.share_out<T>(
        target, threads,
        [&](RowBuffer<T>& members, RowBuffer<T>& winners, std::size_t row, std::size_t count, const auto& place) {
          const T* from = winners.read(row);
          T* to = members.room(row);
          std::fill_n(to, count * k, T{0});
          for (std::size_t group = 0; group < count; ++group, to += k) to[index[place(group)]] = from[group];
          members.write(row);
        });
  });
}

void maxout(const float* x, float* y, std::int32_t* index, std::size_t outer, std::size_t groups, std::size_t k,
            std::size_t inner, unsigned threads) {
  maxout(view(Format::f32, x, {outer, groups * k, inner}), k, view(Format::f32, y, {outer, groups, inner}), index, 1,
         current_target(), threads);
}
void maxout_backward(Format format, const void* g, const std::int32_t* index, void* dx, std::size_t outer,
                     std::size_t groups, std::size_t k, std::size_t inner, const Target& target, unsigned threads) {
  maxout_backward(view(format, g, {outer, groups, inner}), index, k, view(format, dx, {outer, groups * k, inner}), 1,
                  target, threads);
}

}  // namespace actfun
