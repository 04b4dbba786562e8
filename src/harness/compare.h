// A tensor of the hand-written side beside LibTorch's of the same name.
#pragma once

#include <span>
#include <string>

#include "judge/finding.h"

namespace byhand {

// The reference is LibTorch, and what is right the oracle's. A tensor that one side does not have, or whose shapes
// differ, has no figures.
struct TensorResult : Finding {
    std::string name;
};

// Judges `manual` against `oracle`, beside `torch`, or against `torch` where there is no oracle of that shape. Null
// where a side has none: then the verdict is missing, before all that judge() looks at. `limits` as judge takes them.
TensorResult compare_tensor(const std::string& name, const View* manual, const View* torch, const View* oracle,
                            std::span<const double> limits, Vacuous vacuous);

}  // namespace byhand
