// SPDX-License-Identifier: Apache-2.0
// What is said of activation functions, put to the test by runs of the lab.
#pragma once

#include <string>

namespace actfun::tool {

/// Does the runs that DIRECTORY/claims/runs.jsonl lacks, then writes DIRECTORY/claims.md and DIRECTORY/claims/*.svg
/// from that file alone. Each claim has a criterion, stated on the page, that decides whether it holds.
void check_claims(const std::string& directory, unsigned threads);

}  // namespace actfun::tool
