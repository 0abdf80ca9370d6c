// SPDX-License-Identifier: Apache-2.0
// What the functions of the C interface that take arrays check alike, and how they tell what is wrong.
#pragma once

#include <initializer_list>
#include <new>
#include <string>

#include "api/array.h"
#include "api/axis.h"
#include "api/c_checks.h"

namespace actfun::c {

/// An argument that is wrong, and what is allowed.
struct Refused {
  actfun_status status;
  std::string why;
};

/// Calls run(target), and tells what it throws: Refused, LabelError, or that memory is lacking.
template <class Run>
actfun_status told(char* message, std::size_t size, const Run& run) noexcept {
  write_message("", message, size);
  const auto tell = [&](actfun_status status, const char* why) {
    write_message(why, message, size);
    return status;
  };
  try {
    const Target* target = nullptr;
    if (const actfun_status status = environment(target); status != ACTFUN_OK)
      return tell(status, actfun_status_text(status));
    run(*target);
    return ACTFUN_OK;
  } catch (const Refused& refused) {
    return tell(refused.status, refused.why.c_str());
  } catch (const LabelError& error) {
    return tell(ACTFUN_BAD_LABEL, error.what());
  } catch (const std::bad_alloc&) {
    return tell(ACTFUN_BAD_SHAPE, "memory is lacking");
  }
}

struct Argument {
  const char* name;
  const actfun_array* array;  ///< null for what is left out, if `optional`
  bool written = false, optional = false;
};

/// Bytes as an array, for overlap_partly.
inline actfun_array bytes_at(const void* data, std::size_t count) {
  return {const_cast<void*>(data), ACTFUN_F8E5M2, 1, {count}, {1}};
}

std::string shape_text(const actfun_array& array);

/// Throws Refused unless each array can be, all have the format of the first, and outputs are inputs or lie apart from
/// them and from each other.
void require(std::initializer_list<Argument> arguments);
/// The same, and that all have its shape.
void require_alike(std::initializer_list<Argument> arguments);
/// The axis counted from the front. Throws Refused unless there is one.
int require_axis(const Argument& argument, std::int32_t axis);
/// Throws Refused unless least <= value <= most.
void require_between(const char* name, double value, double least, double most);

}  // namespace actfun::c
