// SPDX-License-Identifier: Apache-2.0
#include "api/loss.h"

#include <string>

#include "api/row_buffer.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"
#include "backends/cpu/loss.h"

namespace actfun {
namespace {

/// loss_of(x, row, dx) for each row, added up in the order of the rows and divided by `divisor`, or as they are; make()
/// gives each thread one of its own, for rows up to what it is told.
template <class T, class Make>
void reduce(Reduction reduction, const actfun_array& x, int axis, double divisor, double* loss, const actfun_array* dx,
            const Target& target, unsigned threads, const Make& make) {
  const RowsOf all(x, axis);
  const std::size_t rows = size_of(x) == 0 ? 0 : all.count(), tile = tile_of_rows(all.length()),
                    batch = std::min(rows, 64 * tile);
  std::vector<double> of_batch(reduction == Reduction::none ? 0 : batch);
  double sum = 0;
  for (std::size_t start = 0; start < rows; start += batch) {
    const std::size_t m = std::min(batch, rows - start);
    double* losses = reduction == Reduction::none ? loss + start : of_batch.data();
    in_parts(m, tile, threads, [&](std::size_t first, std::size_t count) {
      const std::size_t end = start + first + count;
      RowBuffer<T> logits(x, axis, end, target), gradients(dx ? *dx : x, axis, end, target);
      auto loss_of = make(end);
      for (std::size_t i = first; i < first + count; ++i) {
        const T* row = logits.read(start + i);
        losses[i] = loss_of(row, start + i, dx ? gradients.room(start + i) : nullptr);
        if (dx) gradients.write(start + i);
      }
    });
    for (std::size_t i = 0; reduction != Reduction::none && i < m; ++i) sum += losses[i];
  }
  if (reduction != Reduction::none) loss[0] = reduction == Reduction::mean ? sum / divisor : sum;
}

/// What labels weigh in all. Throws LabelError where one is none of its row's.
double weight_of(const LossOptions& options, const std::int32_t* labels, std::size_t rows, std::size_t classes) {
  double weight = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (options.ignored && labels[row] == *options.ignored) continue;
    if (labels[row] < 0 || static_cast<std::size_t>(labels[row]) >= classes)
      throw LabelError("the label of row " + std::to_string(row) + " is " + std::to_string(labels[row]) +
                       "; there are " + std::to_string(classes) + " classes, numbered from 0");
    weight += options.weights ? options.weights[labels[row]] : 1;
  }
  return weight;
}

double scale_of_row(const LossOptions& options, double divisor) {
  return options.reduction == Reduction::mean ? options.scale / divisor : options.scale;
}

double weight(const LossOptions& options, std::size_t c) { return options.weights ? options.weights[c] : 1; }

}  // namespace

void cross_entropy(const LossOptions& options, const actfun_array& x, const std::int32_t* labels, int axis,
                   double* loss, const actfun_array* dx, const Target& target, unsigned threads) {
  const std::size_t classes = x.shape[axis], rows = size_of(x) == 0 ? 0 : RowsOf(x, axis).count();
  const double divisor = weight_of(options, labels, rows, classes), scale = scale_of_row(options, divisor);
  std::vector<double> spread(options.smoothing == 0 ? 0 : classes);
  LossTerms terms{.z = options.z};
  for (std::size_t c = 0; c < spread.size(); ++c) {
    spread[c] = options.smoothing / static_cast<double>(classes) * weight(options, c);
    terms.total += spread[c];
  }
  if (!spread.empty()) terms.spread = spread.data();
  const DefaultFloatEnvironment environment;
  with_numbers(static_cast<Format>(x.format), [&]<class T>(T) {
    const LossRows<T>& kernels = loss_rows<T>(target.bit);
    reduce<T>(options.reduction, x, axis, divisor, loss, dx, target, threads, [&](std::size_t) {
      return [&, own = terms](const T* row, std::size_t i, T* to) mutable {
        if (options.ignored && labels[i] == *options.ignored) {
          if (to) std::fill_n(to, classes, T{0});
          return 0.0;
        }
        const auto label = static_cast<std::size_t>(labels[i]);
        own.label = (1 - options.smoothing) * weight(options, label);
        return kernels.label(own, row, label, scale, to, classes);
      };
    });
  });
}

void cross_entropy(const LossOptions& options, const actfun_array& x, const actfun_array& targets, int axis,
                   double* loss, const actfun_array* dx, const Target& target, unsigned threads) {
  const std::size_t classes = x.shape[axis], rows = size_of(x) == 0 ? 0 : RowsOf(x, axis).count();
  const double divisor = static_cast<double>(rows), scale = scale_of_row(options, divisor),
               share = options.smoothing / static_cast<double>(classes), kept = 1 - options.smoothing;
  const DefaultFloatEnvironment environment;
  with_numbers(static_cast<Format>(x.format), [&]<class T>(T) {
    const LossRows<T>& kernels = loss_rows<T>(target.bit);
    reduce<T>(options.reduction, x, axis, divisor, loss, dx, target, threads, [&](std::size_t end) {
      return [&, given = RowBuffer<T>(targets, axis, end, target), c = std::vector<double>(classes)](
                 const T* row, std::size_t i, T* to) mutable {
        const T* t = given.read(i);
        for (std::size_t k = 0; k < classes; ++k)
          c[k] = (kept * static_cast<double>(t[k]) + share) * weight(options, k);
        return kernels.targets({.spread = c.data(), .z = options.z}, row, scale, to, classes);
      };
    });
  });
}

void cross_entropy(Format format, Reduction reduction, const void* x, const std::int32_t* labels, double scale,
                   double* loss, void* dx, Shape shape, const Target& target, unsigned threads) {
  const actfun_array gradient = view(format, dx, shape);
  cross_entropy({.reduction = reduction, .scale = scale}, view(format, x, shape), labels, 1, loss,
                dx ? &gradient : nullptr, target, threads);
}
void soft_cross_entropy(Format format, Reduction reduction, const void* x, const void* targets, double scale,
                        double* loss, void* dx, Shape shape, const Target& target, unsigned threads) {
  const actfun_array gradient = view(format, dx, shape);
  cross_entropy({.reduction = reduction, .scale = scale}, view(format, x, shape), view(format, targets, shape), 1, loss,
                dx ? &gradient : nullptr, target, threads);
}

}  // namespace actfun
