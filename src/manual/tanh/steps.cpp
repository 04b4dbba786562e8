#include "manual/elementwise.h"
#include "manual/tanh/formulas.h"

namespace byhand {

extern HandOperation tanh_operation() {
    static const std::vector kRows = {
        hpreact_row("tanh has the derivative 1 − tanh², and tanh(hpreact) is there already: h.")};
    return {.op = op::kTanh,
            .forward = [](StepList& f, const Site& at) { add_elementwise(f, at, BYHAND_FUNCTION(tanh_forward)); },
            .backward = [](StepList& b,
                           const Site& at) { add_elementwise_backward(b, at, at.y(), BYHAND_FUNCTION(tanh_backward)); },
            .ranges = [](ValueRanges& ranges, const Site& at) { ranges[at.y()] = kTanhRange; },
            .glossary = kRows};
}

}  // namespace byhand
