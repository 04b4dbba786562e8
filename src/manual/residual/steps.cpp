#include "byhand/rounded.h"
#include "manual/operation.h"
#include "manual/residual/formulas.h"

namespace byhand {
namespace {

void forward(StepList& f, const Site& at) {
    add(f, at.y(), at.wide(), {at.x(), at.operation.added}, BYHAND_FUNCTION(residual_forward), count(at.wide()));
}

// The earlier value receives a gradient from every operation that reads it: this is one term of it.
void backward(StepList& b, const Site& at) {
    for (const std::string& term : {at.x(), at.operation.added}) {
        add(b, gradient_of(term), at.wide(), {at.dy()}, BYHAND_FUNCTION(residual_backward), count(at.wide()));
    }
}

GlossaryRows rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "hpreres",
         .axes = {row, unit},
         .meaning = "the layer's result before the residual connection adds an earlier value",
         .rule = "A sum passes its gradient on to each term unchanged."},
    };
    return kRows;
}

}  // namespace

extern HandOperation residual_operation() {
    return {.op = op::kResidual, .forward = forward, .backward = backward, .glossary = rows()};
}

}  // namespace byhand
