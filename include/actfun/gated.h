/* SPDX-License-Identifier: Apache-2.0 */
/* actfun: gated linear units, y = h(gate) value, and their gradients, on arrays with any strides. docs/gated.md */
#ifndef ACTFUN_GATED_H_
#define ACTFUN_GATED_H_

#include "actfun/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where gate and value lie in one array along an axis: in halves, or as pairs of neighbours. */
typedef enum actfun_glu_layout {
  ACTFUN_GATE_FIRST = 0,
  ACTFUN_GATE_SECOND = 1,
  ACTFUN_GATE_EVEN = 2, /* gate, value, gate, value, ... */
  ACTFUN_GATE_ODD = 3   /* value, gate, ... */
} actfun_glu_layout;

/* y = scale a b, with
 *   a = min(h(g) [beta1 tanh(g / beta1)], step_limit),   g = min(gate, limit)
 *   b = v + offset, or beta2 tanh(v / beta2) + offset,   v = value, at most min(limit, step_limit) in magnitude
 * A plain value, made by actfun_glu_find; members may be changed afterwards. */
typedef struct actfun_gated {
  actfun_function gate; /* h; its kinks, tier and threads are those of the whole */
  double limit;         /* > 0; INFINITY: none. Limits are rounded to the arrays' format */
  double step_limit;    /* > 0; INFINITY: none */
  double offset;
  double beta1, beta2; /* >= 0; 0: none */
  int32_t layout;      /* an actfun_glu_layout: of the preset, or of the first that the unit has. actfun_glu itself is
                          given views */
} actfun_gated;

/* Finds NAME[@PRESET][:parameter=value,...]. NAME is a gated unit (actfun_glu_name), or any elementwise function, which
 * becomes the gate; parameters are those of the gate and the members above. "swiglu@vllm", "clamped_swiglu:limit=5",
 * "mish:offset=1". On failure fills `message` (may be NULL; at most `size` bytes with the final zero).
 * Status: OK, NULL_POINTER, BAD_FUNCTION, BAD_PARAMETER. */
ACTFUN_API actfun_status actfun_glu_find(const char* text, actfun_gated* found, char* message, size_t size);

/* The gate and the value of x along an axis (-1: the last), as views: nothing is copied. The axis' length must be even.
 * `layout` is an actfun_glu_layout. Status: OK, NULL_POINTER, BAD_FORMAT (the layout, too), BAD_SHAPE. */
ACTFUN_API actfun_status actfun_glu_split(const actfun_array* x, int32_t axis, int32_t layout, actfun_array* gate,
                                          actfun_array* value, char* message, size_t size);

/* y = f(gate, value), all of one shape and format. `scale` (may be NULL) is a factor for each row, the probability of
 * an expert as a rule: of the same shape, but 1 along the axes that it does not depend on; f32, or of the others'
 * format.
 *
 * Exact tier: the real number rounded once, the same bits on every instruction set. Correctly rounded, but where an
 * offset or, in f64, a scale takes part: their sum or product is rounded to a double first, so that results are within
 * 0.501 ULP, in f64 1.5 ULP. Fast tier: f32 without soft limits rounds after each step; everything else is as exact.
 * docs/gated.md has the bounds.
 *
 * NaN in gate, value or scale gives NaN, whatever the limits are. An infinite gate stands for the limit of h there, 0
 * times an infinity is NaN: with value = inf, the gate -inf of swiglu is NaN. Zeros have the product's sign. Empty
 * arrays are fine. y may be gate or value; other overlaps are refused, but views that share no element, such as those
 * that actfun_glu_split makes, do not overlap. Status: OK, NULL_POINTER, OVERLAP, BAD_FUNCTION, BAD_PARAMETER,
 * BAD_SHAPE, BAD_FORMAT, BAD_TARGET, ..., and `message` names the array. */
ACTFUN_API actfun_status actfun_glu(const actfun_gated* f, const actfun_array* gate, const actfun_array* value,
                                    const actfun_array* scale, const actfun_array* y, char* message, size_t size);

/* From the gradient dy by y those by gate, value and, unless it is NULL, scale:
 *   dgate = dy scale a' b,   dvalue = dy scale a b',   dscale = the sum of dy a b over `axis`, along which scale has
 * length 1, its other axes being those of the others. What the forward pass computed is computed again: nothing but the
 * inputs is kept. A limit lets the gradient pass where it is just reached (gate <= limit, |value| <= limit, a <=
 * step_limit), as Transformer Engine's do, and makes it +0 beyond. Each result is rounded once, as for actfun_glu; the
 * terms of dscale to f32 (f64: f64) before they are added up nearly without error, in an order of their own. Fast tier:
 * within f32's rounding after each step, for gates that have a fast slope, without scale, limits and offset.
 * Outputs may be inputs, but not each other; dgate and dvalue may be the two views of one array. */
ACTFUN_API actfun_status actfun_glu_backward(const actfun_gated* f, const actfun_array* gate, const actfun_array* value,
                                             const actfun_array* scale, const actfun_array* dy,
                                             const actfun_array* dgate, const actfun_array* dvalue,
                                             const actfun_array* dscale, int32_t axis, char* message, size_t size);

/* The number of gated units that have names, and the name of one (NULL when there is none). */
ACTFUN_API size_t actfun_glu_count(void);
ACTFUN_API const char* actfun_glu_name(size_t i);

#ifdef __cplusplus
}
#endif
#endif
