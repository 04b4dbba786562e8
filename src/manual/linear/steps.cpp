#include "byhand/rounded.h"
#include "manual/linear/formulas.h"
#include "manual/operation.h"

namespace byhand {
namespace {

void forward(StepList& f, const Site& at) {
    const Layer& layer = at.operation.layer;
    const std::size_t n = at.rows, in = layer.inputs, out = layer.outputs;
    if (layer.is_tied && layer.has_bias) {
        add(f, at.y(), {n, out}, {at.x(), "C", layer.b()}, BYHAND_FUNCTION(tied_linear_forward), n, in, out);
    } else if (layer.is_tied) {
        add(f, at.y(), {n, out}, {at.x(), "C"}, BYHAND_FUNCTION(tied_matmul_forward), n, in, out);
    } else if (layer.has_bias) {
        add(f, at.y(), {n, out}, {at.x(), layer.W(), layer.b()}, BYHAND_FUNCTION(linear_forward), n, in, out);
    } else {
        add(f, at.y(), {n, out}, {at.x(), layer.W()}, BYHAND_FUNCTION(matmul_forward), n, in, out);
    }
}

void backward(StepList& b, const Site& at) {
    const Layer& layer = at.operation.layer;
    const std::size_t n = at.rows, in = layer.inputs, out = layer.outputs;
    if (layer.is_tied) {
        add(b, at.dx(), {n, in}, {at.dy(), "C"}, BYHAND_FUNCTION(tied_input_backward), n, in, out);
        add(b, gradient_of("C"), {out, in}, {at.dy(), at.x()}, BYHAND_FUNCTION(tied_weight_backward), n, in, out);
    } else {
        add(b, at.dx(), {n, in}, {at.dy(), layer.W()}, BYHAND_FUNCTION(linear_input_backward), n, in, out);
        add(b, gradient_of(layer.W()), {in, out}, {at.x(), at.dy()}, BYHAND_FUNCTION(linear_weight_backward), n, in,
            out);
    }
    if (layer.has_bias) {
        add(b, gradient_of(layer.b()), {out}, {at.dy()}, BYHAND_FUNCTION(linear_bias_backward), n, out);
    }
}

GlossaryRows rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "h", .axes = {row, unit}, .meaning = "the layer's result", .symbol = "Ha", .rule = kLeftFactor},
        {.value = "W",
         .axes = {input, unit},
         .meaning = "the layer's weights, from each input to each unit",
         .symbol = "W",
         .rule = "In a matrix product, the right factor's gradient is the transposed left factor times the result's "
                 "gradient: this sums over the rows of the batch."},
        {.value = "b",
         .axes = {unit},
         .meaning = "the layer's biases, one for each unit",
         .symbol = "b",
         .rule = kAddedToEveryRow},
    };
    return kRows;
}

}  // namespace

extern HandOperation linear_operation() {
    return {.op = op::kLinear, .forward = forward, .backward = backward, .glossary = rows()};
}

}  // namespace byhand
