#include "byhand/rounded.h"
#include "manual/layernorm/formulas.h"
#include "manual/operation.h"

namespace byhand {
namespace {

// The normalised value before γ and β; without them, the norm's result.
std::string raw(const Site& at) {
    return at.operation.norm.affine ? at.made("lnraw") : at.y();
}

void forward(StepList& f, const Site& at) {
    const NormConfig& norm = at.operation.norm;
    const std::size_t n = at.rows, H = at.operation.layer.outputs;
    const auto v = [&at](const char* name) { return at.made(name); };
    add(f, v("lnmean"), {n}, {at.x()}, BYHAND_FUNCTION(row_mean), n, H);
    add(f, v("lndiff"), {n, H}, {at.x(), v("lnmean")}, BYHAND_FUNCTION(layernorm_difference), n, H);
    add(f, v("lndiff2"), {n, H}, {v("lndiff")}, BYHAND_FUNCTION(row_square), n * H);
    add(f, v("lnvar"), {n}, {v("lndiff2")}, BYHAND_FUNCTION(row_mean), n, H);
    add(f, v("lnvar_inv"), {n}, {v("lnvar")}, BYHAND_FUNCTION(row_inverse_root), n, norm.epsilon);
    add(f, raw(at), {n, H}, {v("lndiff"), v("lnvar_inv")}, BYHAND_FUNCTION(row_normalise), n, H);
    if (norm.affine) {
        add(f, at.y(), {n, H}, {raw(at), at.value("lngain"), at.value("lnbias")},
            BYHAND_FUNCTION(batchnorm_scale_shift), n, H);
    }
}

void in_small_steps(StepList& b, const Site& at) {
    const std::size_t n = at.rows, H = at.operation.layer.outputs;
    const auto v = [&at](const char* name) { return at.made(name); };
    const std::string draw = gradient_of(raw(at));
    add(b, v("dlnvar_inv"), {n}, {draw, v("lndiff")}, BYHAND_FUNCTION(row_normalise_backward), n, H);
    add(b, v("dlnvar"), {n}, {v("dlnvar_inv"), v("lnvar")}, BYHAND_FUNCTION(row_inverse_root_backward), n,
        at.operation.norm.epsilon);
    add(b, v("dlndiff2"), {n, H}, {v("dlnvar")}, BYHAND_FUNCTION(row_mean_backward), n, H);
    add(b, v("dlndiff"), {n, H}, {draw, v("lnvar_inv"), v("dlndiff2"), v("lndiff")},
        BYHAND_FUNCTION(row_square_backward), n, H);
    add(b, v("dlnmean"), {n}, {v("dlndiff")}, BYHAND_FUNCTION(layernorm_mean_backward), n, H);
    add(b, at.dx(), {n, H}, {v("dlndiff"), v("dlnmean")}, BYHAND_FUNCTION(layernorm_input_backward), n, H);
}

void backward(StepList& b, const Site& at) {
    const std::size_t n = at.rows, H = at.operation.layer.outputs;
    if (at.operation.norm.affine) {
        add(b, at.value("dlngain"), {H}, {at.dy(), raw(at)}, BYHAND_FUNCTION(batchnorm_gain_backward), n, H);
        add(b, at.value("dlnbias"), {H}, {at.dy()}, BYHAND_FUNCTION(batchnorm_bias_backward), n, H);
        add(b, gradient_of(raw(at)), {n, H}, {at.dy(), at.value("lngain")}, BYHAND_FUNCTION(batchnorm_raw_backward), n,
            H);
    }
    if (at.form == HandForm::stepwise) {
        in_small_steps(b, at);
    } else {
        add(b, at.dx(), {n, H}, {gradient_of(raw(at)), raw(at), at.made("lnvar_inv")},
            BYHAND_FUNCTION(layernorm_backward), n, H);
    }
}

void ranges(ValueRanges& ranges, const Site& at) {
    ranges[at.made("lndiff2")] = kNotNegative;
    ranges[at.made("lnvar")] = kVariance;
    ranges[at.made("lnvar_inv")] = kInverseDeviation;
}

GlossaryRows rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "hpreln",
         .axes = {row, unit},
         .meaning = "the layer norm's input",
         .rule = "hpreln is used twice, in lndiff and in lnmean, and both gradients add up. A mean passes 1/H of its "
                 "gradient to every unit of the row.",
         .collapsed = "The steps of the norm combined: the paths through mean and variance reduce to two sums over the "
                      "row, of dlnraw and of dlnraw·lnraw."},
        {.value = "lnmean",
         .axes = {row},
         .meaning = "the mean of each row over its units",
         .rule = "It was subtracted from every unit of the row: the negative sum over the units."},
        {.value = "lndiff",
         .axes = {row, unit},
         .meaning = "each unit's difference from the mean of its row",
         .rule = "lndiff is used twice, in lnraw and in lndiff2, and both gradients add up. x² has the derivative 2x."},
        {.value = "lndiff2",
         .axes = {row, unit},
         .meaning = "the square of that difference",
         .rule = "It was summed over the row and divided by H: every unit receives the gradient, divided by H."},
        {.value = "lnvar",
         .axes = {row},
         .meaning = "the variance of each row over its units",
         .rule = "(x + ε)^(−1/2) has the derivative −½·(x + ε)^(−3/2)."},
        {.value = "lnvar_inv",
         .axes = {row},
         .meaning = "one over the standard deviation of each row",
         .rule = kMultipliedIntoEveryUnit},
        {.value = "lnraw",
         .axes = {row, unit},
         .meaning = "the normalised value: mean 0 and standard deviation 1 in each row",
         .rule = "It was multiplied by γ, and so is its gradient."},
        {.value = "lngain",
         .axes = {unit},
         .meaning = "the layer norm's gain γ, a factor for each unit",
         .rule = kMultipliedIntoEveryRow},
        {.value = "lnbias",
         .axes = {unit},
         .meaning = "the layer norm's bias β, added to each unit",
         .rule = kAddedToEveryRow},
    };
    return kRows;
}

}  // namespace

extern HandOperation layernorm_operation() {
    return {.op = op::kLayernorm, .forward = forward, .backward = backward, .ranges = ranges, .glossary = rows()};
}

}  // namespace byhand
