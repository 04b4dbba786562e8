#include "manual/elementwise.h"
#include "manual/relu/formulas.h"

namespace byhand {
namespace {

void leaky_forward(StepList& f, const Site& at) {
    add(f, at.y(), at.wide(), {at.x()}, BYHAND_FUNCTION(leaky_relu_forward), count(at.wide()),
        at.operation.negative_slope);
}

void leaky_backward(StepList& b, const Site& at) {
    add(b, at.dx(), at.wide(), {at.dy(), at.x()}, BYHAND_FUNCTION(leaky_relu_backward), count(at.wide()),
        at.operation.negative_slope);
}

}  // namespace

extern HandOperation relu_operation() {
    static const std::vector kRows = {hpreact_row(
        "Where hpreact is above 0 it was handed on as it is, and so is the gradient; elsewhere nothing was.")};
    return {.op = "relu",
            .forward = [](StepList& f, const Site& at) { add_elementwise(f, at, BYHAND_FUNCTION(relu_forward)); },
            .backward = [](StepList& b,
                           const Site& at) { add_elementwise_backward(b, at, at.y(), BYHAND_FUNCTION(relu_backward)); },
            .ranges = [](ValueRanges& ranges, const Site& at) { ranges[at.y()] = kNotNegative; },
            .kinks = [](Kinks& kinks, const Site& at) { kinks[at.x()] = Kink::at_zero; },
            .glossary = kRows};
}

extern HandOperation leaky_relu_operation() {
    static const std::vector kRows = {
        hpreact_row("The gradient goes through as hpreact did: times 1 above 0, times the slope elsewhere.")};
    return {.op = op::kLeakyRelu,
            .forward = leaky_forward,
            .backward = leaky_backward,
            .kinks = [](Kinks& kinks, const Site& at) { kinks[at.x()] = Kink::at_zero; },
            .glossary = kRows};
}

}  // namespace byhand
