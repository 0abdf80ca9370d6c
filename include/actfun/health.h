/* SPDX-License-Identifier: Apache-2.0 */
/* actfun: the health check inside a training loop. The C interface.
 *
 * A check counts the elements of one layer, batch by batch: its memory depends on the number of channels alone, about
 * 1.5 KiB each. Calls on different checks may run at the same time, calls on the same one must not. Partial results
 * merge without loss: neither the order nor the grouping of merges changes a result. */
#ifndef ACTFUN_HEALTH_H_
#define ACTFUN_HEALTH_H_

#include "actfun/actfun.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct actfun_health actfun_health;

/* What is known of a channel, or of all together. Where there is nothing to tell, NaN. */
typedef struct actfun_health_summary {
  uint64_t elements;
  uint64_t inactive;  /* f(x) = f'(x) = 0; of activations x = 0 */
  uint64_t saturated; /* |f'(x)| < tolerance */
  uint64_t nan, plus_inf, minus_inf, zero;
  uint64_t subnormal;                                     /* in the format of the elements; of f64 in f32 */
  uint64_t f16_overflow, f16_subnormal, f16_underflow;    /* what becomes infinite, subnormal, 0 in f16 */
  uint64_t bf16_overflow, bf16_subnormal, bf16_underflow; /* likewise in bf16 */
  uint64_t lost;                                          /* finite, but f or f' is not: left out of the means of f */
  uint64_t dead;                                          /* channels that have elements, all of them inactive */
  double mean, spread;             /* of finite x; the spread is the standard deviation of all, divided by n */
  double f_mean, f_spread;         /* of f */
  double gain;                     /* E[f'^2] */
  double f_mean_error, gain_error; /* by how much these may be off; 0 of exact checks */
  double largest;                  /* magnitude of a finite x; 0 if there is none */
} actfun_health_summary;

/* A check for `channels` channels (1 to 2^20) whose elements come in `format`. `f` is the function that they are given
 * to; NULL: they are activations. `tolerance` is positive and finite. With `exact` not 0 f and f' of every element come
 * from the library's kernels; otherwise, of elements in (-4, 4), from parabolas that lie closer to them than the errors
 * that actfun_health_errors tells. Counts are exact either way.
 * Status: OK, NULL_POINTER, BAD_FUNCTION, BAD_PARAMETER, BAD_KINKS, BAD_FORMAT (a format, or a tolerance), BAD_SHAPE
 * (channels; too large for memory). */
ACTFUN_API actfun_status actfun_health_new(const actfun_function* f, actfun_format format, size_t channels,
                                           double tolerance, int exact, actfun_health** made);
/* NULL is allowed. */
ACTFUN_API void actfun_health_free(actfun_health* check);

/* Adds a batch: an array of shape [outer, channels, inner] in C order, of the check's format, which is only read. inner
 * is 1 when the channels are the last axis. Sums are added in an order that the array's shape decides: the same batches
 * give the same bits on every machine.
 * Status: OK, NULL_POINTER, BAD_SHAPE (other channels than the check's; too large), BAD_TARGET. */
ACTFUN_API actfun_status actfun_health_add(actfun_health* check, const void* x, size_t outer, size_t channels,
                                           size_t inner);
/* Adds what `other` knows; both may be one. Status: OK, NULL_POINTER, BAD_SHAPE (the two differ in channels, format,
 * function or tolerance). */
ACTFUN_API actfun_status actfun_health_merge(actfun_health* check, const actfun_health* other);

/* Status: OK, NULL_POINTER, BAD_SHAPE (no such channel). */
ACTFUN_API actfun_status actfun_health_channel(const actfun_health* check, size_t channel,
                                               actfun_health_summary* summary);
ACTFUN_API actfun_status actfun_health_all(const actfun_health* check, actfun_health_summary* summary);

#ifdef __cplusplus
}
#endif
#endif
