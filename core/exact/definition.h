// SPDX-License-Identifier: Apache-2.0
// A function of functions/list.def as Taylor series: its `definition` with the parameters filled in.
#pragma once

#include <array>

#include "api/registry.h"
#include "core/exact/series.h"

namespace actfun::exact {

class Definition {
 public:
  explicit Definition(const Call& call);

  Series operator()(const Series& x) const { return evaluate_(x, parameters_); }
  const std::string& name() const { return name_; }

  using Parameters = std::array<double, kMaxParameters>;

 private:
  Series (*evaluate_)(const Series& x, const Parameters& parameters);
  Parameters parameters_;
  std::string name_;
};

}  // namespace actfun::exact
