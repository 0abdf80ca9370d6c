// SPDX-License-Identifier: Apache-2.0
// The verbs of the program, one file each. A verb describes its arguments to the command line and does its work in the
// callback. It reports bad usage and bad input by throwing std::exception (exit 2), a failed check by CheckFailed.
#pragma once

#include <CLI/CLI.hpp>
#include <stdexcept>

namespace actfun::tool {

/// A check that the user asked for did not pass: exit 1.
struct CheckFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void add_list(CLI::App& app);
void add_show(CLI::App& app);
void add_eval(CLI::App& app);
void add_apply(CLI::App& app);
void add_backward(CLI::App& app);
void add_chain(CLI::App& app);
void add_plot(CLI::App& app);
void add_gallery(CLI::App& app);
void add_diff(CLI::App& app);
void add_error(CLI::App& app);
void add_naive(CLI::App& app);
void add_verify(CLI::App& app);
void add_targets(CLI::App& app);
void add_bench(CLI::App& app);
void add_lab(CLI::App& app);
void add_health(CLI::App& app);
void add_glu(CLI::App& app);
void add_simplex(CLI::App& app);
void add_softmax(CLI::App& app);
void add_logsumexp(CLI::App& app);

}  // namespace actfun::tool
