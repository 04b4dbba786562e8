#include "manual/elementwise.h"
#include "manual/silu/formulas.h"

namespace byhand {

extern HandOperation silu_operation() {
    static const std::vector kRows = {
        hpreact_row("hpreact is used twice, as a factor and in the sigmoid: the product rule adds up both.")};
    return {.op = "silu",
            .forward = elementwise(BYHAND_FUNCTION(silu_forward)),
            .backward = elementwise_backward(&Site::x, BYHAND_FUNCTION(silu_backward)),
            .glossary = kRows};
}

}  // namespace byhand
