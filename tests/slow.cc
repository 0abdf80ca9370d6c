// SPDX-License-Identifier: Apache-2.0
// The library, values three times as slow: what regression_test must find.
#include <dlfcn.h>

#include "actfun/actfun.h"

actfun_status actfun_apply(const actfun_function* f, actfun_order order, actfun_format format, const void* x, void* y,
                           size_t n) {
  static auto* const apply = reinterpret_cast<decltype(actfun_apply)*>(dlsym(RTLD_NEXT, "actfun_apply"));
  for (int i = 0; i < (order == ACTFUN_VALUE ? 2 : 0); ++i) apply(f, order, format, x, y, n);
  return apply(f, order, format, x, y, n);
}
