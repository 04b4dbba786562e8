#include "byhand/rounded.h"
#include "manual/operation.h"
#include "manual/rmsnorm/formulas.h"

namespace byhand {
namespace {

// The normalised value before γ; without it, the norm's result.
std::string raw(const Site& at) {
    return at.operation.norm.affine ? at.made("rmsraw") : at.y();
}

void forward(StepList& f, const Site& at) {
    const NormConfig& norm = at.operation.norm;
    const std::size_t n = at.rows, H = at.operation.layer.outputs;
    const auto v = [&at](const char* name) { return at.made(name); };
    add(f, v("rmssquare"), {n, H}, {at.x()}, BYHAND_FUNCTION(row_square), n * H);
    add(f, v("rmsmean"), {n}, {v("rmssquare")}, BYHAND_FUNCTION(row_mean), n, H);
    add(f, v("rms_inv"), {n}, {v("rmsmean")}, BYHAND_FUNCTION(row_inverse_root), n, norm.epsilon);
    add(f, raw(at), {n, H}, {at.x(), v("rms_inv")}, BYHAND_FUNCTION(row_normalise), n, H);
    if (norm.affine) {
        add(f, at.y(), {n, H}, {raw(at), at.value("rmsgain")}, BYHAND_FUNCTION(row_norm_scale), n, H);
    }
}

void in_small_steps(StepList& b, const Site& at) {
    const std::size_t n = at.rows, H = at.operation.layer.outputs;
    const auto v = [&at](const char* name) { return at.made(name); };
    const std::string draw = gradient_of(raw(at));
    add(b, v("drms_inv"), {n}, {draw, at.x()}, BYHAND_FUNCTION(row_normalise_backward), n, H);
    add(b, v("drmsmean"), {n}, {v("drms_inv"), v("rmsmean")}, BYHAND_FUNCTION(row_inverse_root_backward), n,
        at.operation.norm.epsilon);
    add(b, v("drmssquare"), {n, H}, {v("drmsmean")}, BYHAND_FUNCTION(row_mean_backward), n, H);
    add(b, at.dx(), {n, H}, {draw, v("rms_inv"), v("drmssquare"), at.x()}, BYHAND_FUNCTION(row_square_backward), n, H);
}

void backward(StepList& b, const Site& at) {
    const std::size_t n = at.rows, H = at.operation.layer.outputs;
    if (at.operation.norm.affine) {
        add(b, at.value("drmsgain"), {H}, {at.dy(), raw(at)}, BYHAND_FUNCTION(batchnorm_gain_backward), n, H);
        add(b, gradient_of(raw(at)), {n, H}, {at.dy(), at.value("rmsgain")}, BYHAND_FUNCTION(batchnorm_raw_backward), n,
            H);
    }
    if (at.form == HandForm::stepwise) {
        in_small_steps(b, at);
    } else {
        add(b, at.dx(), {n, H}, {gradient_of(raw(at)), raw(at), at.made("rms_inv")}, BYHAND_FUNCTION(rmsnorm_backward),
            n, H);
    }
}

void ranges(ValueRanges& ranges, const Site& at) {
    ranges[at.made("rmssquare")] = kNotNegative;
    ranges[at.made("rmsmean")] = kVariance;
    ranges[at.made("rms_inv")] = kInverseDeviation;
}

GlossaryRows rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "hprerms",
         .axes = {row, unit},
         .meaning = "the RMS norm's input",
         .rule = "hprerms is used twice, in rmsraw and in its square, and both gradients add up. x² has the derivative "
                 "2x.",
         .collapsed = "The steps of the norm combined: the path through the mean square reduces to one sum over the "
                      "row, of drmsraw·rmsraw."},
        {.value = "rmssquare",
         .axes = {row, unit},
         .meaning = "the square of the norm's input",
         .rule = "It was summed over the row and divided by H: every unit receives the gradient, divided by H."},
        {.value = "rmsmean",
         .axes = {row},
         .meaning = "the mean square of each row over its units",
         .rule = "(x + ε)^(−1/2) has the derivative −½·(x + ε)^(−3/2)."},
        {.value = "rms_inv",
         .axes = {row},
         .meaning = "one over the root of each row's mean square",
         .rule = kMultipliedIntoEveryUnit},
        {.value = "rmsraw",
         .axes = {row, unit},
         .meaning = "the normalised value: a mean square of 1 in each row",
         .rule = "It was multiplied by γ, and so is its gradient."},
        {.value = "rmsgain",
         .axes = {unit},
         .meaning = "the RMS norm's gain γ, a factor for each unit",
         .rule = kMultipliedIntoEveryRow},
    };
    return kRows;
}

}  // namespace

extern HandOperation rmsnorm_operation() {
    return {.op = op::kRmsnorm, .forward = forward, .backward = backward, .ranges = ranges, .glossary = rows()};
}

}  // namespace byhand
