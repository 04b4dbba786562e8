#include "manual/elementwise.h"
#include "manual/sigmoid/formulas.h"

namespace byhand {

HandOperation sigmoid_operation() {
    static const std::vector kRows = {
        hpreact_row("The sigmoid has the derivative σ·(1 − σ), and σ(hpreact) is there already: h.")};
    return {.op = op::kSigmoid,
            .forward = elementwise_forward(BYHAND_FUNCTION(sigmoid_forward)),
            .backward = elementwise_backward(SlopeBy::result, BYHAND_FUNCTION(sigmoid_backward)),
            .ranges = [](ValueRanges& ranges, const Site& at) { ranges[at.y()] = kSigmoidRange; },
            .glossary = kRows};
}

}  // namespace byhand
