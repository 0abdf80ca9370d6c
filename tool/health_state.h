// SPDX-License-Identifier: Apache-2.0
// What the health check knows of several layers, and the file that keeps it.
#pragma once

#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "health/layer.h"

namespace actfun::tool {

struct Patient {
  std::string name;
  std::unique_ptr<health::Plan> plan;  ///< stays where it is: the layer points to it
  std::unique_ptr<health::Layer> layer;
  std::uint64_t batches = 0;  ///< tensors
};

/// Layers in the order in which they came.
class Patients {
 public:
  /// The layer of this name, or null.
  Patient* find(const std::string& name);
  void add(Patient patient) { list_.push_back(std::move(patient)); }
  std::deque<Patient>& list() { return list_; }
  const std::deque<Patient>& list() const { return list_; }

  /// Adds what others know. Throws when a layer of the same name differs in what may not differ.
  void merge(Patients others);

 private:
  std::deque<Patient> list_;
};

/// As JSON: counts and sums as they are, without rounding.
nlohmann::ordered_json to_json(const Patients& patients);
/// Reads it back from a file. Throws, naming the file, on anything else.
Patients read_state(const std::string& path);
void write_state(const Patients& patients, const std::string& path);

/// The names of health::Count and health::Sum in JSON.
std::string_view name_of(health::Count count);

}  // namespace actfun::tool
