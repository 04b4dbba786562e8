// The forms of the handwritten network, each with its own formulas; they select the graph that runs and the limits that
// apply.
#pragma once

namespace byhand {

// One named value at a time; two formulas collapsed; the formulas of the fused step.
enum class HandForm { stepwise, collapsed, fused };

}  // namespace byhand
