// SPDX-License-Identifier: Apache-2.0
#include "api/c_arrays.h"

#include <charconv>

namespace actfun::c {
namespace {

/// In as few digits as read back the same.
std::string text(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

/// What follows its name.
std::string why(const Argument& argument, actfun_status status) {
  switch (status) {
    case ACTFUN_NULL_POINTER:
      return argument.array ? "'s data is NULL" : " is NULL";
    case ACTFUN_BAD_FORMAT:
      return "'s format, " + std::to_string(argument.array->format) + ", is none of actfun_format";
    default:
      if (argument.array->rank < 0 || argument.array->rank > ACTFUN_MAX_RANK)
        return "'s rank is " + std::to_string(argument.array->rank) + "; 0 to " + std::to_string(ACTFUN_MAX_RANK) +
               " are allowed";
      return ", of shape " + shape_text(*argument.array) + "," +
             (argument.written ? " has elements at one place, or" : "") + " does not fit memory";
  }
}

bool meet(const actfun_array& a, const actfun_array& b) {
  return actfun::overlap_partly(a, b) || (a.data == b.data && actfun::size_of(a) > 0 && actfun::size_of(b) > 0);
}

}  // namespace

std::string shape_text(const actfun_array& array) {
  std::string sizes;
  for (int i = 0; i < array.rank; ++i) sizes += (i > 0 ? ", " : "") + std::to_string(array.shape[i]);
  return "(" + sizes + ")";
}

void require(std::initializer_list<Argument> arguments) {
  const Argument& first = *arguments.begin();
  for (const Argument& argument : arguments) {
    if (!argument.array && argument.optional) continue;
    if (const actfun_status status = actfun::check(argument.array, argument.written); status != ACTFUN_OK)
      throw Refused{status, argument.name + why(argument, status)};
    if (argument.array->format != first.array->format) {
      const auto name = [](const Argument& each) {
        return std::string(each.name) + " is " + std::string(info_of(static_cast<Format>(each.array->format)).name);
      };
      throw Refused{ACTFUN_BAD_FORMAT, name(argument) + ", but " + name(first)};
    }
  }
  for (const Argument& out : arguments)
    for (const Argument& other : arguments)
      if (out.written && out.array && other.array && &other != &out &&
          (other.written ? meet(*out.array, *other.array) : actfun::overlap_partly(*out.array, *other.array)))
        throw Refused{ACTFUN_OVERLAP, std::string(out.name) + " overlaps " + other.name +
                                          (other.written ? "" : ", and is not the same view of it")};
}

void require_alike(std::initializer_list<Argument> arguments) {
  const Argument& first = *arguments.begin();
  require(arguments);
  for (const Argument& argument : arguments)
    if (argument.array && !same_shape(*argument.array, *first.array))
      throw Refused{ACTFUN_BAD_SHAPE, std::string(argument.name) + " has shape " + shape_text(*argument.array) +
                                          ", but " + first.name + " has shape " + shape_text(*first.array)};
}

int require_axis(const Argument& argument, std::int32_t axis) {
  const int counted = axis_of(*argument.array, axis);
  if (counted < 0)
    throw Refused{ACTFUN_BAD_SHAPE, std::string(argument.name) + " has no axis " + std::to_string(axis) +
                                        ": its shape is " + shape_text(*argument.array)};
  return counted;
}

void require_between(const char* name, double value, double least, double most) {
  if (!(value >= least && value <= most))
    throw Refused{ACTFUN_BAD_PARAMETER,
                  std::string(name) + " is " + text(value) + "; " + text(least) + " to " + text(most) + " are allowed"};
}

}  // namespace actfun::c
