// SPDX-License-Identifier: Apache-2.0
// What `actfun health` found, as text, JSON and a page.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "health/verdict.h"
#include "tool/health_state.h"

namespace actfun::tool {

struct Examined {
  const Patient* patient;
  health::Diagnosis diagnosis;
};
std::vector<Examined> examine(const Patients& patients);

/// A table of all layers, then each layer with its findings and its `worst` worst units.
std::string health_text(const std::vector<Examined>& layers, std::size_t worst);
nlohmann::ordered_json health_json(const std::vector<Examined>& layers);
/// Needs gnuplot.
std::string health_page(const std::vector<Examined>& layers);

}  // namespace actfun::tool
