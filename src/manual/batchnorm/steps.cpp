#include "byhand/rounded.h"
#include "manual/batchnorm/formulas.h"
#include "manual/operation.h"

namespace byhand {
namespace {

// The normalised value before γ and β; without them, the norm's result.
std::string raw(const Site& at) {
    return at.operation.norm.affine ? at.value("bnraw") : at.y();
}

void forward(StepList& f, const Site& at) {
    const NormConfig& norm = at.operation.norm;
    const std::size_t n = at.rows, H = at.operation.layer.outputs;
    const auto v = [&at](const char* name) { return at.value(name); };
    add(f, v("bnmeani"), {H}, {at.x()}, BYHAND_FUNCTION(batchnorm_mean), n, H, at.batch_rows);
    add(f, v("bndiff"), {n, H}, {at.x(), v("bnmeani")}, BYHAND_FUNCTION(batchnorm_difference), n, H);
    if (at.form == HandForm::fused) {
        add(f, v("bnvar"), {H}, {v("bndiff")}, BYHAND_FUNCTION(batchnorm_variance_of_differences), n, H, at.batch_rows,
            norm.batch_divisor);
    } else {
        add(f, v("bndiff2"), {n, H}, {v("bndiff")}, BYHAND_FUNCTION(batchnorm_square), n * H);
        add(f, v("bnvar"), {H}, {v("bndiff2")}, BYHAND_FUNCTION(batchnorm_variance), n, H, at.batch_rows,
            norm.batch_divisor);
    }
    add(f, v("bnvar_inv"), {H}, {v("bnvar")}, BYHAND_FUNCTION(batchnorm_inverse_deviation), H, norm.epsilon,
        norm.epsilon_place);
    add(f, raw(at), {n, H}, {v("bndiff"), v("bnvar_inv")}, BYHAND_FUNCTION(batchnorm_normalise), n, H);
    if (norm.affine) {
        add(f, at.y(), {n, H}, {raw(at), v("bngain"), v("bnbias")}, BYHAND_FUNCTION(batchnorm_scale_shift), n, H);
    }
}

void in_small_steps(StepList& b, const Site& at) {
    const NormConfig& norm = at.operation.norm;
    const std::size_t n = at.rows, H = at.operation.layer.outputs;
    const auto v = [&at](const char* name) { return at.value(name); };
    const std::string draw = gradient_of(raw(at));
    add(b, v("dbnvar_inv"), {H}, {draw, v("bndiff")}, BYHAND_FUNCTION(batchnorm_inverse_deviation_backward), n, H);
    add(b, v("dbnvar"), {H}, {v("dbnvar_inv"), v("bnvar")}, BYHAND_FUNCTION(batchnorm_variance_backward), H,
        norm.epsilon, norm.epsilon_place);
    add(b, v("dbndiff2"), {n, H}, {v("dbnvar")}, BYHAND_FUNCTION(batchnorm_square_sum_backward), n, H, at.batch_rows,
        norm.batch_divisor);
    add(b, v("dbndiff"), {n, H}, {draw, v("bnvar_inv"), v("dbndiff2"), v("bndiff")},
        BYHAND_FUNCTION(batchnorm_difference_backward), n, H);
    add(b, v("dbnmeani"), {H}, {v("dbndiff")}, BYHAND_FUNCTION(batchnorm_mean_backward), n, H);
    add(b, at.dx(), {n, H}, {v("dbndiff"), v("dbnmeani")}, BYHAND_FUNCTION(batchnorm_input_backward), n, H,
        at.batch_rows);
}

void in_one_line(StepList& b, const Site& at) {
    const NormConfig& norm = at.operation.norm;
    add(b, at.dx(), at.wide(), {gradient_of(raw(at)), raw(at), at.value("bnvar_inv"), at.value("bnvar")},
        BYHAND_FUNCTION(batchnorm_backward), at.rows, at.operation.layer.outputs, norm.batch_divisor, norm.epsilon,
        norm.epsilon_place);
}

void by_gradients_of_gain_and_bias(StepList& b, const Site& at) {
    const NormConfig& norm = at.operation.norm;
    add(b, at.dx(), at.wide(),
        {at.dy(), at.value("dbngain"), at.value("dbnbias"), raw(at), at.value("bngain"), at.value("bnvar_inv"),
         at.value("bnvar")},
        BYHAND_FUNCTION(batchnorm_affine_backward), at.rows, at.operation.layer.outputs, at.batch_rows,
        norm.batch_divisor, norm.epsilon, norm.epsilon_place);
}

void backward(StepList& b, const Site& at) {
    const std::size_t n = at.rows, H = at.operation.layer.outputs;
    if (at.operation.norm.affine) {
        add(b, at.value("dbngain"), {H}, {at.dy(), raw(at)}, BYHAND_FUNCTION(batchnorm_gain_backward), n, H);
        add(b, at.value("dbnbias"), {H}, {at.dy()}, BYHAND_FUNCTION(batchnorm_bias_backward), n, H);
        if (at.form == HandForm::fused || (at.form == HandForm::collapsed && at.is_part())) {
            by_gradients_of_gain_and_bias(b, at);
            return;
        }
        add(b, gradient_of(raw(at)), {n, H}, {at.dy(), at.value("bngain")}, BYHAND_FUNCTION(batchnorm_raw_backward), n,
            H);
    }
    at.form == HandForm::stepwise || at.is_part() ? in_small_steps(b, at) : in_one_line(b, at);
}

void evaluation(StepList& e, const Site& at) {
    const NormConfig& norm = at.operation.norm;
    const std::size_t n = at.rows, H = at.operation.layer.outputs;
    const std::string mean = at.value("bnmean_running"), spread = at.value("bnvar_running");
    if (norm.affine) {
        add(e, at.y(), {n, H}, {at.x(), mean, spread, at.value("bngain"), at.value("bnbias")},
            BYHAND_FUNCTION(batchnorm_evaluate), n, H, norm.epsilon, norm.epsilon_place, norm.running_spread);
    } else {
        add(e, at.y(), {n, H}, {at.x(), mean, spread}, BYHAND_FUNCTION(batchnorm_evaluate_raw), n, H, norm.epsilon,
            norm.epsilon_place, norm.running_spread);
    }
}

void update(StepList& u, const Site& at) {
    const NormConfig& norm = at.operation.norm;
    const std::size_t H = at.operation.layer.outputs;
    const std::string mean = at.value("bnmean_running"), spread = at.value("bnvar_running");
    add(u, update_of(mean), {H}, {mean, at.value("bnmeani")}, BYHAND_FUNCTION(running_mean_update), H, norm.momentum);
    add(u, update_of(spread), {H}, {spread, at.value("bnvar")}, BYHAND_FUNCTION(running_spread_update), H,
        at.batch_rows, norm.batch_divisor, norm.running_divisor, norm.running_spread, norm.momentum);
}

void ranges(ValueRanges& ranges, const Site& at) {
    ranges[at.value("bndiff2")] = kNotNegative;
    ranges[at.value("bnvar")] = ranges[at.value("bnvar_running")] = kVariance;
    ranges[at.value("bnvar_inv")] = kInverseDeviation;
}

// A norm after the non-linearity, or on the output, has the same symbols: H0 is its input.
GlossaryRows rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "hprebn",
         .axes = {row, unit},
         .meaning = "the norm's input",
         .symbol = "H0",
         .rule = "hprebn is used twice, in bndiff and in bnmeani, and both gradients add up. A mean passes 1/n of its "
                 "gradient to every row.",
         .collapsed = "The nine steps of the norm combined: the paths through mean and variance reduce to two sums "
                      "over the rows, of dbnraw and of dbnraw·bnraw."},
        {.value = "bnmeani",
         .axes = {unit},
         .meaning = "the mean of each unit over the batch",
         .symbol = "μ",
         .rule = "It was subtracted from every row: the negative sum over the rows."},
        {.value = "bndiff",
         .axes = {row, unit},
         .meaning = "each unit's difference from its mean",
         .symbol = "H0 − μ",
         .rule = "bndiff is used twice, in bnraw and in bndiff2, and both gradients add up. x² has the derivative 2x."},
        {.value = "bndiff2",
         .axes = {row, unit},
         .meaning = "the square of that difference",
         .symbol = "(H0 − μ)²",
         .rule = "It was summed over the rows and divided by D: every row receives the gradient, divided by D."},
        {.value = "bnvar",
         .axes = {unit},
         .meaning = "the variance of each unit over the batch",
         .symbol = "σ²",
         .rule = "(x + ε)^(−1/2) has the derivative −½·(x + ε)^(−3/2)."},
        {.value = "bnvar_inv",
         .axes = {unit},
         .meaning = "one over the standard deviation of each unit",
         .symbol = "1/√(σ²+ε)",
         .rule = kMultipliedIntoEveryRow},
        {.value = "bnraw",
         .axes = {row, unit},
         .meaning = "the normalised value: mean 0 and standard deviation 1 over the batch",
         .symbol = "HN",
         .rule = "It was multiplied by γ, and so is its gradient."},
        {.value = "bngain",
         .axes = {unit},
         .meaning = "the norm's gain γ, a factor for each unit",
         .symbol = "γ",
         .rule = kMultipliedIntoEveryRow},
        {.value = "bnbias",
         .axes = {unit},
         .meaning = "the norm's bias β, added to each unit",
         .symbol = "β",
         .rule = kAddedToEveryRow},
        {.value = "bnmean_running",
         .axes = {unit},
         .meaning = "the mean of each unit in evaluation, a moving average over the batches"},
        {.value = "bnvar_running",
         .axes = {unit},
         .meaning =
             "the variance (or standard deviation) of each unit in evaluation, a moving average over the batches"},
    };
    return kRows;
}

}  // namespace

extern HandOperation batchnorm_operation() {
    return {.op = op::kBatchnorm,
            .forward = forward,
            .backward = backward,
            .evaluation = evaluation,
            .update = update,
            .ranges = ranges,
            .glossary = rows()};
}

}  // namespace byhand
