#include "manual/elementwise.h"
#include "manual/tanh/formulas.h"

namespace byhand {

extern HandOperation tanh_operation() {
    static const std::vector kRows = {
        hpreact_row("tanh has the derivative 1 − tanh², and tanh(hpreact) is there already: h.")};
    return {.op = op::kTanh,
            .forward = elementwise(BYHAND_FUNCTION(tanh_forward)),
            .backward = elementwise_backward(&Site::y, BYHAND_FUNCTION(tanh_backward)),
            .ranges = [](ValueRanges& ranges, const Site& at) { ranges[at.y()] = kTanhRange; },
            .glossary = kRows};
}

}  // namespace byhand
