#include "byhand/rounded.h"
#include "manual/dropout/formulas.h"
#include "manual/elementwise.h"
#include "manual/operation.h"

namespace byhand {
namespace {

void forward(StepList& f, const Site& at) {
    const std::size_t elements = count(at.wide()), first = at.first_row * at.operation.layer.outputs;
    add(f, at.value("keepmask"), at.wide(), {at.value("maskkey")}, BYHAND_FUNCTION(dropout_mask), first, elements,
        at.operation.p);
    add(f, at.y(), at.wide(), {at.x(), at.value("keepmask")}, BYHAND_FUNCTION(dropout_forward), elements);
}

void backward(StepList& b, const Site& at) {
    add(b, at.dx(), at.wide(), {at.dy(), at.value("keepmask")}, BYHAND_FUNCTION(dropout_backward), count(at.wide()));
}

void update(StepList& u, const Site& at) {
    add(u, update_of(at.value("maskkey")), {}, {at.value("maskkey")}, BYHAND_FUNCTION(dropout_key_update));
}

void ranges(ValueRanges& ranges, const Site& at) {
    ranges[at.value("maskkey")] = {.low = 0, .high = kMaskKeys - 1};
    ranges[at.value("keepmask")] = kNotNegative;
}

GlossaryRows rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "hpredrop",
         .axes = {row, unit},
         .meaning = "the layer's result before dropout",
         .rule = "It was multiplied by the mask, and so is its gradient: that of dropped elements is 0."},
        {.value = "keepmask",
         .axes = {row, unit},
         .meaning = "dropout's mask: 0 for dropped elements, 1/(1 − p) for kept ones"},
        {.value = "maskkey", .axes = {}, .meaning = "the key of dropout's mask, which changes with each step"},
    };
    return kRows;
}

}  // namespace

extern HandOperation dropout_operation() {
    return {
        .op = op::kDropout,
        .forward = forward,
        .backward = backward,
        .evaluation = [](StepList& f, const Site& at) { add_elementwise(f, at, BYHAND_FUNCTION(dropout_evaluation)); },
        .update = update,
        .ranges = ranges,
        .glossary = rows()};
}

}  // namespace byhand
