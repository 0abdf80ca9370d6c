// SPDX-License-Identifier: Apache-2.0
// The C interface to gated units: checks every argument, and says which one is wrong.
#include <algorithm>
#include <cmath>
#include <new>
#include <string>
#include <utility>

#include "actfun/gated.h"
#include "api/array.h"
#include "api/c_checks.h"
#include "api/gated.h"

namespace {

using namespace actfun::c;
using actfun::Format;
using actfun::Gated;
using actfun::GatedLayout;
using actfun::Target;

/// What stops a call.
struct Refusal {
  actfun_status status;
  std::string text;
};

/// Runs what may refuse its arguments.
template <class Call>
actfun_status guarded(const Call& call, char* message, size_t size) noexcept {
  write_message("", message, size);
  const auto refuse = [&](actfun_status status, const char* text) {
    write_message(text, message, size);
    return status;
  };
  try {
    call();
    return ACTFUN_OK;
  } catch (const Refusal& refusal) {
    return refuse(refusal.status, refusal.text.c_str());
  } catch (const actfun::ParameterError& error) {
    return refuse(ACTFUN_BAD_PARAMETER, error.what());
  } catch (const actfun::FunctionError& error) {
    return refuse(ACTFUN_BAD_FUNCTION, error.what());
  } catch (const std::exception& error) {
    return refuse(ACTFUN_BAD_SHAPE, error.what());
  }
}

void demand(actfun_status status, const std::string& what) {
  if (status != ACTFUN_OK) throw Refusal{status, what + ": " + actfun_status_text(status)};
}

std::string shape_text(const actfun_array& a) {
  std::string text = "[";
  for (int i = 0; i < a.rank; ++i) text += (i ? ", " : "") + std::to_string(a.shape[i]);
  return text + "]";
}

/// An array of a call, by its name.
struct Named {
  const char* name;
  const actfun_array* array;
  bool written = false;
};

void demand_array(const Named& a) { demand(actfun::check(a.array, a.written), a.name); }
void demand_alike(const Named& a, const Named& b) {
  if (!actfun::same_shape(*a.array, *b.array))
    throw Refusal{ACTFUN_BAD_SHAPE, std::string(a.name) + " has shape " + shape_text(*a.array) + ", but " + b.name +
                                        " has " + shape_text(*b.array)};
  if (a.array->format != b.array->format)
    throw Refusal{ACTFUN_BAD_FORMAT, std::string(a.name) + " and " + b.name + " have different formats"};
}
/// No output may lie over part of another array, or over all of another output.
void demand_apart(std::initializer_list<Named> arrays) {
  for (const Named& out : arrays)
    for (const Named& other : arrays) {
      if (!out.written || &out == &other || !out.array || !other.array) continue;
      const bool same = out.array->data == other.array->data && other.written && actfun::size_of(*out.array) > 0;
      if (same || actfun::overlap_partly(*out.array, *other.array))
        throw Refusal{ACTFUN_OVERLAP, std::string(out.name) + " and " + other.name + " overlap"};
    }
}

/// The scale in the shape of the others.
actfun_array broadcast(const Named& scale, const Named& to) {
  actfun_array wide = *scale.array;
  if (!actfun::broadcast(wide, *to.array))
    throw Refusal{ACTFUN_BAD_SHAPE, std::string(scale.name) + " has shape " + shape_text(*scale.array) +
                                        ", which is not " + shape_text(*to.array) + " with some axes of length 1"};
  return wide;
}
void demand_scale_format(const Named& scale, const Named& of) {
  if (scale.array->format != ACTFUN_F32 && scale.array->format != of.array->format)
    throw Refusal{ACTFUN_BAD_FORMAT, std::string(scale.name) + " is neither f32 nor of " + of.name + "'s format"};
}

Gated gated_of(const actfun_gated* f) {
  if (!f) throw Refusal{ACTFUN_NULL_POINTER, "the unit is NULL"};
  const actfun::Entry* entry = nullptr;
  demand(check(&f->gate, entry), "the gate");
  const auto refuse = [](const char* what) { throw Refusal{ACTFUN_BAD_PARAMETER, what}; };
  if (!(f->limit > 0)) refuse("limit is outside its domain: > 0");
  if (!(f->step_limit > 0)) refuse("step_limit is outside its domain: > 0");
  if (!std::isfinite(f->offset)) refuse("offset is not finite");
  for (const double beta : {f->beta1, f->beta2})
    if (!(beta >= 0) || std::isinf(beta)) refuse("beta1 and beta2 are >= 0 and finite");
  return {call_of(&f->gate, entry), {f->limit, f->step_limit, f->offset, f->beta1, f->beta2}};
}

const Target& demand_target() {
  const Target* target = nullptr;
  demand(environment(target), "the environment");
  return *target;
}

}  // namespace

extern "C" {

actfun_status actfun_glu_find(const char* text, actfun_gated* found, char* message, size_t size) {
  return guarded(
      [&] {
        if (!text || !found) throw Refusal{ACTFUN_NULL_POINTER, "actfun_glu_find: a pointer is NULL"};
        const Gated gated = actfun::parse_gated(text);
        const auto& [limit, step_limit, offset, beta1, beta2] = gated.extras;
        *found = {handle_of(gated.gate), limit, step_limit, offset, beta1, beta2, static_cast<int32_t>(gated.layout)};
      },
      message, size);
}

actfun_status actfun_glu_split(const actfun_array* x, int32_t axis, int32_t layout, actfun_array* gate,
                               actfun_array* value, char* message, size_t size) {
  return guarded(
      [&] {
        if (!gate || !value) throw Refusal{ACTFUN_NULL_POINTER, "actfun_glu_split: a pointer is NULL"};
        demand_array({"x", x});
        if (layout < ACTFUN_GATE_FIRST || layout > ACTFUN_GATE_ODD)
          throw Refusal{ACTFUN_BAD_FORMAT, "layout " + std::to_string(layout) + " does not exist"};
        const int counted = actfun::axis_of(*x, axis);
        if (counted < 0)
          throw Refusal{ACTFUN_BAD_SHAPE, "there is no axis " + std::to_string(axis) + " in " + shape_text(*x)};
        if (x->shape[counted] % 2 != 0)
          throw Refusal{ACTFUN_BAD_SHAPE, "axis " + std::to_string(axis) + " of " + shape_text(*x) +
                                              " has an odd length: gate and value are as long"};
        const auto [g, v] = actfun::split(*x, counted, static_cast<GatedLayout>(layout));
        *gate = g, *value = v;
      },
      message, size);
}

actfun_status actfun_glu(const actfun_gated* f, const actfun_array* gate, const actfun_array* value,
                         const actfun_array* scale, const actfun_array* y, char* message, size_t size) {
  return guarded(
      [&] {
        const Gated gated = gated_of(f);
        const Named g{"gate", gate}, v{"value", value}, s{"scale", scale}, to{"y", y, true};
        for (const Named& each : {g, v, to}) demand_array(each);
        demand_alike(v, g), demand_alike(to, g);
        actfun_array scales{};
        if (scale) demand_array(s), demand_scale_format(s, g), scales = broadcast(s, g);
        demand_apart({g, v, s, to});
        gated.apply(*gate, *value, scale ? &scales : nullptr, *y, demand_target());
      },
      message, size);
}

actfun_status actfun_glu_backward(const actfun_gated* f, const actfun_array* gate, const actfun_array* value,
                                  const actfun_array* scale, const actfun_array* dy, const actfun_array* dgate,
                                  const actfun_array* dvalue, const actfun_array* dscale, int32_t axis, char* message,
                                  size_t size) {
  return guarded(
      [&] {
        const Gated gated = gated_of(f);
        const Named g{"gate", gate}, v{"value", value}, s{"scale", scale}, upstream{"dy", dy},
            to_gate{"dgate", dgate, true}, to_value{"dvalue", dvalue, true}, to_scale{"dscale", dscale, true};
        for (const Named& each : {g, v, upstream, to_gate, to_value}) demand_array(each);
        for (const Named& each : {v, upstream, to_gate, to_value}) demand_alike(each, g);
        actfun_array scales{};
        if (scale) demand_array(s), demand_scale_format(s, g), scales = broadcast(s, g);
        int along = -1;
        if (dscale) {
          demand_array(to_scale);
          along = actfun::axis_of(*gate, axis);
          if (along < 0)
            throw Refusal{ACTFUN_BAD_SHAPE, "there is no axis " + std::to_string(axis) + " in " + shape_text(*gate)};
          actfun_array rows = *gate;
          rows.shape[along] = 1;
          if (!actfun::same_shape(*dscale, rows) || (scale && !actfun::same_shape(*scale, rows)))
            throw Refusal{ACTFUN_BAD_SHAPE, "scale and dscale have to have shape " + shape_text(rows) + " for axis " +
                                                std::to_string(axis) + "; dscale has " + shape_text(*dscale)};
        }
        demand_apart({g, v, s, upstream, to_gate, to_value, to_scale});
        gated.backward(*gate, *value, scale ? &scales : nullptr, *dy, {*dgate, *dvalue, dscale, along},
                       demand_target());
      },
      message, size);
}

size_t actfun_glu_count(void) { return actfun::gated_units().size(); }
const char* actfun_glu_name(size_t i) {
  // The names are literals, so each ends in a zero.
  return i < actfun::gated_units().size() ? actfun::gated_units()[i].name.data() : nullptr;
}

}  // extern "C"
