/* SPDX-License-Identifier: Apache-2.0 */
/* actfun: activation functions and their derivatives, correctly rounded. The C interface.
 *
 * Every call is reentrant: no global state, no errno, no allocation but one row when an axis is not the last, and what
 * threads take. Arrays
 * are contiguous, of any length and any alignment. An output may be the very input (in place); buffers that overlap in
 * any other way are refused with ACTFUN_OVERLAP. NaN in gives NaN out. Results are the correctly rounded values
 * whatever the instruction set, the position in the array, or the caller's rounding mode, flush-to-zero and
 * denormals-are-zero flags.
 *
 * Large arrays are worked on by several threads: as many as OpenMP would take, or as the environment variable
 * ACTFUN_NUM_THREADS says (read at the first call), or a function's member `threads`. Work that is too small for a
 * second thread, calls from within a parallel region, and calls in a process that was forked stay on the caller's;
 * calls from many threads at once share the processors. No bit of a result depends on it. docs/design/threads.md */
#ifndef ACTFUN_ACTFUN_H_
#define ACTFUN_ACTFUN_H_

#include <stddef.h>
#include <stdint.h>

#if defined(ACTFUN_STATIC)
#define ACTFUN_API
#else
#define ACTFUN_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ACTFUN_MAX_PARAMETERS 4

typedef enum actfun_status {
  ACTFUN_OK = 0,
  ACTFUN_NULL_POINTER = 1,  /* a pointer is NULL although elements are to be read or written */
  ACTFUN_OVERLAP = 2,       /* buffers overlap partly */
  ACTFUN_BAD_FUNCTION = 3,  /* not a function of this library, or of another kind (elementwise, axis) */
  ACTFUN_BAD_PARAMETER = 4, /* an unknown parameter, or a value outside its domain */
  ACTFUN_BAD_SHAPE = 5,     /* a size that does not fit the others, or too large for memory */
  ACTFUN_BAD_TARGET = 6,    /* ACTFUN_TARGET names an instruction set that this machine or build lacks */
  ACTFUN_BAD_FORMAT = 7,    /* not an order, a format, an overflow rule or a quantisation of this interface */
  ACTFUN_BAD_KINKS = 8,     /* a convention that does not exist, or is not known for this function's kinks */
  ACTFUN_BAD_LABEL = 9,     /* a label, or the number of a winner, that is none of its row's */
  ACTFUN_NOT_POSSIBLE = 10, /* what the function, with these parameters or conventions, does not have */
  ACTFUN_BAD_TIER = 11,     /* a tier that does not exist */
  ACTFUN_BAD_THREADS = 12   /* ACTFUN_NUM_THREADS is not a number from 1 to 65535 */
} actfun_status;

/* What to compute of an elementwise function: f, f' or f''. */
typedef enum actfun_order { ACTFUN_VALUE = 0, ACTFUN_SLOPE = 1, ACTFUN_CURVATURE = 2 } actfun_order;

/* The number formats of arrays. Narrow ones are computed wide and rounded once. */
typedef enum actfun_format {
  ACTFUN_F32 = 0,      /* float */
  ACTFUN_F64 = 1,      /* double */
  ACTFUN_F16 = 2,      /* IEEE 754 binary16, in uint16_t */
  ACTFUN_BF16 = 3,     /* bfloat16, in uint16_t */
  ACTFUN_F8E4M3FN = 4, /* OCP OFP8 E4M3, no infinity, in uint8_t */
  ACTFUN_F8E5M2 = 5    /* OCP OFP8 E5M2, in uint8_t */
} actfun_format;

/* What becomes of a result beyond the largest number of a format without infinities (f8e4m3fn: 448). */
typedef enum actfun_overflow { ACTFUN_SATURATE = 0, ACTFUN_OVERFLOW_TO_NAN = 1 } actfun_overflow;

/* Whose derivatives hold at kinks, where the others differ from the library's own: docs/conventions.md. */
typedef enum actfun_kinks {
  ACTFUN_KINKS_ACTFUN = 0,
  ACTFUN_KINKS_PYTORCH = 1,
  ACTFUN_KINKS_JAX = 2,
  ACTFUN_KINKS_TENSORFLOW = 3,
  ACTFUN_KINKS_ONNXRUNTIME = 4
} actfun_kinks;

/* What is promised of values and slopes in f32: the correctly rounded result, or one within 2 units in the last place
 * of the real number (near a root of f' that is not at zero: within 2^-24 times the largest |f'| at most 1 away from
 * it), where that is quicker: docs/design/fast_tier.md. actfun_backward multiplies by such a slope and rounds once
 * more. All else is the exact tier's in both: curvatures, parameters that are not at their defaults, other formats.
 * Results are the same on every machine whose instruction set has a fused multiply-add; without it, ACTFUN_FAST is
 * ACTFUN_EXACT. */
typedef enum actfun_tier { ACTFUN_EXACT = 0, ACTFUN_FAST = 1 } actfun_tier;

/* A function with its parameters and conventions: a plain value, made by actfun_find. */
typedef struct actfun_function {
  int32_t id;       /* the function's line in functions/list.def, from 0 */
  uint8_t rational; /* bit i: parameter i is its default exactly, where that is no double (hard_sigmoid's 1/6) and
                       parameters[i] is the nearest one. Without meaning once parameters[i] is another number. */
  uint8_t overflow; /* an actfun_overflow */
  uint8_t kinks;    /* an actfun_kinks that is known for the function: changes slopes at kinks, nothing else */
  uint8_t tier;     /* an actfun_tier; actfun_find sets ACTFUN_EXACT */
  double parameters[ACTFUN_MAX_PARAMETERS];
  uint32_t threads; /* at most so many work on a call; 0, which actfun_find sets: actfun_threads() */
} actfun_function;

/* Integers q of 8 bits that stand for (q - zero_point) * scale, as ONNX's QuantizeLinear has it. */
typedef struct actfun_quantization {
  int32_t is_signed;  /* int8_t if not 0, otherwise uint8_t */
  float scale;        /* positive and finite */
  int32_t zero_point; /* in the range of the integers */
} actfun_quantization;

/* Finds `name`, `name:param=value,param=value`, `name@preset` or `name@preset:param=value`; aliases work, parameters
 * that are not given take their defaults, or the preset's: `leaky_relu@keras` has a slope of 0.3.
 * On failure fills `message` (may be NULL; at most `size` bytes with the final zero) with what is wrong and what is
 * allowed. Status: OK, NULL_POINTER, BAD_FUNCTION, BAD_PARAMETER. */
ACTFUN_API actfun_status actfun_find(const char* function, actfun_function* found, char* message, size_t size);

/* Sets f->kinks. On failure leaves *f alone and fills `message` as above, with the conventions that are known.
 * Status: OK, NULL_POINTER, BAD_FUNCTION, BAD_KINKS. */
ACTFUN_API actfun_status actfun_set_kinks(actfun_function* f, actfun_kinks kinks, char* message, size_t size);

/* y[i] = f(x[i]), f'(x[i]), f''(x[i]) for n floats; the last one writes f to y and f' to dy in one pass.
 * Derivatives at kinks and limits at infinities are those that the function's page states. */
ACTFUN_API actfun_status actfun_value(const actfun_function* f, const float* x, float* y, size_t n);
ACTFUN_API actfun_status actfun_slope(const actfun_function* f, const float* x, float* y, size_t n);
ACTFUN_API actfun_status actfun_curvature(const actfun_function* f, const float* x, float* y, size_t n);
ACTFUN_API actfun_status actfun_value_and_slope(const actfun_function* f, const float* x, float* y, float* dy,
                                                size_t n);

/* y[i] = f(x[i]), f'(x[i]) or f''(x[i]) for n numbers of any format, each rounded once from the real number: to
 * nearest, ties to even. In place is allowed. From about 250,000 elements on, 16-bit formats look their results up in a
 * table of 128 KiB that is allocated for the call; if that fails, they are computed directly. */
ACTFUN_API actfun_status actfun_apply(const actfun_function* f, actfun_order order, actfun_format format, const void* x,
                                      void* y, size_t n);

/* The same for quantised integers: x holds int8_t or uint8_t as `in` says, y as `out` says, or float when `out` is
 * NULL. y[i] is the integer nearest to f / scale (ties to even), plus the zero point, cut to the integers' range, with
 * f taken at the real number that x[i] stands for and nothing rounded before. In place is allowed if y holds integers.
 */
ACTFUN_API actfun_status actfun_apply_quantized(const actfun_function* f, actfun_order order,
                                                const actfun_quantization* in, const actfun_quantization* out,
                                                const void* x, void* y, size_t n);

/* y[i] = x[i] in another format, rounded to nearest, ties to even; what is too large becomes infinity, or the largest
 * number of a format that has none. The buffers must not overlap unless they are the same and the formats' sizes are.
 */
ACTFUN_API actfun_status actfun_convert(actfun_format from, const void* x, actfun_format to, void* y, size_t n);

/* dx[i] = g[i] f'(x[i]) for n numbers of any format: the real product, rounded once; f' itself is never rounded. What
 * underflows keeps the product's sign. An infinite x stands for the limit of f', an infinite g makes an infinity; 0
 * times an infinity is NaN. Kinks are as in actfun_apply. dx may be x or g. */
ACTFUN_API actfun_status actfun_backward(const actfun_function* f, actfun_format format, const void* x, const void* g,
                                         void* dx, size_t n);

/* The backward pass of actfun_backward, given the gradient gg with respect to its result: dx[i] = g[i] gg[i] f''(x[i])
 * and dg[i] = gg[i] f'(x[i]), each the real product rounded once. dx and dg may each be x, g or gg, but not one array.
 */
ACTFUN_API actfun_status actfun_double_backward(const actfun_function* f, actfun_format format, const void* x,
                                                const void* g, const void* gg, void* dx, void* dg, size_t n);

/* An array of shape [outer, channels, inner] in C order, any axis being the channels, and parameters that differ
 * between channels. Elements with a parameter each: outer = the batch, channels = elements of a sample, inner = 1. */
typedef struct actfun_channels {
  size_t outer, channels, inner;
  actfun_format format;                          /* of `parameters`: ACTFUN_F32 or ACTFUN_F64 */
  const void* parameters[ACTFUN_MAX_PARAMETERS]; /* `channels` values of parameter k; NULL: f->parameters[k] for all */
} actfun_channels;

/* actfun_apply and actfun_backward with parameters by channel; the same results, in place likewise.
 * Status BAD_PARAMETER: a value outside its domain; nothing is written then. */
ACTFUN_API actfun_status actfun_apply_channels(const actfun_function* f, actfun_order order, actfun_format format,
                                               const actfun_channels* shape, const void* x, void* y);
ACTFUN_API actfun_status actfun_backward_channels(const actfun_function* f, actfun_format format,
                                                  const actfun_channels* shape, const void* x, const void* g, void* dx);

/* gradients[k][c] = the sum over channel c of g times the derivative of f with respect to its parameter k, for each k
 * whose gradients[k] is not NULL: `channels` doubles, which are overwritten. One number for all: {1, 1, n}.
 * Each term is the real product, rounded once to f32's precision, or f64's if x and g are f64, and without f32's bound
 * on large numbers. Terms are added in an order that depends on the shape alone, nearly without error. So bits depend
 * neither on the instruction set nor on alignment. At kinks, the branch that owns the value there owns this derivative.
 * Allocates some 200 bytes a channel and parameter, and up to 3 MiB a parameter. Nothing may overlap `gradients`.
 * Status BAD_SHAPE: also when memory is lacking. */
ACTFUN_API actfun_status actfun_parameter_gradients(const actfun_function* f, actfun_format format,
                                                    const actfun_channels* shape, const void* x, const void* g,
                                                    double* const* gradients);

/* dx[i] = g[i] f'(x[i]) from the output y[i] = f(x[i]), for functions whose f' follows from f: f' is taken as a
 * function of the number y[i], and the product is rounded once. Where f saturates, y has lost by its own rounding what
 * f' depends on; the function's page says how much. What is computed for a y that f does not attain has no meaning. dx
 * may be y or g. Status NOT_POSSIBLE: the function has no such formula, or not for these parameters or conventions at
 * kinks. */
ACTFUN_API actfun_status actfun_backward_from_output(const actfun_function* f, actfun_format format, const void* y,
                                                     const void* g, void* dx, size_t n);

/* x[i] = the number nearest to the x with f(x) = y[i], for strictly monotone functions: logit, atanh, log, tan and so
 * on, in any format, rounded once. What f attains or approaches at +-inf only, exactly or rounded to the format, gives
 * +-inf; what f does not attain gives NaN. f(0) gives 0, with y's sign where f(0) = 0. x may be y.
 * Status NOT_POSSIBLE: f is not strictly monotone, or not with these parameters. */
ACTFUN_API actfun_status actfun_inverse(const actfun_function* f, actfun_format format, const void* y, void* x,
                                        size_t n);

/* Backward passes that keep one bit an element in the place of x: bit i % 8 of bits[i / 8], in (n + 7) / 8 bytes.
 * * Where f' has two values (relu, leaky_relu, prelu, hardtanh, relu6, hard_sigmoid, the shrinks, threshold): whether
 * it is the larger one. dx is bit for bit that of actfun_backward, but for a NaN x, which counts as the smaller slope;
 *   y is not needed, and may be NULL in actfun_backward_from_bits.
 * * Where f falls to one minimum and rises again, or the other way round (silu, gelu, mish and their like): whether x
 *   lies before it. Then x is found from y and the bit, and dx = g f'(x) with it. y is known to half a unit; so f'(x)
 * is off by what that means for x: near the minimum by about the square root of a unit, relative to the largest |f'|;
 *   docs/design/inverse.md has the errors found.
 * y may be x; dx may be y or g; bits must not overlap anything.
 * Status NOT_POSSIBLE: the function is of neither kind, or not with these parameters or conventions. */
ACTFUN_API actfun_status actfun_value_and_bits(const actfun_function* f, actfun_format format, const void* x, void* y,
                                               uint8_t* bits, size_t n);
ACTFUN_API actfun_status actfun_backward_from_bits(const actfun_function* f, actfun_format format, const void* y,
                                                   const uint8_t* bits, const void* g, void* dx, size_t n);

/* What functions may lack. */
typedef enum actfun_ability {
  ACTFUN_CAN_BACKWARD_FROM_OUTPUT = 0,
  ACTFUN_CAN_INVERSE = 1,
  ACTFUN_CAN_BACKWARD_FROM_BITS = 2
} actfun_ability;

/* OK if the function has it, with its parameters and conventions; NOT_POSSIBLE if not, and then `message` (may be NULL;
 * at most `size` bytes with the final zero) tells why. */
ACTFUN_API actfun_status actfun_can(const actfun_function* f, actfun_ability ability, char* message, size_t size);

/* softmax and log_softmax along the middle axis of an array of shape [outer, length, inner] in C order (inner = 1: the
 * last axis). At most 0.501 ULP from the real-number result. A row with a NaN is all NaN; exactly one +inf is the limit
 * (one-hot; log: 0 there, -inf elsewhere); several +inf, or -inf everywhere, have no limit and give NaN.
 * In place is allowed. */
ACTFUN_API actfun_status actfun_softmax(const float* x, float* y, size_t outer, size_t length, size_t inner);
ACTFUN_API actfun_status actfun_log_softmax(const float* x, float* y, size_t outer, size_t length, size_t inner);

/* maxout: x has shape [outer, groups * k, inner]; y[o, g, i] = max over the k members x[o, g * k + j, i] of group g,
 * and index (may be NULL) receives the winning j in [0, k): the first on a tie; a NaN wins over everything.
 * Goodfellow et al. 2013. No buffer may overlap another. */
ACTFUN_API actfun_status actfun_maxout(const float* x, float* y, int32_t* index, size_t outer, size_t groups, size_t k,
                                       size_t inner);

/* Backward of softmax and log_softmax from their output y, along the middle axis, in any format (Bridle 1990):
 *   softmax      dx_i = y_i (g_i - sum_j g_j y_j)
 *   log_softmax  dx_i = g_i - exp(y_i) sum_j g_j
 * y, g (the loss's gradient by y) and dx have shape [outer, length, inner]; dx may be y or g. Computed in double, sums
 * of length n over sixteen partial sums in an order of their own, and rounded once (16- and 8-bit formats: to f32
 * first): as functions of y and g, within 0.501 ULP and (n/16 + 10) 2^-53 of the terms' magnitudes, y_i (|g_i| + sum_j
 * |g_j y_j|) or |g_i| + exp(y_i) sum_j |g_j|, which says more where the terms cancel. What y has lost by its own
 * rounding comes on top: up to half a unit of y in every term. Where exp(y_i) is below e^-200 (f64: e^-708) it counts
 * as 0. A row of one element has gradient 0 for softmax. A NaN in y or g, or an infinite g, makes NaNs of the row; a y
 * that came from a row with one +inf (one-hot) gives 0 for softmax. */
ACTFUN_API actfun_status actfun_softmax_backward(actfun_format format, const void* y, const void* g, void* dx,
                                                 size_t outer, size_t length, size_t inner);
ACTFUN_API actfun_status actfun_log_softmax_backward(actfun_format format, const void* y, const void* g, void* dx,
                                                     size_t outer, size_t length, size_t inner);

/* The Jacobian of softmax at one row y of n outputs: jacobian[i * n + j] = dy_i/dx_j = y_i ((i == j) - y_j), within
 * 0.501 ULP. For study and tests: gradients need actfun_softmax_backward only. The buffers must not overlap. */
ACTFUN_API actfun_status actfun_softmax_jacobian(actfun_format format, const void* y, void* jacobian, size_t n);

/* Backward of maxout: the gradient goes to the winner alone, whose number actfun_maxout wrote to index (the first on a
 * tie). g and index have shape [outer, groups, inner], dx [outer, groups * k, inner]: g where it won, 0 elsewhere. Any
 * format. An index outside [0, k) is refused with ACTFUN_BAD_LABEL, nothing is written, and `message` (may be NULL; at
 * most `size` bytes with the final zero) tells where. No buffer may overlap another. Goodfellow et al. 2013. */
ACTFUN_API actfun_status actfun_maxout_backward(actfun_format format, const void* g, const int32_t* index, void* dx,
                                                size_t outer, size_t groups, size_t k, size_t inner, char* message,
                                                size_t size);

/* How the losses of rows become one. */
typedef enum actfun_reduction { ACTFUN_MEAN = 0, ACTFUN_SUM = 1, ACTFUN_NONE = 2 } actfun_reduction;

/* Softmax and cross-entropy in one, from logits x of shape [outer, classes, inner] and labels of shape [outer, inner],
 * each in [0, classes) (Bridle 1990):
 *   loss of a row = log(sum_j exp(x_j)) - x_label,   dx_i = scale (softmax(x)_i - (i == label)),
 * stable for any finite logits, and free of cancellation: near a certain, right prediction loss and gradient keep their
 * relative accuracy. `loss` receives the mean or the sum over all rows, or with ACTFUN_NONE one number a row, as
 * doubles (within 2^-45, relative, for rows of up to 100,000). dx, of x's shape and format, receives `scale` times the
 * gradient of that loss by x, with 1 / rows for the mean; it may be x, or NULL when only the loss is wanted. In f32 it
 * is within 0.501 ULP; in f64 within 2^-42, relative; narrower formats round the f32 result again. A row with a NaN,
 * with several +inf, or -inf everywhere, makes loss and gradient NaN; with exactly one +inf they are the limits: p is
 * one-hot, the loss 0 or inf. A label of a class with logit -inf: loss inf. The mean over no rows is NaN. A label
 * outside [0, classes) is refused with ACTFUN_BAD_LABEL, nothing is written, and `message` (as above) names row (o *
 * inner + i) and label. */
ACTFUN_API actfun_status actfun_cross_entropy(actfun_format format, actfun_reduction reduction, const void* x,
                                              const int32_t* labels, double scale, double* loss, void* dx, size_t outer,
                                              size_t classes, size_t inner, char* message, size_t size);

/* The same with a weight t for every class in place of a label, in x's shape and format; probabilities, as a rule:
 *   loss of a row = sum_i t_i (log(sum_j exp(x_j)) - x_i),   dx_i = scale (softmax(x)_i sum_j t_j - t_i).
 * A weight of 0 adds nothing, even where its logit is -inf. dx may be x or targets. Where softmax(x)_i is near t_i the
 * gradient cancels, and is then within 2^-42 of t_i, absolutely. */
ACTFUN_API actfun_status actfun_soft_cross_entropy(actfun_format format, actfun_reduction reduction, const void* x,
                                                   const void* targets, double scale, double* loss, void* dx,
                                                   size_t outer, size_t classes, size_t inner);

/* The number of functions, and the name of function `id` (NULL when there is none). */
ACTFUN_API size_t actfun_count(void);
ACTFUN_API const char* actfun_name(int32_t id);

/* The instruction set in use: "AVX3" (AVX-512), "AVX2", "SSE4" or "SCALAR" (the scalar fallback). The environment
 * variable ACTFUN_TARGET forces one; NULL when it names one that this machine or build lacks. */
ACTFUN_API const char* actfun_target(void);

/* So many threads work on a call at most, unless it says otherwise: ACTFUN_NUM_THREADS, or what OpenMP would take (one
 * each processor; omp_set_num_threads and OMP_NUM_THREADS change it). 0 when ACTFUN_NUM_THREADS is not a number from 1
 * to 65535: calls are refused with ACTFUN_BAD_THREADS then. */
ACTFUN_API uint32_t actfun_threads(void);

ACTFUN_API const char* actfun_status_text(actfun_status status);
ACTFUN_API const char* actfun_version(void);

#ifdef __cplusplus
}
#endif
#endif
