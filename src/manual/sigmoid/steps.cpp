#include "manual/elementwise.h"
#include "manual/sigmoid/formulas.h"

namespace byhand {

extern HandOperation sigmoid_operation() {
    static const std::vector kRows = {
        hpreact_row("The sigmoid has the derivative σ·(1 − σ), and σ(hpreact) is there already: h.")};
    return {
        .op = "sigmoid",
        .forward = [](StepList& f, const Site& at) { add_elementwise(f, at, BYHAND_FUNCTION(sigmoid_forward)); },
        .backward = [](StepList& b,
                       const Site& at) { add_elementwise_backward(b, at, at.y(), BYHAND_FUNCTION(sigmoid_backward)); },
        .ranges = [](ValueRanges& ranges, const Site& at) { ranges[at.y()] = kSigmoidRange; },
        .glossary = kRows};
}

}  // namespace byhand
