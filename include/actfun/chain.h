/* SPDX-License-Identifier: Apache-2.0 */
/* actfun: chains of stages (bias, functions, residual, dropout, ...) that read memory once and write it once. The C
 * interface; docs/chain.md tells what is computed, and how it is rounded.
 *
 *     actfun_chain* chain;
 *     actfun_chain_create("bias(B) | gelu | dropout(0.1) | add(R)", &chain, message, sizeof message);
 *     const actfun_array operands[] = {b, r};  // in the order in which the text names them
 *     actfun_chain_run(chain, &x, operands, &y, seed, NULL, message, sizeof message);
 *
 * A chain is checked as it is built, and may be run from several threads at once. All messages may be NULL; at most
 * `size` bytes with the final zero are written, "" on success. */
#ifndef ACTFUN_CHAIN_H_
#define ACTFUN_CHAIN_H_

#include "actfun/array.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct actfun_chain actfun_chain;

/* Stages separated by `|`, none of them for "":
 *   gelu, elu:alpha=0.5, ...        any elementwise function, as actfun_find names it
 *   bias(B), bias(B, axis=1)        + B, one number or one for each channel along an axis of x (the last one)
 *   bias(0.5)                       + 0.5
 *   add(R), multiply(M)             + R, * M: arrays of x's shape, or one row of as many elements
 *   scale(2)                        * 2
 *   clamp(-1, 1)                    NaN stays
 *   dropout(0.1)                    0 with probability 0.1, else / 0.9 (Srivastava et al. 2014, inverted)
 *   quantize(0.1, 3), quantize(0.1, 3, int8)   to uint8 or int8 by scale and zero point; the last stage
 * Status: OK, NULL_POINTER, BAD_FUNCTION (no such stage or function), BAD_PARAMETER (arguments), BAD_FORMAT
 * (quantisation), NOT_POSSIBLE (a stage behind quantize), BAD_SHAPE (no memory); the message tells the column. */
ACTFUN_API actfun_status actfun_chain_create(const char* text, actfun_chain** made, char* message, size_t size);
/* Another chain with the same stages. */
ACTFUN_API actfun_status actfun_chain_copy(const actfun_chain* chain, actfun_chain** made);
/* NULL is allowed. */
ACTFUN_API void actfun_chain_destroy(actfun_chain* chain);

/* Stages behind those that there are; on failure the chain stays as it was. */
ACTFUN_API actfun_status actfun_chain_append(actfun_chain* chain, const char* text, char* message, size_t size);
/* A function with its conventions at kinks; its tier and its threads are the chain's. */
ACTFUN_API actfun_status actfun_chain_then(actfun_chain* chain, const actfun_function* f);
/* By default ACTFUN_EXACT, and actfun_threads() of them (0). Status: OK, NULL_POINTER, BAD_TIER. */
ACTFUN_API actfun_status actfun_chain_set(actfun_chain* chain, actfun_tier tier, uint32_t threads);

/* How many arrays the stages take, and the name of one; NULL when there is none. */
ACTFUN_API size_t actfun_chain_operands(const actfun_chain* chain);
ACTFUN_API const char* actfun_chain_operand(const actfun_chain* chain, size_t i);
/* The stages as actfun_chain_create reads them, and as a formula: `gelu(x + B) + R`. They last until the chain is
 * changed. */
ACTFUN_API const char* actfun_chain_text(const actfun_chain* chain);
ACTFUN_API const char* actfun_chain_formula(const actfun_chain* chain);

/* y = the chain of x. Arrays lie in C order, without gaps; x, operands and y may differ in format. y may be x, or an
 * operand of x's shape, if their elements' sizes are the same; nothing else may overlap y. With quantize, y holds
 * int8_t or uint8_t, and its format is not looked at.
 * Exact tier: computed on doubles and rounded once, at the end: within 0.501 ULP of the real number, and 2^-38 of the
 * magnitudes of the terms of sums behind the last function, which says more where they cancel. A chain that ends in a
 * function gives the real value, at the double that it is given, correctly rounded; one function alone gives
 * actfun_apply's results. If anything is f64, each stage rounds to f64. The same bits on every machine. Fast tier: on
 * floats, each stage rounds, functions as ACTFUN_FAST says; f64 anywhere: the exact tier's.
 * Dropout: element i in C order is dropped if word i % 4 of Philox 4x32-10 (key `seed`, counter (i / 4, d) for the
 * chain's dropout number d from 0) is below p 2^32. `kept`, unless NULL, receives bit i % 8 of byte i / 8: whether no
 * dropout dropped element i. NaN in, NaN out (unless dropped; quantize: the zero point), in the exact tier always the
 * same. Status: OK, NULL_POINTER, BAD_SHAPE, BAD_FORMAT, OVERLAP, BAD_TARGET, BAD_THREADS; the message tells which
 * array. */
ACTFUN_API actfun_status actfun_chain_run(const actfun_chain* chain, const actfun_array* x,
                                          const actfun_array* operands, const actfun_array* y, uint64_t seed,
                                          uint8_t* kept, char* message, size_t size);

/* The gradient dy with respect to y becomes dx (NULL: not wanted) and those with respect to the operands: gradients[i]
 * for operand i, data NULL: not wanted; `gradients` NULL: none. The values between the stages are computed again, so
 * that nothing but x and the operands need be kept; `seed` is the one of the run.
 * dx and the gradients of add and multiply are rounded as results are. The gradient of a bias has the bias's shape: a
 * sum of terms that are rounded to f32 (f64 if x, dy or an operand is f64), added nearly without error in an order that
 * depends on the shape alone, and rounded to the gradient's format. At the bounds of clamp the gradient passes. dx and
 * gradients of x's shape may each be x or dy, but must not overlap each other or operands.
 * Status: as above; NOT_POSSIBLE: the chain ends in quantize. */
ACTFUN_API actfun_status actfun_chain_backward(const actfun_chain* chain, const actfun_array* x,
                                               const actfun_array* operands, const actfun_array* dy, uint64_t seed,
                                               const actfun_array* dx, const actfun_array* gradients, char* message,
                                               size_t size);

#ifdef __cplusplus
}
#endif
#endif
