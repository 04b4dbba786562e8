// A norm undone: γ = √(σ² + ε) and β = μ of a batch, and what comes out of it.
#pragma once

#include "lab/first_step.h"
#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

// Every norm of the network on the first batch; then the next batch, the backward pass, and the whole network.
void tell_identity(Document& document, const FirstStep& first, const Setting& setting);

}  // namespace byhand::lab
