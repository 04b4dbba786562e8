// The forms of the network by hand, each with formulas of its own: what runs it and what judges it choose by them.
#pragma once

namespace byhand {

// One named value at a time; two formulas collapsed; the formulas of the fused step.
enum class HandForm { stepwise, collapsed, fused };

}  // namespace byhand
