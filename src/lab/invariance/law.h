// The general law behind note 2's example: scale a layer's weights by α, and what the norm behind it hands on stays,
// while the gradient to the weights shrinks by 1/α.
#pragma once

#include "lab/invariance/invariance.h"

namespace byhand::lab {

// Differences up to this share of a value are those of rounding, in double.
inline constexpr double kRounding = 1e-9;

// Every layer of every recipe's network on its first batch, γ and β drawn.
void tell_law(Document& document, const InvarianceOptions& options, const Material& material);

}  // namespace byhand::lab
