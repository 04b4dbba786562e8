// A tensor of the hand-written implementation beside LibTorch's of the same name.
#pragma once

#include <span>

#include "judge/finding.h"

namespace byhand {

// Judges `manual` against `oracle`, beside `torch`, or against `torch` where there is no oracle of that shape. A tensor
// that one implementation does not have, or whose shapes differ, has no figures: null where it is missing. Then the
// verdict is missing, before all that judge() looks at. `limits` as judge takes them.
Finding compare_tensor(const View* manual, const View* torch, const View* oracle, std::span<const double> limits,
                       Vacuous vacuous);

}  // namespace byhand
