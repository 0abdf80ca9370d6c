/* SPDX-License-Identifier: Apache-2.0 */
/* actfun: functions along an axis whose rows are points of the probability simplex, most of them with zeros.
 *
 * x, y, g, dx are arrays of one shape and format, with any strides; `axis` counts from 0, or from -1 backwards. Rows
 * along it are computed each by itself, in double or double-double, and rounded once (16- and 8-bit formats: to f32
 * first), with the same bits on every instruction set and any number of threads. An output may be the very input (the
 * same view of the same memory); everything else that overlaps is refused. Empty arrays are fine. What a call needs
 * besides is memory for a row or some on each thread; ACTFUN_BAD_SHAPE if that is lacking.
 *
 * Each call returns a status, and fills `message` (may be NULL; at most `size` bytes with the final zero) with what is
 * wrong and what is allowed. docs/simplex.md has formulas, measured errors and examples. */
#ifndef ACTFUN_SIMPLEX_H_
#define ACTFUN_SIMPLEX_H_

#include "actfun/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y_i = (x_i - tau)_+, the point of the simplex nearest to x (Martins & Astudillo 2016): actfun_entmax for alpha = 2.
 */
ACTFUN_API actfun_status actfun_sparsemax(const actfun_array* x, const actfun_array* y, int32_t axis, char* message,
                                          size_t size);

/* y_i = ((alpha - 1) x_i - tau)_+^(1/(alpha - 1)), where tau makes the sum 1 (Peters, Niculae & Martins 2019), for
 * alpha from 1, which is softmax, to 32; ACTFUN_BAD_PARAMETER otherwise.
 *
 * alpha = 2 and 1.5: tau is known to 2^-80 of the largest y (in its power, alpha - 1) and better; y_i is at most 0.501
 * ULP from the real-number result wherever the difference under the power is larger than 2^-65 of the largest, and
 * below that off by what an error of 2^-80 in tau means. That holds for f64, too.
 * Other alpha > 1: with t_i the ratio of the difference under the power to the largest one, relative to y_i
 * at most 2^-46 (1 + |log y_i| + 1/((alpha - 1) t_i)): in f32 at most 0.501 ULP where (alpha - 1) t_i > 2^-11.
 * alpha = 1: at most 0.501 ULP in f32, 2^-42 relative in f64; in f64 results below e^-708 are 0.
 *
 * A row with a NaN is all NaN; exactly one +inf is the limit, one-hot; several +inf, or -inf everywhere, have no limit
 * and give NaN. -inf beside numbers gives 0. A row of one number gives 1. */
ACTFUN_API actfun_status actfun_entmax(double alpha, const actfun_array* x, const actfun_array* y, int32_t axis,
                                       char* message, size_t size);

/* y_i = 1 for the largest of a row, the first on a tie, and 0 elsewhere, infinities being numbers like others; a row
 * with a NaN is all NaN. Its derivative is 0. */
ACTFUN_API actfun_status actfun_hardmax(const actfun_array* x, const actfun_array* y, int32_t axis, char* message,
                                        size_t size);

/* Backward of the above from their output y = entmax(x) and the gradient g by y:
 *   dx_i = s_i (g_i - sum_j s_j g_j / sum_j s_j), s_i = y_i^(2 - alpha) where y_i > 0, else 0;
 * for alpha = 1 sum_j s_j is taken for the 1 that it is. The Jacobian is symmetric: with a tangent in the place of g
 * this is forward mode. As functions of y and g, within 0.501 ULP and (n/16 + 64) 2^-53 of the terms' magnitudes, s_i
 * (|g_i| + sum_j s_j |g_j| / sum_j s_j), for rows of n; y_i below 2^-1022 counts as that. What g holds where y is 0
 * does not matter, and dx is 0 there. A NaN in y, and a NaN or an infinity in g where y > 0, makes NaNs of the row
 * where y > 0. */
ACTFUN_API actfun_status actfun_sparsemax_backward(const actfun_array* y, const actfun_array* g, const actfun_array* dx,
                                                   int32_t axis, char* message, size_t size);
ACTFUN_API actfun_status actfun_entmax_backward(double alpha, const actfun_array* y, const actfun_array* g,
                                                const actfun_array* dx, int32_t axis, char* message, size_t size);

/* The gradient by alpha itself, > 1 here: *gradient = the sum of g_i dy_i/dalpha over the whole array, rows added in C
 * order (Correia, Niculae & Martins 2019). Near alpha = 1 terms of the size 1/(alpha - 1)^2 cancel. 0 for empty arrays.
 */
ACTFUN_API actfun_status actfun_entmax_alpha_gradient(double alpha, const actfun_array* y, const actfun_array* g,
                                                      int32_t axis, double* gradient, char* message, size_t size);

/* A sample with Gumbel's noise (Jang, Gu & Poole 2017; Maddison, Mnih & Teh 2017):
 *   y = softmax((x + noise) / tau),  noise = -log(-log(u))
 * with u uniform in (0, 1). y, unless NULL, receives it; `hard`, unless NULL, receives the one-hot of the largest x +
 * noise, the first on a tie. One of them must be there, and neither may be the other. The noise of element i, counted
 * in C order of the shape, depends on `seed` and i alone: not on strides, axis, threads or instruction set. tau is from
 * 1e-30 to 1e30; ACTFUN_BAD_PARAMETER otherwise.
 * x + noise and its division by tau are rounded to double; as a function of the quotients y is softmax, within 0.501
 * ULP in f32. NaN and infinities as in actfun_entmax; a row of `hard` with a NaN is all NaN. */
ACTFUN_API actfun_status actfun_gumbel_softmax(double tau, uint64_t seed, const actfun_array* x, const actfun_array* y,
                                               const actfun_array* hard, int32_t axis, char* message, size_t size);

/* dx_i = y_i (g_i - sum_j y_j g_j) / tau from the soft sample y, also where the hard one went forward
 * (straight-through: its gradient g is taken for that of the soft one). Accuracy as in actfun_entmax_backward. */
ACTFUN_API actfun_status actfun_gumbel_softmax_backward(double tau, const actfun_array* y, const actfun_array* g,
                                                        const actfun_array* dx, int32_t axis, char* message,
                                                        size_t size);

/* The noise itself, for an array's shape: what actfun_gumbel_softmax adds, rounded to the array's format. u is one of
 * the 2^52 numbers (k + 1/2) 2^-52, so that the noise lies between -3.604 and 36.737; the logarithms are within 2^-50,
 * absolutely or relative to the noise, whichever is more. Random bits are Philox 4x32-10's (Salmon et al. 2011). */
ACTFUN_API actfun_status actfun_gumbel_noise(uint64_t seed, const actfun_array* noise, char* message, size_t size);

#ifdef __cplusplus
}
#endif
#endif
