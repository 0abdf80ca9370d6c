// SPDX-License-Identifier: Apache-2.0
// The C interface to the functions onto the probability simplex.
#include "actfun/simplex.h"
#include "api/c_arrays.h"
#include "api/simplex.h"

namespace {

using namespace actfun::c;
using actfun::Target;

void require_alpha(double alpha) { require_between("alpha", alpha, 1, actfun::kMostAlpha); }
void require_tau(double tau) { require_between("tau", tau, actfun::kLeastTau, actfun::kMostTau); }

/// run(axis, target) on arrays that fit each other.
template <class Run>
actfun_status along(std::initializer_list<Argument> arguments, int32_t axis, char* message, size_t size,
                    const Run& run) {
  return told(message, size, [&](const Target& target) {
    require_alike(arguments);
    run(require_axis(*arguments.begin(), axis), target);
  });
}

}  // namespace

extern "C" {

actfun_status actfun_sparsemax(const actfun_array* x, const actfun_array* y, int32_t axis, char* message, size_t size) {
  return actfun_entmax(2, x, y, axis, message, size);
}
actfun_status actfun_entmax(double alpha, const actfun_array* x, const actfun_array* y, int32_t axis, char* message,
                            size_t size) {
  return along({{"x", x}, {"y", y, true}}, axis, message, size, [&](int counted, const Target& target) {
    require_alpha(alpha);
    actfun::entmax(alpha, *x, *y, counted, target, 0);
  });
}
actfun_status actfun_hardmax(const actfun_array* x, const actfun_array* y, int32_t axis, char* message, size_t size) {
  return along({{"x", x}, {"y", y, true}}, axis, message, size,
               [&](int counted, const Target& target) { actfun::hardmax(*x, *y, counted, target, 0); });
}

actfun_status actfun_sparsemax_backward(const actfun_array* y, const actfun_array* g, const actfun_array* dx,
                                        int32_t axis, char* message, size_t size) {
  return actfun_entmax_backward(2, y, g, dx, axis, message, size);
}
actfun_status actfun_entmax_backward(double alpha, const actfun_array* y, const actfun_array* g, const actfun_array* dx,
                                     int32_t axis, char* message, size_t size) {
  return along({{"y", y}, {"g", g}, {"dx", dx, true}}, axis, message, size, [&](int counted, const Target& target) {
    require_alpha(alpha);
    actfun::entmax_backward(alpha, *y, *g, *dx, counted, target, 0);
  });
}
actfun_status actfun_entmax_alpha_gradient(double alpha, const actfun_array* y, const actfun_array* g, int32_t axis,
                                           double* gradient, char* message, size_t size) {
  return along({{"y", y}, {"g", g}}, axis, message, size, [&](int counted, const Target& target) {
    require_alpha(alpha);
    if (alpha == 1) throw Refused{ACTFUN_BAD_PARAMETER, "alpha is 1; the gradient by alpha is there beyond it alone"};
    if (!gradient) throw Refused{ACTFUN_NULL_POINTER, "gradient is NULL"};
    *gradient = actfun::entmax_alpha_gradient(alpha, *y, *g, counted, target, 0);
  });
}

actfun_status actfun_gumbel_softmax(double tau, uint64_t seed, const actfun_array* x, const actfun_array* y,
                                    const actfun_array* hard, int32_t axis, char* message, size_t size) {
  return along({{"x", x}, {"y", y, true, true}, {"hard", hard, true, true}}, axis, message, size,
               [&](int counted, const Target& target) {
                 require_tau(tau);
                 if (!y && !hard) throw Refused{ACTFUN_NULL_POINTER, "both y and hard are NULL"};
                 actfun::gumbel_softmax(tau, seed, *x, y, hard, counted, target, 0);
               });
}
actfun_status actfun_gumbel_softmax_backward(double tau, const actfun_array* y, const actfun_array* g,
                                             const actfun_array* dx, int32_t axis, char* message, size_t size) {
  return along({{"y", y}, {"g", g}, {"dx", dx, true}}, axis, message, size, [&](int counted, const Target& target) {
    require_tau(tau);
    actfun::gumbel_softmax_backward(tau, *y, *g, *dx, counted, target, 0);
  });
}
actfun_status actfun_gumbel_noise(uint64_t seed, const actfun_array* noise, char* message, size_t size) {
  return told(message, size, [&](const Target& target) {
    require({{"noise", noise, true}});
    actfun::gumbel_noise(seed, *noise, target, 0);
  });
}

}  // extern "C"
