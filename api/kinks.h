// SPDX-License-Identifier: Apache-2.0
// Derivatives at kinks by the conventions of others.
#pragma once

#include "api/registry.h"

namespace actfun {

/// f' at one point.
struct SlopeAt {
  double x;
  long double slope;
};

/// Where the call's convention says something else than the library's, which is what kernels compute.
List<SlopeAt, 2> other_slopes(const Call& call);

}  // namespace actfun
