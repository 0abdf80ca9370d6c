// SPDX-License-Identifier: Apache-2.0
#include "tool/certified.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "api/certificate.h"
#include "tool/text.h"

namespace actfun::tool {

bool certified(const Entry& entry) {
  const auto certificate = find_certificate(entry.info->name);
  return certificate && certificate->clean();
}

std::string certificate_summary(const Entry& entry) {
  const auto certificate = find_certificate(entry.info->name);
  if (!certificate) return "";
  if (!certificate->clean()) return "not complete, or not clean";
  const OrderCertificate* worst = &certificate->orders[0];
  std::uint64_t inputs = 0, misrounded = 0;
  for (const OrderCertificate& order : certificate->orders) {
    inputs += order.inputs, misrounded += order.misrounded.value_or(0);
    if (order.worst_error > worst->worst_error) worst = &order;
  }
  std::vector<std::string> runs;
  for (const Run& run : certificate->runs)
    if (run.failed_blocks == 0) runs.push_back(fmt::format("{} {} ({})", run.target, run.order, run.extent));
  return fmt::format("{} of {} results misrounded; worst error {:.9f} ULP, {} at x = {}{}{}", misrounded, inputs,
                     worst->worst_error, order_name(static_cast<int>(worst - certificate->orders)),
                     decimal(worst->witness), runs.empty() ? "" : "; run on ", fmt::join(runs, ", "));
}

}  // namespace actfun::tool
