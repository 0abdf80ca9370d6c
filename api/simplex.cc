// SPDX-License-Identifier: Apache-2.0
#include "api/simplex.h"

#include <optional>

#include "api/row_buffer.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"
#include "backends/cpu/simplex.h"

namespace actfun {
namespace {

/// Calls make() once, then work(row) with what it returned for every row, on each thread: make(end) for rows up to end.
template <class Make>
void for_rows(const actfun_array& array, int axis, unsigned threads, const Make& make) {
  if (size_of(array) == 0) return;
  const DefaultFloatEnvironment environment;
  const RowsOf rows(array, axis);
  in_parts(rows.count(), tile_of_rows(rows.length()), threads, [&](std::size_t first, std::size_t count) {
    auto work = make(first + count);
    for (std::size_t row = first; row < first + count; ++row) work(row);
  });
}

void backward(double alpha, double factor, const actfun_array& y, const actfun_array& g, const actfun_array& dx,
              int axis, const Target& target, unsigned threads) {
  with_numbers(static_cast<Format>(y.format), [&]<class T>(T) {
    const SimplexRows<T>& kernels = simplex_rows<T>(target.bit);
    for_rows(y, axis, threads, [&](std::size_t end) {
      return [&, outputs = RowBuffer<T>(y, axis, end, target), upstream = RowBuffer<T>(g, axis, end, target),
              results = RowBuffer<T>(dx, axis, end, target)](std::size_t row) mutable {
        const T *from = outputs.read(row), *gradient = upstream.read(row);
        kernels.backward(alpha, factor, from, gradient, results.room(row), y.shape[axis]);
        results.write(row);
      };
    });
  });
}

}  // namespace

void entmax(double alpha, const actfun_array& x, const actfun_array& y, int axis, const Target& target,
            unsigned threads) {
  with_numbers(static_cast<Format>(x.format), [&]<class T>(T) {
    const SimplexRows<T>& kernels = simplex_rows<T>(target.bit);
    for_rows(x, axis, threads, [&](std::size_t end) {
      return [&, inputs = RowBuffer<T>(x, axis, end, target), results = RowBuffer<T>(y, axis, end, target),
              room = std::vector<double>(simplex_room(x.shape[axis]))](std::size_t row) mutable {
        const T* from = inputs.read(row);
        kernels.entmax(alpha, from, results.room(row), x.shape[axis], room.data());
        results.write(row);
      };
    });
  });
}

void hardmax(const actfun_array& x, const actfun_array& y, int axis, const Target& target, unsigned threads) {
  with_numbers(static_cast<Format>(x.format), [&]<class T>(T) {
    const SimplexRows<T>& kernels = simplex_rows<T>(target.bit);
    for_rows(x, axis, threads, [&](std::size_t end) {
      return [&, inputs = RowBuffer<T>(x, axis, end, target),
              results = RowBuffer<T>(y, axis, end, target)](std::size_t row) mutable {
        const T* from = inputs.read(row);
        kernels.hardmax(from, results.room(row), x.shape[axis]);
        results.write(row);
      };
    });
  });
}

void entmax_backward(double alpha, const actfun_array& y, const actfun_array& g, const actfun_array& dx, int axis,
                     const Target& target, unsigned threads) {
  backward(alpha, 1, y, g, dx, axis, target, threads);
}

double entmax_alpha_gradient(double alpha, const actfun_array& y, const actfun_array& g, int axis, const Target& target,
                             unsigned threads) {
  if (size_of(y) == 0) return 0;
  std::vector<double> shares(RowsOf(y, axis).count());
  with_numbers(static_cast<Format>(y.format), [&]<class T>(T) {
    const SimplexRows<T>& kernels = simplex_rows<T>(target.bit);
    for_rows(y, axis, threads, [&](std::size_t end) {
      return [&, outputs = RowBuffer<T>(y, axis, end, target),
              upstream = RowBuffer<T>(g, axis, end, target)](std::size_t row) mutable {
        const T* from = outputs.read(row);
        shares[row] = kernels.backward_alpha(alpha, from, upstream.read(row), y.shape[axis]);
      };
    });
  });
  double sum = 0;
  for (const double share : shares) sum += share;
  return sum;
}

void gumbel_softmax(double tau, std::uint64_t seed, const actfun_array& x, const actfun_array* y,
                    const actfun_array* hard, int axis, const Target& target, unsigned threads) {
  const Places places(x, axis);
  with_numbers(static_cast<Format>(x.format), [&]<class T>(T) {
    const SimplexRows<T>& kernels = simplex_rows<T>(target.bit);
    const GumbelNoise noise = gumbel_noise(target.bit);
    const auto buffer = [&](const actfun_array* array, std::size_t end) {
      return array ? std::optional<RowBuffer<T>>(std::in_place, *array, axis, end, target) : std::nullopt;
    };
    for_rows(x, axis, threads, [&](std::size_t end) {
      return [&, inputs = RowBuffer<T>(x, axis, end, target), soft = buffer(y, end), chosen = buffer(hard, end),
              room = std::vector<double>(simplex_room(x.shape[axis]))](std::size_t row) mutable {
        const T* from = inputs.read(row);
        noise(seed, places.first(row), places.inner, room.data(), places.length);
        kernels.gumbel_softmax(tau, from, soft ? soft->room(row) : nullptr, chosen ? chosen->room(row) : nullptr,
                               places.length, room.data());
        if (soft) soft->write(row);
        if (chosen) chosen->write(row);
      };
    });
  });
}

void gumbel_softmax_backward(double tau, const actfun_array& y, const actfun_array& g, const actfun_array& dx, int axis,
                             const Target& target, unsigned threads) {
  backward(1, 1 / tau, y, g, dx, axis, target, threads);
}

void gumbel_noise(std::uint64_t seed, const actfun_array& noise, const Target& target, unsigned threads) {
  if (size_of(noise) == 0) return;
  actfun_array at_least_one_axis = noise;
  if (noise.rank == 0) at_least_one_axis.rank = 1, at_least_one_axis.shape[0] = 1, at_least_one_axis.strides[0] = 1;
  const int axis = at_least_one_axis.rank - 1;
  const Places places(at_least_one_axis, axis);
  with_numbers(static_cast<Format>(noise.format), [&]<class T>(T) {
    const GumbelNoise draw = gumbel_noise(target.bit);
    for_rows(at_least_one_axis, axis, threads, [&](std::size_t end) {
      return [&, results = RowBuffer<T>(at_least_one_axis, axis, end, target),
              room = std::vector<double>(places.length)](std::size_t row) mutable {
        draw(seed, places.first(row), places.inner, room.data(), places.length);
        std::transform(room.begin(), room.end(), results.room(row), [](double x) { return static_cast<T>(x); });
        results.write(row);
      };
    });
  });
}

}  // namespace actfun
