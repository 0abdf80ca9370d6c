// SPDX-License-Identifier: Apache-2.0
// Writes actfun/functions.hpp: the elementwise functions as C++ objects, from the registry.
#include <cstdio>
#include <fstream>
#include <sstream>

#include "api/registry.h"

namespace {

constexpr const char* kStructs[] = {
#define ELEMENTWISE(file, Name) #Name,
#define AXIS ELEMENTWISE
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS
};

void write(std::ostream& out, const actfun::Entry& entry) {
  const actfun::Info& info = *entry.info;
  const std::string name(info.name), type = kStructs[entry.id];
  out << "/// " << info.formula;
  if (!info.paper.empty()) out << " (" << info.paper << ")";
  out << "\nstruct " << type << " {\n";
  std::string values, rational;
  for (const actfun::Parameter& parameter : info.parameters) {
    char preset[32];
    std::snprintf(preset, sizeof preset, "%.17g", parameter.preset);
    const std::string name_of_parameter(parameter.name);
    if (parameter.exact.empty()) {
      out << "  double " << name_of_parameter << " = " << preset << ";  ///< " << parameter.domain << "\n";
    } else {
      out << "  RationalParameter " << name_of_parameter << " = RationalParameter::exactly(" << preset << ");  ///< "
          << parameter.domain << "; by default exactly " << parameter.exact << "\n";
      rational += (rational.empty() ? "" : " | ") + name_of_parameter + ".exact() << " +
                  std::to_string(&parameter - info.parameters.begin());
    }
    values += (values.empty() ? "" : ", ") + name_of_parameter;
  }
  if (!info.kinks.empty()) out << "  Kinks kinks = Kinks::actfun;  ///< whose derivatives hold at kinks\n";
  out << "  Tier tier = Tier::exact;  ///< what is promised of results in f32\n"
         "  std::uint32_t threads = 0;  ///< at most so many work on a call; 0: actfun_threads()\n";
  out << "  constexpr actfun_function handle() const {\n    return {" << entry.id << ", "
      << (rational.empty() ? "0" : "static_cast<std::uint8_t>(" + rational + ")") << ", 0, "
      << (info.kinks.empty() ? "0" : "static_cast<std::uint8_t>(kinks)") << ", static_cast<std::uint8_t>(tier), {"
      << values << "}, threads};\n  }\n"
      << "  ACTFUN_ELEMENTWISE_OPERATIONS\n"
      << "};\ninline constexpr " << type << " " << name << "{};\n\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: actfun_write_header OUT.hpp\n", stderr);
    return 2;
  }
  std::ostringstream out;
  out << "// SPDX-License-Identifier: Apache-2.0\n"
         "// Written by api/write_header.cc from functions/list.def: do not edit.\n"
         "#pragma once\n\nnamespace actfun {\n\n";
  for (const actfun::Entry& entry : actfun::functions())
    if (entry.elementwise()) write(out, entry);
  out << "}  // namespace actfun\n";
  // A header that is as it was stays untouched, so that nothing is compiled anew for it.
  std::ostringstream before;
  before << std::ifstream(argv[1]).rdbuf();
  if (before.str() == out.str()) return 0;
  std::ofstream header(argv[1]);
  header << out.str();
  header.close();
  if (!header) {
    std::fprintf(stderr, "actfun_write_header: cannot write %s\n", argv[1]);
    return 2;
  }
}
