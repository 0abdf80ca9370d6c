// SPDX-License-Identifier: Apache-2.0
// The facts of a function: the record that stands at the top of every file in functions/.
// Every field is read by a generic test (tests/facts_test.py, tests/registry_test.cc); a field that no test reads
// does not belong here. Text fields are expressions in the notation of the docs: Python operators, ^ for powers.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace actfun {

/// A list that a constexpr record can hold by value.
template <class T, std::size_t capacity>
struct List {
  T items[capacity > 0 ? capacity : 1]{};
  std::size_t count = 0;

  constexpr List() = default;
  constexpr List(std::initializer_list<T> from) {
    for (const T& item : from) items[count++] = item;  // one too many does not compile: not a constant expression
  }
  constexpr const T* begin() const { return items; }
  constexpr const T* end() const { return items + count; }
  constexpr std::size_t size() const { return count; }
  constexpr bool empty() const { return count == 0; }
  constexpr const T& operator[](std::size_t i) const { return items[i]; }
};

/// The largest number of parameters that a function can have.
inline constexpr std::size_t kMaxParameters = 4;

struct Parameter {
  std::string_view name;
  double preset;            ///< the default value
  std::string_view domain;  ///< begins with "any real", "> V", ">= V", "<= V" or "integer >= V", where V is a number or
                            ///< the name of another parameter; the rest is a remark
  bool learnable = false;
  std::string_view exact{};  ///< "p/q" when the default is this rational number and not its nearest double, `preset`

  struct Fraction {
    int numerator, denominator;
  };
  constexpr Fraction fraction() const {
    int p[2] = {0, 0}, which = 0;
    for (const char c : exact) c == '/' ? which = 1 : p[which] = 10 * p[which] + (c - '0');
    return {p[0], p[1]};
  }
  /// The default less `preset`.
  constexpr double residue() const {
    if (exact.empty()) return 0;
    const auto [p, q] = fraction();
    // p - q preset without rounding: q has few bits, so the halves' products are exact.
    const double high = static_cast<double>(static_cast<float>(preset)), low = preset - high;
    return (p - q * high - q * low) / q;
  }

  /// The V of the domain; empty for any real number.
  constexpr std::string_view bound() const {
    const std::size_t sign = domain.find_first_of("<>");
    if (domain.starts_with("any real") || sign == domain.npos) return {};
    const std::string_view rest = domain.substr(domain.find(' ', sign) + 1);
    return rest.substr(0, rest.find_first_of(" ;"));
  }

  /// Whether `value` lies in the domain, where V is `v`. NaN and infinities never do.
  constexpr bool accepts(double value, double v) const {
    if (!(value - value == 0)) return false;
    if (domain.starts_with("any real")) return true;
    std::string_view d = domain;
    if (d.starts_with("integer ")) {
      if (value > 9007199254740992.0 || value != static_cast<double>(static_cast<long long>(value))) return false;
      d.remove_prefix(8);
    }
    return d.starts_with("<=") ? value <= v : d.starts_with(">=") ? value >= v : value > v;
  }
};

/// What a derivative is at a kink (the library's convention), and its limits from the left and from the right.
struct OneSided {
  std::string_view at, left, right;
};

/// A point where f (order 0), f' (order 1) or only f'' (order 2) jumps.
struct Kink {
  std::string_view x;
  int order;
  OneSided slope, curvature;
};

/// Whose derivatives hold at kinks. A position is the convention's number in the C interface: append, never reorder.
enum class Kinks : unsigned char { actfun, pytorch, jax, tensorflow, onnxruntime };
/// As the program and the records' JSON spell them.
inline constexpr std::string_view kKinksNames[] = {"actfun", "pytorch", "jax", "tensorflow", "onnxruntime"};
inline constexpr std::size_t kKinksCount = sizeof kKinksNames / sizeof *kKinksNames;
constexpr std::string_view name_of(Kinks kinks) { return kKinksNames[static_cast<std::size_t>(kinks)]; }

/// What f' is at the kinks in a framework's backward pass, also where that is the library's own convention.
struct Convention {
  Kinks framework;
  List<std::string_view, 2> slopes;  ///< at each of `kinks`, in their order
  std::string_view evidence{};       ///< how it is known: S source, D documentation, I issue, X reasoned, M memory;
                                     ///< "S/I" is both, empty: not noted
  std::string_view remark{};         ///< where it was found, if not in the framework's function of this name
};

/// A framework's default parameters, or the function that it means by this name: `leaky_relu@keras`.
struct Preset {
  std::string_view name;
  std::string_view call;                  ///< what it stands for, parameters spelled out, as Call::text() writes it
  std::string_view evidence{}, remark{};  ///< as above
};

/// The limits at -inf and +inf.
struct Limits {
  std::string_view lower, upper;
};

struct Extremum {
  int order;  ///< of f (0), f' (1) or f'' (2)
  std::string_view x, value, type;
};

/// f' as a function of y = f(x): for a backward pass that has kept the output and not the input.
struct FromOutput {
  std::string_view formula{};    ///< an expression in y; empty where there is none
  std::string_view condition{};  ///< on the parameters, or "always"
  bool loses_accuracy = false;   ///< where f saturates, a rounded y knows little of f'
  std::string_view reason{};     ///< why there is no formula
  std::string_view note{};
};

/// x as a function of y = f(x), which there is where f is strictly monotone.
struct Inverse {
  std::string_view condition{};  ///< on the parameters, or "always"; empty where there is none
  std::string_view reason{};     ///< why there is none
};

enum class Kind : char {
  unary = 'U',       ///< elementwise, no parameter
  parametric = 'P',  ///< elementwise, constant parameters
  learnable = 'L',   ///< elementwise, parameters that networks train
  randomized = 'R',  ///< elementwise, parameters drawn at random in training; here as in evaluation
  axis = 'A',        ///< works on rows along an axis
};

struct Info {
  std::string_view name{};
  List<std::string_view, 6> aliases{};
  List<std::string_view, 6> known_as{};
  std::string_view family{};
  Kind kind = Kind::unary;
  List<Parameter, kMaxParameters> parameters{};
  std::string_view formula{}, derivative{}, second_derivative{};
  List<Kink, 2> kinks{};
  List<Convention, kKinksCount - 1> conventions{};
  List<Preset, 12> presets{};
  Limits limits{}, derivative_limits{}, second_derivative_limits{};
  std::string_view range{};
  std::string_view monotone{}, symmetry{};
  std::string_view lipschitz{};
  List<std::string_view, 2> roots{};
  List<Extremum, 24> extrema{};
  FromOutput from_output{};
  Inverse inverse{};
  std::string_view paper{};
  std::string_view note{};
};

/// Whether parameter i may have the value values[i] beside the others.
constexpr bool accepts(const Info& info, std::size_t i, const double* values) {
  const std::string_view bound = info.parameters[i].bound();
  double v = 0;
  for (const char c : bound)
    if (c >= '0' && c <= '9') v = 10 * v + (c - '0');
  for (std::size_t j = 0; j < info.parameters.size(); ++j)
    if (info.parameters[j].name == bound) v = values[j];
  return info.parameters[i].accepts(values[i], v);
}

}  // namespace actfun
