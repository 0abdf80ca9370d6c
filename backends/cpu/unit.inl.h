// SPDX-License-Identifier: Apache-2.0
// What every kernel unit includes: the language of functions, once per target. No include guard: Highway's
// foreach_target includes a unit again for each target, and its namespace differs each time.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include "backends/cpu/kernels.h"
#include "backends/cpu/targets.h"
#include "core/arithmetic.h"
#include "core/big/evaluators.h"
#include "core/info.h"
#include "core/language.h"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace actfun::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
// In this order: each builds on those before it.
// clang-format off
#include "core/lane/real.inl.h"
#include "core/lane/single.inl.h"
#include "core/lane/double_double.inl.h"
#include "core/elementary/exp.inl.h"
#include "core/elementary/exp_fine.inl.h"
#include "core/elementary/exp_remainder.inl.h"
#include "core/elementary/log1p.inl.h"
#include "core/elementary/logistic.inl.h"
#include "core/elementary/softplus.inl.h"
#include "core/elementary/tanhshrink.inl.h"
#include "core/elementary/normal.inl.h"
#include "core/elementary/error_function.inl.h"
#include "core/elementary/sine.inl.h"
#include "core/elementary/arctangent.inl.h"
#include "core/elementary/fast.inl.h"
#include "core/elementary/pair.inl.h"
#include "core/elementary/quick_normal.inl.h"
#include "backends/cpu/elementwise.inl.h"
#include "backends/cpu/raw.inl.h"
#include "backends/cpu/row.inl.h"
#include "backends/cpu/fast.inl.h"
#include "backends/cpu/first_try.inl.h"
#include "backends/cpu/loops.inl.h"
// clang-format on
}  // namespace actfun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
// lookup_<file>(target): the table of kernels for one of Highway's target bits, or null.
#define ACTFUN_CASE(target, description) \
  case HWY_##target:                     \
    return N_##target::ACTFUN_FILE();
#define ACTFUN_DEFINE_LOOKUP(lookup)                              \
  namespace actfun {                                              \
  decltype(N_SCALAR::ACTFUN_FILE()) lookup(std::int64_t target) { \
    switch (target) {                                             \
      ACTFUN_TARGETS(ACTFUN_CASE)                                 \
      default:                                                    \
        return nullptr;                                           \
    }                                                             \
  }                                                               \
  }
#endif
