/* SPDX-License-Identifier: Apache-2.0 */
/* actfun: arrays as they lie in memory, with any axes and strides. Included by the families' headers. */
#ifndef ACTFUN_ARRAY_H_
#define ACTFUN_ARRAY_H_

#include "actfun/actfun.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACTFUN_MAX_RANK 8

/* Element [i0, i1, ...] of an array lies at data + (i0 strides[0] + i1 strides[1] + ...) elements of its format.
 * Strides may be negative, and 0 in what is only read (one row for all). Of what is written no two elements may lie at
 * the same place. rank 0 is one element. */
typedef struct actfun_array {
  void* data; /* what is only read is not written, whatever the type says */
  actfun_format format;
  int32_t rank; /* 0 to ACTFUN_MAX_RANK */
  size_t shape[ACTFUN_MAX_RANK];
  ptrdiff_t strides[ACTFUN_MAX_RANK]; /* in elements */
} actfun_array;

#ifdef __cplusplus
}
#endif
#endif
