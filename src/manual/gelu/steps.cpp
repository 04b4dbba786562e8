#include "manual/elementwise.h"
#include "manual/gelu/formulas.h"

namespace byhand {

extern HandOperation gelu_operation() {
    static const std::vector kRows = {
        hpreact_row("hpreact is used twice, as a factor and in Φ, whose derivative is the normal density: the product "
                    "rule adds up both.")};
    return {.op = "gelu",
            .forward = [](StepList& f, const Site& at) { add_elementwise(f, at, BYHAND_FUNCTION(gelu_forward)); },
            .backward = [](StepList& b,
                           const Site& at) { add_elementwise_backward(b, at, at.x(), BYHAND_FUNCTION(gelu_backward)); },
            .ranges = [](ValueRanges& ranges, const Site& at) { ranges[at.x()] = kGeluInput; },
            .glossary = kRows};
}

extern HandOperation gelu_tanh_operation() {
    static const std::vector kRows = {
        hpreact_row("hpreact is used twice, as a factor and in the tanh of a cubic: the product rule, then the chain "
                    "rule.")};
    return {.op = "gelu_tanh",
            .forward = [](StepList& f, const Site& at) { add_elementwise(f, at, BYHAND_FUNCTION(gelu_tanh_forward)); },
            .backward =
                [](StepList& b, const Site& at) {
                    add_elementwise_backward(b, at, at.x(), BYHAND_FUNCTION(gelu_tanh_backward));
                },
            .ranges = [](ValueRanges& ranges, const Site& at) { ranges[at.x()] = kGeluInput; },
            .glossary = kRows};
}

}  // namespace byhand
