#include "manual/glossary.h"
#include "manual/operation.h"
#include "manual/tanh/formulas.h"
#include "steps/rounded.h"

namespace byhand {
namespace {

void forward(StepList& f, const Site& at) {
    add(f, at.y(), at.wide(), {at.x()}, BYHAND_FUNCTION(tanh_forward), count(at.wide()));
}

void backward(StepList& b, const Site& at) {
    add(b, at.dx(), at.wide(), {at.dy(), at.y()}, BYHAND_FUNCTION(tanh_backward), count(at.wide()));
}

void ranges(ValueRanges& ranges, const Site& at) {
    ranges[at.y()] = kTanhRange;
}

}  // namespace

HandOperation tanh_operation() {
    return {.op = op::kTanh, .forward = forward, .backward = backward, .ranges = ranges, .glossary = tanh_rows()};
}

}  // namespace byhand
