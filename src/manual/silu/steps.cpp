#include "manual/elementwise.h"
#include "manual/silu/formulas.h"

namespace byhand {

extern HandOperation silu_operation() {
    static const std::vector kRows = {
        hpreact_row("hpreact is used twice, as a factor and in the sigmoid: the product rule adds up both.")};
    return {.op = "silu",
            .forward = [](StepList& f, const Site& at) { add_elementwise(f, at, BYHAND_FUNCTION(silu_forward)); },
            .backward = [](StepList& b,
                           const Site& at) { add_elementwise_backward(b, at, at.x(), BYHAND_FUNCTION(silu_backward)); },
            .glossary = kRows};
}

}  // namespace byhand
