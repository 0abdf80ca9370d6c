// SPDX-License-Identifier: Apache-2.0
// The C interface: checks every argument, then calls the kernels. Nothing throws past it.
#include <cfloat>
#include <cstdio>
#include <cstring>
#include <functional>
#include <new>

#include "actfun/actfun.h"
#include "api/c_checks.h"
#include "api/registry.h"
#include "backends/cpu/float_environment.h"

namespace {

using namespace actfun::c;
using actfun::Call;
using actfun::Order;
using actfun::Target;
using actfun::c::check;
using actfun::c::overlap;

/// The shape, and how many elements it has.
actfun_status check(const actfun_channels* shape, actfun::Channels& channels, size_t& n) {
  if (!shape) return ACTFUN_NULL_POINTER;
  if (!multiply(n, shape->outer, shape->channels, shape->inner)) return ACTFUN_BAD_SHAPE;
  channels = {shape->outer, shape->channels, shape->inner};
  for (size_t k = 0; k < ACTFUN_MAX_PARAMETERS; ++k) channels.parameters[k] = shape->parameters[k];
  channels.format = static_cast<actfun::Format>(shape->format);
  if (channels.varies() && shape->format != ACTFUN_F32 && shape->format != ACTFUN_F64) return ACTFUN_BAD_FORMAT;
  return ACTFUN_OK;
}

/// Whether the parameters by channel are ones that the function has, and in their domains.
actfun_status check(const Call& call, const actfun::Channels& shape) {
  for (size_t k = call.info().parameters.size(); k < ACTFUN_MAX_PARAMETERS; ++k)
    if (shape.parameters[k]) return ACTFUN_BAD_PARAMETER;
  return call.accepts(shape) ? ACTFUN_OK : ACTFUN_BAD_PARAMETER;
}
bool overlap(const actfun::Channels& shape, Buffer out) {
  for (const void* values : shape.parameters)
    if (values && overlap({values, shape.channels * actfun::info_of(shape.format).bytes}, out)) return true;
  return false;
}

/// y = g times a part of f, or the part itself.
actfun_status multiply_channels(const actfun_function* f, actfun::Part part, actfun_format format,
                                const actfun_channels* shape, const void* x, const void* g, void* y) {
  actfun::Channels channels;
  size_t n = 0, bytes = 0;
  if (const actfun_status status = check(shape, channels, n); status != ACTFUN_OK) return status;
  if (const actfun_status status = size_of(format, n, bytes); status != ACTFUN_OK) return status;
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, {x, g ? g : x}, {y}, bytes, call, target); status != ACTFUN_OK)
    return status;
  if (overlap(channels, {y, bytes})) return ACTFUN_OVERLAP;
  if (const actfun_status status = check(call, channels); status != ACTFUN_OK) return status;
  call.multiply(part, static_cast<actfun::Format>(format), channels, x, g, y, *target);
  return ACTFUN_OK;
}

/// What most calls want, without a way through the interface's own exported functions.
actfun_status of_floats(const actfun_function* f, Order order, const float* x, float* y, size_t n) {
  if (n > SIZE_MAX / 2 / sizeof(float)) return ACTFUN_BAD_SHAPE;
  const size_t bytes = n * sizeof(float);
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, Buffer{x, bytes}, Buffer{y, bytes}, call, target); status != ACTFUN_OK)
    return status;
  call.evaluate(order, x, y, n, *target);
  return ACTFUN_OK;
}

bool valid(const actfun_quantization* q) {
  const int least = q->is_signed ? -128 : 0;
  return q->scale > 0 && q->scale <= FLT_MAX && q->zero_point >= least && q->zero_point <= least + 255;
}

using AxisFunction = void (*)(const float*, float*, std::size_t, std::size_t, std::size_t, const Target&, unsigned);

actfun_status along_axis(AxisFunction function, const float* x, float* y, size_t outer, size_t length,
                         size_t inner) noexcept {
  size_t count = 0;
  if (!multiply(count, outer, length, inner)) return ACTFUN_BAD_SHAPE;
  const Buffer in{x, count * sizeof(float)}, out{y, count * sizeof(float)};
  if (missing(in) || missing(out)) return ACTFUN_NULL_POINTER;
  if (overlap_partly(in, out)) return ACTFUN_OVERLAP;
  const Target* target = nullptr;
  if (const actfun_status status = environment(target); status != ACTFUN_OK) return status;
  try {
    function(x, y, outer, length, inner, *target, 0);
  } catch (const std::bad_alloc&) {  // the copy of one row, when inner > 1
    return ACTFUN_BAD_SHAPE;
  }
  return ACTFUN_OK;
}

}  // namespace

extern "C" {

actfun_status actfun_find(const char* function, actfun_function* found, char* message, size_t size) {
  write_message("", message, size);
  if (!function || !found) {
    write_message("actfun_find: a pointer is NULL", message, size);
    return ACTFUN_NULL_POINTER;
  }
  try {
    *found = handle_of(actfun::parse_function(function));
    return ACTFUN_OK;
  } catch (const actfun::ParameterError& error) {
    write_message(error.what(), message, size);
    return ACTFUN_BAD_PARAMETER;
  } catch (const std::exception& error) {
    write_message(error.what(), message, size);
    return ACTFUN_BAD_FUNCTION;
  }
}

actfun_status actfun_set_kinks(actfun_function* f, actfun_kinks kinks, char* message, size_t size) {
  write_message("", message, size);
  if (!f) {
    write_message("actfun_set_kinks: a pointer is NULL", message, size);
    return ACTFUN_NULL_POINTER;
  }
  const auto all = actfun::functions();
  if (f->id < 0 || static_cast<std::size_t>(f->id) >= all.size()) {
    write_message(actfun_status_text(ACTFUN_BAD_FUNCTION), message, size);
    return ACTFUN_BAD_FUNCTION;
  }
  try {
    Call{&all[static_cast<std::size_t>(f->id)]}.choose(actfun::find_kinks(kinks));
    f->kinks = static_cast<uint8_t>(kinks);
    return ACTFUN_OK;
  } catch (const std::exception& error) {
    write_message(error.what(), message, size);
    return ACTFUN_BAD_KINKS;
  }
}

actfun_status actfun_apply(const actfun_function* f, actfun_order order, actfun_format format, const void* x, void* y,
                           size_t n) {
  if (order < ACTFUN_VALUE || order > ACTFUN_CURVATURE) return ACTFUN_BAD_FORMAT;
  if (format == ACTFUN_F32)
    return of_floats(f, static_cast<Order>(order), static_cast<const float*>(x), static_cast<float*>(y), n);
  size_t bytes = 0;
  if (const actfun_status status = size_of(format, n, bytes); status != ACTFUN_OK) return status;
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, {x, bytes}, {y, bytes}, call, target); status != ACTFUN_OK) return status;
  call.apply(static_cast<Order>(order), static_cast<actfun::Format>(format), x, y, n, *target);
  return ACTFUN_OK;
}
actfun_status actfun_apply_quantized(const actfun_function* f, actfun_order order, const actfun_quantization* in,
                                     const actfun_quantization* out, const void* x, void* y, size_t n) {
  if (!in) return ACTFUN_NULL_POINTER;
  if (order < ACTFUN_VALUE || order > ACTFUN_CURVATURE || !valid(in) || (out && !valid(out))) return ACTFUN_BAD_FORMAT;
  if (n > SIZE_MAX / 2 / sizeof(float)) return ACTFUN_BAD_SHAPE;
  const Buffer from{x, n}, to{y, out ? n : n * sizeof(float)};
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, from, to, call, target); status != ACTFUN_OK) return status;
  const auto quantization = [](const actfun_quantization* q) {
    return actfun::Quantization{q->is_signed != 0, q->scale, q->zero_point};
  };
  const actfun::Quantization integers = out ? quantization(out) : actfun::Quantization{};
  call.apply(static_cast<Order>(order), quantization(in), out ? &integers : nullptr, x, y, n, *target);
  return ACTFUN_OK;
}

actfun_status actfun_convert(actfun_format from, const void* x, actfun_format to, void* y, size_t n) {
  if (from < ACTFUN_F32 || from > ACTFUN_F8E5M2 || to < ACTFUN_F32 || to > ACTFUN_F8E5M2) return ACTFUN_BAD_FORMAT;
  if (n > SIZE_MAX / 2 / sizeof(double)) return ACTFUN_BAD_SHAPE;
  const auto source = static_cast<actfun::Format>(from), result = static_cast<actfun::Format>(to);
  const Buffer in{x, n * actfun::info_of(source).bytes}, out{y, n * actfun::info_of(result).bytes};
  if (missing(in) || missing(out)) return ACTFUN_NULL_POINTER;
  if (overlap_partly(in, out)) return ACTFUN_OVERLAP;
  const Target* target = nullptr;
  if (const actfun_status status = environment(target); status != ACTFUN_OK) return status;
  const actfun::DefaultFloatEnvironment floats;
  const std::size_t from_bytes = actfun::info_of(source).bytes, to_bytes = actfun::info_of(result).bytes;
  actfun::in_parts(n, actfun::tile_of(actfun::Format::f32), 0, [&](std::size_t first, std::size_t count) {
    actfun::convert(source, static_cast<const char*>(x) + first * from_bytes, result,
                    static_cast<char*>(y) + first * to_bytes, count, target->bit);
  });
  return ACTFUN_OK;
}

actfun_status actfun_value(const actfun_function* f, const float* x, float* y, size_t n) {
  return of_floats(f, Order::value, x, y, n);
}
actfun_status actfun_slope(const actfun_function* f, const float* x, float* y, size_t n) {
  return of_floats(f, Order::slope, x, y, n);
}
actfun_status actfun_curvature(const actfun_function* f, const float* x, float* y, size_t n) {
  return of_floats(f, Order::curvature, x, y, n);
}
actfun_status actfun_value_and_slope(const actfun_function* f, const float* x, float* y, float* dy, size_t n) {
  const actfun::Entry* entry = nullptr;
  if (const actfun_status status = check(f, entry); status != ACTFUN_OK) return status;
  size_t count = 0;
  if (!multiply(count, n)) return ACTFUN_BAD_SHAPE;
  const Buffer in{x, n * sizeof(float)}, value{y, n * sizeof(float)}, slope{dy, n * sizeof(float)};
  if (missing(in) || missing(value) || missing(slope)) return ACTFUN_NULL_POINTER;
  if (overlap_partly(in, value) || overlap_partly(in, slope) || overlap_partly(value, slope) || same(value, slope))
    return ACTFUN_OVERLAP;
  const Target* target = nullptr;
  if (const actfun_status status = environment(target); status != ACTFUN_OK) return status;
  call_of(f, entry).evaluate_value_and_slope(x, y, dy, n, *target);
  return ACTFUN_OK;
}

actfun_status actfun_backward(const actfun_function* f, actfun_format format, const void* x, const void* g, void* dx,
                              size_t n) {
  size_t bytes = 0;
  if (const actfun_status status = size_of(format, n, bytes); status != ACTFUN_OK) return status;
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, {x, g}, {dx}, bytes, call, target); status != ACTFUN_OK) return status;
  call.multiply(actfun::Part::slope, static_cast<actfun::Format>(format), x, g, dx, n, *target);
  return ACTFUN_OK;
}
actfun_status actfun_double_backward(const actfun_function* f, actfun_format format, const void* x, const void* g,
                                     const void* gg, void* dx, void* dg, size_t n) {
  size_t bytes = 0;
  if (const actfun_status status = size_of(format, n, bytes); status != ACTFUN_OK) return status;
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, {x, g, gg}, {dx, dg}, bytes, call, target); status != ACTFUN_OK)
    return status;
  call.double_backward(static_cast<actfun::Format>(format), x, g, gg, dx, dg, n, *target);
  return ACTFUN_OK;
}
actfun_status actfun_apply_channels(const actfun_function* f, actfun_order order, actfun_format format,
                                    const actfun_channels* shape, const void* x, void* y) {
  if (order < ACTFUN_VALUE || order > ACTFUN_CURVATURE) return ACTFUN_BAD_FORMAT;
  return multiply_channels(f, actfun::part_of(static_cast<Order>(order)), format, shape, x, nullptr, y);
}
actfun_status actfun_backward_channels(const actfun_function* f, actfun_format format, const actfun_channels* shape,
                                       const void* x, const void* g, void* dx) {
  if (!g && shape && shape->outer && shape->channels && shape->inner) return ACTFUN_NULL_POINTER;
  return multiply_channels(f, actfun::Part::slope, format, shape, x, g, dx);
}
actfun_status actfun_parameter_gradients(const actfun_function* f, actfun_format format, const actfun_channels* shape,
                                         const void* x, const void* g, double* const* gradients) {
  if (!gradients) return ACTFUN_NULL_POINTER;
  actfun::Channels channels;
  size_t n = 0, bytes = 0;
  if (const actfun_status status = check(shape, channels, n); status != ACTFUN_OK) return status;
  if (const actfun_status status = size_of(format, n, bytes); status != ACTFUN_OK) return status;
  if (channels.channels > SIZE_MAX / 2 / sizeof(double)) return ACTFUN_BAD_SHAPE;
  Call call{};
  const Target* target = nullptr;
  if (const actfun_status status = check(f, {x, bytes}, {x, bytes}, call, target); status != ACTFUN_OK) return status;
  if (missing({g, bytes})) return ACTFUN_NULL_POINTER;
  const auto out = [&](size_t k) { return Buffer{gradients[k], gradients[k] ? shape->channels * sizeof(double) : 0}; };
  for (size_t k = 0; k < call.info().parameters.size(); ++k) {
    if (overlap({x, bytes}, out(k)) || overlap({g, bytes}, out(k)) || overlap(channels, out(k))) return ACTFUN_OVERLAP;
    for (size_t j = 0; j < k; ++j)
      if (overlap(out(j), out(k))) return ACTFUN_OVERLAP;
  }
  if (const actfun_status status = check(call, channels); status != ACTFUN_OK) return status;
  try {
    call.parameter_gradients(static_cast<actfun::Format>(format), channels, x, g, gradients, *target);
  } catch (const std::bad_alloc&) {
    return ACTFUN_BAD_SHAPE;
  }
  return ACTFUN_OK;
}

actfun_status actfun_softmax(const float* x, float* y, size_t outer, size_t length, size_t inner) {
  return along_axis(actfun::softmax, x, y, outer, length, inner);
}
actfun_status actfun_log_softmax(const float* x, float* y, size_t outer, size_t length, size_t inner) {
  return along_axis(actfun::log_softmax, x, y, outer, length, inner);
}
actfun_status actfun_maxout(const float* x, float* y, int32_t* index, size_t outer, size_t groups, size_t k,
                            size_t inner) {
  size_t winners = 0, members = 0;
  if (k == 0 || k > INT32_MAX || !multiply(winners, outer, groups, inner) || !multiply(members, winners, k))
    return ACTFUN_BAD_SHAPE;
  const Buffer in{x, members * sizeof(float)}, out{y, winners * sizeof(float)},
      which{index, index ? winners * sizeof(int32_t) : 0};
  if (missing(in) || missing(out)) return ACTFUN_NULL_POINTER;
  if (overlap_partly(in, out) || same(in, out) || overlap_partly(in, which) || same(in, which) ||
      overlap_partly(out, which) || same(out, which))
    return ACTFUN_OVERLAP;
  const Target* target = nullptr;
  if (const actfun_status status = environment(target); status != ACTFUN_OK) return status;
  actfun::maxout(x, y, index, outer, groups, k, inner, 0);
  return ACTFUN_OK;
}

size_t actfun_count(void) { return actfun::functions().size(); }
const char* actfun_name(int32_t id) {
  const auto all = actfun::functions();
  // The records' names are literals, so each ends in a zero.
  return id >= 0 && static_cast<size_t>(id) < all.size() ? all[static_cast<size_t>(id)].info->name.data() : nullptr;
}
const char* actfun_target(void) {
  const Target* target = target_in_use();
  return target ? target->name.data() : nullptr;
}

uint32_t actfun_threads(void) {
  const Target* target = nullptr;
  return environment(target) == ACTFUN_BAD_THREADS ? 0 : actfun::default_threads();
}

const char* actfun_status_text(actfun_status status) {
  switch (status) {
    case ACTFUN_OK:
      return "ok";
    case ACTFUN_NULL_POINTER:
      return "a pointer is NULL although elements are to be read or written";
    case ACTFUN_OVERLAP:
      return "buffers overlap partly: an output must be the input itself or lie apart from it";
    case ACTFUN_BAD_FUNCTION:
      return "not a function of this library, or not of the kind that this call takes";
    case ACTFUN_BAD_PARAMETER:
      return "an unknown parameter, or a value outside its domain";
    case ACTFUN_BAD_SHAPE:
      return "sizes that do not fit each other, or do not fit memory";
    case ACTFUN_BAD_FORMAT:
      return "not an order, a format, an overflow rule or a quantisation (scale > 0, zero point in the integers' "
             "range)";
    case ACTFUN_BAD_TARGET:
      return "ACTFUN_TARGET names an instruction set that this machine or build lacks";
    case ACTFUN_NOT_POSSIBLE:
      return "not to be had of this function with these parameters or conventions";
    case ACTFUN_BAD_LABEL:
      return "a label, or the number of a winner, that is none of its row's";
    case ACTFUN_BAD_KINKS:
      return "derivatives at kinks by a convention that does not exist, or is not known for this function";
    case ACTFUN_BAD_TIER:
      return "a tier that does not exist";
    case ACTFUN_BAD_THREADS:
      return "ACTFUN_NUM_THREADS is not a number from 1 to 65535";
  }
  return "not a status of this library";
}
const char* actfun_version(void) { return ACTFUN_VERSION; }

}  // extern "C"
