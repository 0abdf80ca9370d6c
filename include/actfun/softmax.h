/* SPDX-License-Identifier: Apache-2.0 */
/* actfun: softmax, log-softmax, softmin, log-sum-exp and log-mean-exp along any axis of strided arrays, with
 * temperatures, masks and attention sinks; their statistics, for rows in pieces; their gradients. The C interface;
 * docs/softmax.md explains.
 *
 * Every row along the axis has logits z_j = scale x_j + mask_j and, if there is a sink, one more logit s that takes
 * part in the denominator only:
 *   softmax_i = exp(z_i) / (exp(s) + sum_j exp(z_j))          log_softmax_i = z_i - log(exp(s) + sum_j exp(z_j))
 *   logsumexp = log(exp(s) + sum_j exp(z_j))                  logmeanexp = logsumexp - log(length)
 * (Bridle 1990). softmin is softmax with scale -1.
 *
 * Formats: any, the same for x and y (and g, dx), f8 included; f16, bf16 and f8 are computed in f32 and rounded again.
 * Exact tier: within 0.501 ULP of the real number (f64 below 2^-1000: 1.01), the same bits on every machine. Fast tier,
 * for softmax in f32: within 2 ULP, subnormal results included (with a scale, mask or sink: for logits up to 2^20), the
 * same bits wherever multiplications and additions are fused; everything else is computed as in the exact tier. No bit
 * depends on the number of threads or on how rows lie in memory.
 *
 * Rows with special values, by their logits, the sink among them: a NaN makes all results NaN. One +inf is the limit:
 * one-hot (log: 0 there, -inf elsewhere; a sink of +inf: all 0, log -inf). Several +inf, or -inf everywhere, have no
 * limit: NaN, or with `safe`, for -inf everywhere, 0 (log: -inf). Log-sum-exp is then +inf, or -inf. Rows of one
 * element give 1 (log: 0). Without elements there is nothing to write, and log-sum-exp is -inf, or the sink; logmeanexp
 * is NaN.
 *
 * Calls return a status and, unless that is ACTFUN_OK, fill `message` (may be NULL; at most `size` bytes with the final
 * zero) with what is wrong. Status: OK, NULL_POINTER, OVERLAP, BAD_PARAMETER (an option outside of what it may be),
 * BAD_SHAPE (of an array, or an axis that does not exist; also when memory is lacking), BAD_TARGET, BAD_FORMAT,
 * BAD_TIER, BAD_THREADS. y may be x, the same elements at the same places; nothing else may overlap what is written. */
#ifndef ACTFUN_SOFTMAX_H_
#define ACTFUN_SOFTMAX_H_

#include "actfun/array.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum actfun_softmax_kind { ACTFUN_SOFTMAX = 0, ACTFUN_LOG_SOFTMAX = 1 } actfun_softmax_kind;

/* What a mask's numbers mean. */
typedef enum actfun_mask_kind {
  ACTFUN_MASK_ADDED = 0,  /* numbers of any format, added to scale x, as numbers of f32 (f64 if x is) */
  ACTFUN_MASK_BOOLEAN = 1 /* uint8_t, whatever the array's format says: elements at 0 take no part */
} actfun_mask_kind;

/* Which elements of the last axis, the keys, a row of the axis before it, the queries, sees. */
typedef enum actfun_causal {
  ACTFUN_CAUSAL_NONE = 0,
  ACTFUN_CAUSAL_TOP_LEFT = 1,    /* query q sees keys up to q + causal_offset */
  ACTFUN_CAUSAL_BOTTOM_RIGHT = 2 /* up to q + causal_offset + keys - queries: the last query sees all with offset 0 */
} actfun_causal;

typedef struct actfun_softmax_options {
  double scale;             /* 1 / temperature: finite, of a magnitude from 2^-100 to 2^100 */
  const actfun_array* mask; /* of x's shape, strides 0 where it is the same for all; NULL: none. Elements whose mask is
                               -inf or false take no part, whatever x is there, NaN included */
  int32_t mask_kind;        /* an actfun_mask_kind */
  int32_t causal;           /* an actfun_causal; only along the last axis */
  int64_t causal_offset;
  const actfun_array* sink; /* of x's shape without the axis, any format; not scaled, not masked; NULL: none */
  int32_t safe;             /* not 0: rows without an element that takes part give 0, not NaN */
  int32_t tier;             /* an actfun_tier */
  uint32_t threads;         /* at most so many; 0: actfun_threads() */
} actfun_softmax_options;

/* What holds unless it is changed: scale 1, nothing else. Also meant where options are NULL. */
ACTFUN_API actfun_softmax_options actfun_softmax_defaults(void);

/* y = softmax or log_softmax of x along `axis` (-1: the last). max and log_sum_exp (may be NULL; one double a row, in C
 * order of the other axes) receive the largest logit, the sink not among them, and log-sum-exp with it; then the exact
 * tier serves both. y may be NULL when only these are wanted. */
ACTFUN_API actfun_status actfun_softmax_forward(actfun_softmax_kind kind, const actfun_softmax_options* options,
                                                const actfun_array* x, int32_t axis, const actfun_array* y, double* max,
                                                double* log_sum_exp, char* message, size_t size);

/* y = log-sum-exp, or with `mean` log-mean-exp, of x along `axis`; y has x's shape without the axis. Rounded once from
 * m + log(sum_j exp(z_j - m)), m the largest logit, with an error of 2^-45 (f64: 2^-70) of the larger of the two:
 * within 0.501 ULP unless they cancel. Elements that take no part count in the mean's length. */
ACTFUN_API actfun_status actfun_logsumexp(const actfun_softmax_options* options, int32_t mean, const actfun_array* x,
                                          int32_t axis, const actfun_array* y, char* message, size_t size);

/* Rows in pieces, on several threads, machines or moments: statistics of two pieces of n rows become those of both.
 * Outputs may be inputs. A NaN in one piece makes NaN. Any order and grouping gives the same up to rounding. */
ACTFUN_API actfun_status actfun_softmax_merge(size_t n, const double* max_a, const double* log_sum_exp_a,
                                              const double* max_b, const double* log_sum_exp_b, double* max,
                                              double* log_sum_exp);

/* y = exp(z - log_sum_exp), or z - log_sum_exp, for a piece of the rows, given the statistics of the whole rows. The
 * error of log_sum_exp as a double, 2^-53 of it, is one of the results, relative (log: absolute). The options' sink and
 * tier do not count. A log_sum_exp of -inf gives NaN, or with `safe` 0 (log: -inf); +inf gives NaN at +inf and 0 (log:
 * -inf) elsewhere. */
ACTFUN_API actfun_status actfun_softmax_from_statistics(actfun_softmax_kind kind, const actfun_softmax_options* options,
                                                        const actfun_array* x, int32_t axis, const double* log_sum_exp,
                                                        const actfun_array* y, char* message, size_t size);

/* Gradients with respect to x, from the output y and the gradient g of the loss with respect to it:
 *   softmax      dx_i = scale y_i (g_i - sum_j g_j y_j)
 *   log_softmax  dx_i = scale (g_i - exp(y_i) sum_j g_j)
 * The gradient with respect to an added mask is dx / scale (summed where the mask is broadcast); that with respect to
 * the sink is -(1 - sum_j y_j) sum_j g_j y_j, or -(1 - sum_j exp(y_j)) sum_j g_j. Of the options, scale and threads
 * count. Computed in double, as actfun_softmax_backward says, and rounded once. dx may be y or g. */
ACTFUN_API actfun_status actfun_softmax_gradient(actfun_softmax_kind kind, const actfun_softmax_options* options,
                                                 const actfun_array* y, const actfun_array* g, int32_t axis,
                                                 const actfun_array* dx, char* message, size_t size);

/* Forward mode: the change dy of the output y when x changes by v. softmax's Jacobian is symmetric: dy_i = scale y_i
 * (v_i - sum_j y_j v_j); log_softmax's is not: dy_i = scale (v_i - sum_j exp(y_j) v_j). As above otherwise. */
ACTFUN_API actfun_status actfun_softmax_jvp(actfun_softmax_kind kind, const actfun_softmax_options* options,
                                            const actfun_array* y, const actfun_array* v, int32_t axis,
                                            const actfun_array* dy, char* message, size_t size);

/* The gradient of log-sum-exp and of log-mean-exp with respect to x, dx = scale g softmax(x), where g has x's shape
 * without the axis; rounded once. */
ACTFUN_API actfun_status actfun_logsumexp_gradient(const actfun_softmax_options* options, const actfun_array* x,
                                                   int32_t axis, const actfun_array* g, const actfun_array* dx,
                                                   char* message, size_t size);

#ifdef __cplusplus
}
#endif
#endif
