// SPDX-License-Identifier: Apache-2.0
// A function of functions/list.def with its parameters filled in: its `definition` as Taylor series, and in the other
// arithmetics of the oracle.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "api/registry.h"
#include "core/exact/rational.h"
#include "core/exact/series.h"
#include "core/exact/tail.h"
#include "core/exact/wave.h"

namespace actfun::exact {

class Definition {
 public:
  struct Parameters {
    std::array<double, kMaxParameters> value{};
    std::array<bool, kMaxParameters> rational{};  ///< the record's `exact` default, not its nearest double
  };

  explicit Definition(const Call& call);
  /// A function that need not stand in the list: F has an `info` and a `definition`.
  template <class F>
  static Definition of(const Parameters& parameters, std::string name) {
    return Definition(F::info, arithmetics_of<F>(), parameters, std::move(name));
  }

  Series operator()(const Series& x) const { return arithmetics_.series(x, parameters_); }
  /// Throws Irrational where f is no fraction.
  Rational rational(const Rational& x) const { return arithmetics_.rational(x, parameters_); }
  /// Nothing where f is not periodic, but for a drift.
  std::optional<Wave> wave() const;

  /// Throws NoTail where f has no series in 1/x, and Undecided where the tail begins farther out.
  Tail tail(const Tail& x) const { return arithmetics_.tail(x, parameters_); }

  const Info& info() const { return *info_; }
  const std::string& name() const { return name_; }

  struct Arithmetics {
    Series (*series)(const Series&, const Parameters&);
    Rational (*rational)(const Rational&, const Parameters&);
    Wave (*wave)(const Wave&, const Parameters&);
    Tail (*tail)(const Tail&, const Parameters&);
  };
  template <class F>
  static Arithmetics arithmetics_of() {
    return {evaluate<F, Series>, evaluate<F, Rational>, evaluate<F, Wave>, evaluate<F, Tail>};
  }

 private:
  Definition(const Info& info, const Arithmetics& in, const Parameters& parameters, std::string name)
      : info_(&info), arithmetics_(in), parameters_(parameters), name_(std::move(name)) {}

  template <class X>
  static X parameter(const Parameter& p, double value, bool rational) {
    if (!rational) return X(value);
    const auto bar = p.exact.find('/');
    const X numerator(std::stoi(std::string(p.exact)));
    return bar == std::string_view::npos ? numerator : numerator / X(std::stoi(std::string(p.exact.substr(bar + 1))));
  }
  template <class F, class X>
  static X evaluate(const X& x, const Parameters& p) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return F::definition(x, parameter<X>(F::info.parameters[i], p.value[i], p.rational[i])...);
    }
    (std::make_index_sequence<F::info.parameters.size()>{});
  }

  const Info* info_;
  Arithmetics arithmetics_;
  Parameters parameters_;
  std::string name_;
};

}  // namespace actfun::exact
