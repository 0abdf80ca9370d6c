/* SPDX-License-Identifier: Apache-2.0 */
/* actfun: maxout along any axis of arrays of any format, with any strides (Goodfellow et al. 2013). actfun_maxout and
 * actfun_maxout_backward (actfun.h) are these functions on arrays in C order. */
#ifndef ACTFUN_MAXOUT_H_
#define ACTFUN_MAXOUT_H_

#include "actfun/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* x's axis (from 0, or from -1 backwards) consists of groups of k neighbours: y, whose axis is k times shorter,
 * receives the largest of each group, exactly as it is in x (a NaN of 16 or 8 bits: the format's quiet one), and
 * `index` (may be NULL), in C order of y's shape, which of the k it was, from 0. The first wins a tie, as -0 and 0 are;
 * a NaN wins over every number, the first of several. y's format is x's. Nothing may overlap. Empty arrays are fine.
 * `message` (may be NULL; at most `size` bytes with the final zero) tells what is wrong. Status BAD_SHAPE: k is 0,
 * above 2^31 - 1 or does not divide the axis, y's shape is another one, or memory for some rows is lacking. */
ACTFUN_API actfun_status actfun_maxout_forward(const actfun_array* x, size_t k, const actfun_array* y, int32_t* index,
                                               int32_t axis, char* message, size_t size);

/* dx, of x's shape, receives g where an element won and 0 elsewhere; g has y's shape, `index` is what
 * actfun_maxout_forward wrote. Status BAD_LABEL: an index outside of [0, k), which `message` names; nothing is written
 * then. Nothing may overlap. */
ACTFUN_API actfun_status actfun_maxout_gradient(const actfun_array* g, const int32_t* index, size_t k,
                                                const actfun_array* dx, int32_t axis, char* message, size_t size);

#ifdef __cplusplus
}
#endif
#endif
