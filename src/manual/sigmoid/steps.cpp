#include "manual/elementwise.h"
#include "manual/sigmoid/formulas.h"

namespace byhand {

extern HandOperation sigmoid_operation() {
    static const std::vector kRows = {
        hpreact_row("The sigmoid has the derivative σ·(1 − σ), and σ(hpreact) is there already: h.")};
    return {.op = "sigmoid",
            .forward = elementwise(BYHAND_FUNCTION(sigmoid_forward)),
            .backward = elementwise_backward(&Site::y, BYHAND_FUNCTION(sigmoid_backward)),
            .ranges = [](ValueRanges& ranges, const Site& at) { ranges[at.y()] = kSigmoidRange; },
            .glossary = kRows};
}

}  // namespace byhand
