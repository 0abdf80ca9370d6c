// SPDX-License-Identifier: Apache-2.0
// What the library knows of its functions at run time: their records, their kernels for each instruction set, and how
// a function is named in text. The C interface, the program, the tests and the benchmarks loop over it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "backends/cpu/formats.h"
#include "backends/cpu/kernels.h"
#include "core/format.h"
#include "core/info.h"

namespace actfun {

/// An instruction set that kernels are compiled for, best first.
struct Target {
  std::string_view name;         ///< "AVX3", "AVX2", "SSE4", "SCALAR"
  std::string_view description;  ///< for people
  std::int64_t bit;              ///< Highway's HWY_AVX3 and so on
};
std::span<const Target> compiled_targets();
bool supported(const Target& target);
/// The best supported one, or the one that the environment variable ACTFUN_TARGET names.
/// Throws std::invalid_argument when it names one that is not compiled or not supported.
const Target& current_target();
/// By name, case ignored. Throws std::invalid_argument, naming those that exist.
const Target& find_target(std::string_view name);

struct Entry {
  const Info* info;
  int id;  ///< line in functions/list.def, from 0
  bool elementwise() const { return info->kind != Kind::axis; }
};
std::span<const Entry> functions();
/// Whether values[i] lies in parameter i's domain: what actfun::accepts(Info, ...) finds out, with texts read at
/// compile time.
bool accepts(const Entry& entry, std::size_t i, const double* values);

/// An array of shape [outer, channels, inner] in C order, and parameters that differ between its channels.
struct Channels {
  std::size_t outer = 1, channels = 1, inner = 1;
  Format format = Format::f64;                           ///< of `parameters`: f64 or f32
  std::array<const void*, kMaxParameters> parameters{};  ///< `channels` values of each; null: the call's own

  std::size_t size() const { return outer * channels * inner; }
  bool varies() const {
    for (const void* values : parameters)
      if (values) return true;
    return false;
  }
  double parameter(std::size_t k, std::size_t channel) const {
    return format == Format::f32 ? static_cast<double>(static_cast<const float*>(parameters[k])[channel])
                                 : static_cast<const double*>(parameters[k])[channel];
  }
};

/// What is promised of results in f32; the other formats are correctly rounded in every tier.
enum class Tier : int {
  exact,  ///< correctly rounded
  fast,   ///< values and slopes within 2 units in the last place where that is quicker, otherwise as `exact`;
          ///< gradients times such slopes are rounded once more
};

/// A function with values for its parameters.
struct Call {
  const Entry* entry;
  std::array<double, kMaxParameters> parameters{};
  const Kernels* instead = nullptr;  ///< run these, whatever the target: for tests that need a kernel that is wrong

  std::array<bool, kMaxParameters> rational{};  ///< parameter i is the record's `exact` default, not its nearest double
  Overflow overflow = Overflow::saturate;       ///< of formats without infinities
  Kinks kinks = Kinks::actfun;                  ///< whose derivatives hold at kinks: `choose` checks them
  Tier tier = Tier::exact;
  unsigned threads = 1;  ///< at most so many work on an array; 0: `default_threads`. No result depends on it

  const Info& info() const { return *entry->info; }
  /// Takes a framework's derivatives at kinks. Throws KinksError, naming those that are known, unless these are: a
  /// function without kinks accepts all.
  void choose(Kinks framework);
  /// Whether the framework's derivatives at this function's kinks are known.
  bool knows(Kinks framework) const;
  /// What f' is at kinks[i] by the chosen convention, as an expression.
  std::string_view slope_at(std::size_t i) const;
  /// Whether all parameters and conventions are at their defaults: what certificates are about.
  bool preset() const { return kinks == Kinks::actfun && default_parameters(); }
  bool default_parameters() const;
  /// Whether the call's tier is the fast one, and has f or f' of its own there on this instruction set.
  bool has_fast_kernel(Order order, const Target& target) const;
  /// `name` or `name:param=value,...`, listing parameters that are not at their default, and no preset.
  std::string text() const;
  /// Elementwise only, on arrays of any format; y may be x. Sets the floating-point environment.
  void apply(Order order, Format format, const void* x, void* y, std::size_t n, const Target& target) const;
  /// Elementwise only, on quantised integers; without `out`, y holds floats.
  void apply(Order order, const Quantization& in, const Quantization* out, const void* x, void* y, std::size_t n,
             const Target& target) const;
  /// Elementwise only: y = g f'(x) for `Part::slope`, and likewise for other parts that the function has; rounded once.
  /// Without g, the part itself. In place in x or g is fine. Sets the floating-point environment.
  void multiply(Part part, Format format, const void* x, const void* g, void* y, std::size_t n,
                const Target& target) const;
  /// The same where parameters differ between channels, which must be accepted.
  void multiply(Part part, Format format, const Channels& shape, const void* x, const void* g, void* y,
                const Target& target) const;
  /// dx = g gg f''(x) and dg = gg f'(x); each may be x, g or gg, but not the other.
  void double_backward(Format format, const void* x, const void* g, const void* gg, void* dx, void* dg, std::size_t n,
                       const Target& target) const;
  /// gradients[k][c], unless gradients[k] is null, is the sum over channel c of g times the derivative of f with
  /// respect to parameter k. Terms are rounded to f32's precision, or f64's if x is f64, and added up in a fixed order
  /// almost without error. Throws std::bad_alloc.
  void parameter_gradients(Format format, const Channels& shape, const void* x, const void* g, double* const* gradients,
                           const Target& target) const;
  /// Whether all channels' parameters lie in their domains.
  bool accepts(const Channels& shape) const;
  /// f(x) rounded once to a format, by 256-bit arithmetic: slow, and right for any finite x.
  double evaluate_big(Order order, Format format, double x) const;
  /// (result - f(x)) in units in the last place that the format has at f(x), by 256-bit arithmetic: at most 1/2 in
  /// magnitude for the right result, 0 for a right infinity, NaN, or overflow. Infinite for an infinity in place of a
  /// number or the other way round, NaN for a NaN in place of either.
  double error_in_ulp(Order order, Format format, double x, double result) const;
  /// Elementwise only, for exactly this instruction set; y may be x. Sets the floating-point environment.
  void evaluate(Order order, const float* x, float* y, std::size_t n, const Target& target) const;
  void evaluate(Order order, const float* x, float* y, std::size_t n) const;  ///< on current_target()
  /// The value to y and the slope to dy in one pass; either may be x.
  void evaluate_value_and_slope(const float* x, float* y, float* dy, std::size_t n, const Target& target) const;
};

/// Reads `name`, `name:param=value,param=value`, `name@preset` or `name@preset:param=value`, where the values override
/// the preset's; aliases work. Throws FunctionError (unknown function, with the nearest names, or unknown preset) or
/// ParameterError (unknown parameter, bad number, value outside its domain).
struct FunctionError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};
struct ParameterError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};
struct KinksError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};
Call parse_function(std::string_view text);

/// "pytorch" and so on. Throws KinksError, naming those that exist.
Kinks find_kinks(std::string_view name);
/// By number in the C interface, likewise.
Kinks find_kinks(int number);

/// The number that `text` spells: decimal, C99 hex float, inf, nan, with sign; nothing before or after it.
/// Returns false if it is not one. Decimal text is rounded to nearest once, straight to T.
bool parse_number(std::string_view text, float& value);
bool parse_number(std::string_view text, double& value);

// The axis functions; shapes as in actfun.h, threads as in Call. Pointers must not be null; nothing is checked here.
void softmax(const float* x, float* y, std::size_t outer, std::size_t length, std::size_t inner, const Target& target,
             unsigned threads = 1);
void log_softmax(const float* x, float* y, std::size_t outer, std::size_t length, std::size_t inner,
                 const Target& target, unsigned threads = 1);
void maxout(const float* x, float* y, std::int32_t* index, std::size_t outer, std::size_t groups, std::size_t k,
            std::size_t inner, unsigned threads = 1);

}  // namespace actfun
