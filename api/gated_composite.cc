// SPDX-License-Identifier: Apache-2.0
#include "api/gated_composite.h"

namespace actfun {

GatedComposite::GatedComposite(const Factor& value, const Factor& slope, const GatedExtras& extras, Format format,
                               const Target& target)
    : h_(value), slope_of_h_(slope), extras_(extras), format_(format), target_(target.bit) {}
void GatedComposite::value(const double*, const double*, const double*, void*, std::size_t) const {}
void GatedComposite::gradients(const double*, const double*, const double*, const double*, void*, void*, double*, std::size_t) const {}

}  // namespace actfun
