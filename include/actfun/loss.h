/* SPDX-License-Identifier: Apache-2.0 */
/* actfun: cross-entropy from logits along any axis of arrays with any strides, with label smoothing, class weights,
 * ignored labels and z-loss, and its gradient. actfun_cross_entropy and actfun_soft_cross_entropy (actfun.h) are these
 * functions at their defaults, on arrays in C order. docs/loss.md has formulas, measured errors and examples. */
#ifndef ACTFUN_LOSS_H_
#define ACTFUN_LOSS_H_

#include "actfun/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All zero: plain cross-entropy, the mean over rows. */
typedef struct actfun_loss_options {
  double label_smoothing;      /* e in [0, 1]: the share of a label that is spread over all classes */
  double z_loss;               /* l in [0, 1e30]: l lse^2 is added to each row's loss */
  const double* class_weights; /* one for each class, finite and not negative; NULL: 1 */
  int32_t has_ignored;         /* if not 0, rows with the label `ignored` have no loss and the gradient 0 */
  int32_t ignored;             /* any number */
  actfun_reduction reduction;  /* ACTFUN_MEAN, ACTFUN_SUM or ACTFUN_NONE */
} actfun_loss_options;

/* With lse = log(sum_j exp(x_j)), C classes and class weights w, the loss of a row with label k is
 *   sum_i c_i (lse - x_i) + l lse^2,   c_i = w_i ((1 - e) (i == k) + e / C),
 * and its gradient by x_i is  softmax(x)_i (sum_j c_j + 2 l lse) - c_i  (Szegedy et al. 2016 for e; Chowdhery et al.
 * 2022 for l).
 *
 * x holds logits, their classes along `axis` (from 0, or from -1 backwards); `labels` has one for each row, in C order
 * of the other axes. `loss` receives one double: the sum of the rows' losses, or for the mean that divided by the sum
 * of w_k over the rows that are not ignored; or for ACTFUN_NONE one a row. dx, of x's shape and format, receives
 * `scale` times the gradient of that; it may be x (the same view), or NULL when only the loss is wanted. `options` may
 * be NULL.
 *
 * Computed in double and rounded once (16- and 8-bit formats: to f32 first), with the same bits on every instruction
 * set and any number of threads. Near a certain, right prediction loss and gradient keep their relative accuracy: all
 * terms of the loss are of one sign, and softmax(x)_k - 1 is not computed by a subtraction. The loss is within 2^-45,
 * relative, for rows of up to 100,000, but for l lse^2, where lse is within 2^-45 of the larger of 1 and the largest
 * |x_i|. The gradient at e = l = 0: in f32 within 0.501 ULP, in f64 within 2^-42, relative; otherwise, where terms
 * cancel, within half a unit of the result's rounding and 2^-42 scale (softmax(x)_i (sum_j c_j + 2 l |lse|) + c_i).
 *
 * A row with a NaN, with several +inf, or -inf everywhere, makes loss and gradient NaN. With exactly one +inf they are
 * the limits: softmax is one-hot, lse is inf, and a class with c_i > 0 other than that one makes the loss inf, as l > 0
 * does, which makes its gradient there inf, too. A logit of -inf with c_i > 0 makes the loss inf; with c_i = 0 it adds
 * nothing. The mean over no rows, or over rows that are all ignored, is NaN, the sum 0. Rows of one class have loss 0
 * (l = 0). What is ignored is not looked at, NaN or not.
 *
 * Status BAD_LABEL: a label that is none of its row's, named in `message` (may be NULL; at most `size` bytes with the
 * final zero); BAD_PARAMETER: an option outside of its domain; BAD_SHAPE: also no classes, or lack of memory (one row
 * on each thread, and a number a class). Nothing is written then. */
ACTFUN_API actfun_status actfun_label_loss(const actfun_loss_options* options, const actfun_array* x,
                                           const int32_t* labels, int32_t axis, double scale, double* loss,
                                           const actfun_array* dx, char* message, size_t size);

/* The same with a target t_i for every class in place of a label, in x's shape and format; probabilities, as a rule:
 * c_i = w_i ((1 - e) t_i + e / C). The mean divides by the number of rows; no row is ignored. dx may be x or targets.
 */
ACTFUN_API actfun_status actfun_target_loss(const actfun_loss_options* options, const actfun_array* x,
                                            const actfun_array* targets, int32_t axis, double scale, double* loss,
                                            const actfun_array* dx, char* message, size_t size);

#ifdef __cplusplus
}
#endif
#endif
