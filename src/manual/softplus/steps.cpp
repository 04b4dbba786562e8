#include "manual/elementwise.h"
#include "manual/softplus/formulas.h"

namespace byhand {

extern HandOperation softplus_operation() {
    static const std::vector kRows = {
        hpreact_row("The derivative of ln(1 + e^x) is e^x/(1 + e^x), the sigmoid of hpreact.")};
    return {
        .op = "softplus",
        .forward = [](StepList& f, const Site& at) { add_elementwise(f, at, BYHAND_FUNCTION(softplus_forward)); },
        .backward = [](StepList& b,
                       const Site& at) { add_elementwise_backward(b, at, at.x(), BYHAND_FUNCTION(softplus_backward)); },
        .ranges = [](ValueRanges& ranges, const Site& at) { ranges[at.y()] = kNotNegative; },
        .glossary = kRows};
}

}  // namespace byhand
