#include "manual/optimizer/steps.h"

#include "byhand/rounded.h"
#include "manual/optimizer/formulas.h"

namespace byhand {
namespace {

const std::string kCount = update_of(kept::kStepCount);
constexpr const char *kMeanCorrection = "new_correction1", *kSquareCorrection = "new_correction2";

// The name of an intermediate result for p: "new_mhat_W1".
std::string made(const char* role, const TensorSpec& p) {
    return update_of(of_parameter(role, p.name));
}

void sgd(StepList& steps, const TensorSpec& p, const OptimizerConfig& optimizer) {
    const std::size_t n = count(p.shape);
    std::string gradient = gradient_of(p.name);
    if (optimizer.weight_decay > 0) {
        add(steps, made("l2grad", p), p.shape, {gradient, p.name}, BYHAND_FUNCTION(l2_gradient), n,
            optimizer.weight_decay);
        gradient = steps.back().makes;
    }
    if (optimizer.momentum > 0) {
        const std::string momentum = made(kept::kMomentum, p);
        add(steps, momentum, p.shape, {of_parameter(kept::kMomentum, p.name), gradient},
            BYHAND_FUNCTION(momentum_update), n, optimizer.momentum);
        if (optimizer.nesterov) {
            add(steps, made("lookahead", p), p.shape, {gradient, momentum}, BYHAND_FUNCTION(nesterov_lookahead), n,
                optimizer.momentum);
        }
        gradient = steps.back().makes;
    }
    add(steps, update_of(p.name), p.shape, {p.name, gradient, "rate"}, BYHAND_FUNCTION(descend), n);
}

void adamw(StepList& steps, const TensorSpec& p, const OptimizerConfig& optimizer) {
    const std::size_t n = count(p.shape);
    const std::string gradient = gradient_of(p.name), mean = made(kept::kMean, p), square = made(kept::kSquare, p);
    add(steps, mean, p.shape, {of_parameter(kept::kMean, p.name), gradient}, BYHAND_FUNCTION(moment_mean), n,
        optimizer.beta1);
    add(steps, square, p.shape, {of_parameter(kept::kSquare, p.name), gradient}, BYHAND_FUNCTION(moment_square), n,
        optimizer.beta2);
    add(steps, made("mhat", p), p.shape, {mean, kMeanCorrection}, BYHAND_FUNCTION(moment_unbiased), n);
    add(steps, made("vhat", p), p.shape, {square, kSquareCorrection}, BYHAND_FUNCTION(moment_unbiased), n);
    add(steps, update_of(p.name), p.shape, {p.name, made("mhat", p), made("vhat", p), "rate"},
        BYHAND_FUNCTION(adamw_descend), n, optimizer.weight_decay, optimizer.epsilon);
}

}  // namespace

void optimizer_steps(StepList& steps, const NetworkConfig& config) {
    const OptimizerConfig& optimizer = config.optimizer;
    if (optimizer.kind == OptimizerKind::adamw) {
        add(steps, kCount, {}, {kept::kStepCount}, BYHAND_FUNCTION(step_counted));
        add(steps, kMeanCorrection, {}, {kCount}, BYHAND_FUNCTION(bias_correction), optimizer.beta1);
        add(steps, kSquareCorrection, {}, {kCount}, BYHAND_FUNCTION(bias_correction), optimizer.beta2);
    }
}

void parameter_steps(StepList& steps, const Site& at) {
    const OptimizerConfig& optimizer = at.network.optimizer;
    for (const TensorSpec& p : state_of(at.network, at.operation).parameters) {
        (optimizer.kind == OptimizerKind::adamw ? adamw : sgd)(steps, p, optimizer);
    }
}

void optimizer_ranges(ValueRanges& ranges, const NetworkConfig& config) {
    if (config.optimizer.kind != OptimizerKind::adamw) {
        return;
    }
    constexpr double kMostSteps = 0x1p24;  // the largest count that a float can increment
    ranges[kept::kStepCount] = {0, kMostSteps};
    ranges[kCount] = {1, kMostSteps};
    ranges[kMeanCorrection] = {1 - config.optimizer.beta1, 1};
    ranges[kSquareCorrection] = {1 - config.optimizer.beta2, 1};
    for (const TensorSpec& p : parameters(config)) {
        for (const std::string& name : {of_parameter(kept::kSquare, p.name), made(kept::kSquare, p), made("vhat", p)}) {
            ranges[name] = kNotNegative;
        }
    }
}

// By role: the row of "exp_avg" describes exp_avg_W1.
GlossaryRows optimizer_rows() {
    static const std::vector<GlossaryRow> kRows = {
        {.value = "l2grad",
         .axes = {},
         .meaning = "the parameter's gradient plus the L2 term of the weight decay, λ·p",
         .is_role = true},
        {.value = "momentum",
         .axes = {},
         .meaning = "the momentum buffer: the sum of all gradients, each multiplied by μ in every later step",
         .is_role = true},
        {.value = "lookahead",
         .axes = {},
         .meaning = "Nesterov's direction: the gradient plus μ times the momentum, which already includes it",
         .is_role = true},
        {.value = "step_count", .axes = {}, .meaning = "t: the number of steps that AdamW has made"},
        {.value = "correction1",
         .axes = {},
         .meaning = "1 − β1^t: the sum of the weights in the mean of gradients, which is initially 0"},
        {.value = "correction2",
         .axes = {},
         .meaning = "1 − β2^t: the sum of the weights in the mean of squared gradients, which is initially 0"},
        {.value = "exp_avg",
         .axes = {},
         .meaning = "the first moment: the exponential moving average of the gradient, with β1",
         .is_role = true},
        {.value = "exp_avg_sq",
         .axes = {},
         .meaning = "the second moment: the exponential moving average of the squared gradient, with β2",
         .is_role = true},
        {.value = "mhat", .axes = {}, .meaning = "the first moment without its bias towards 0", .is_role = true},
        {.value = "vhat", .axes = {}, .meaning = "the second moment without its bias towards 0", .is_role = true},
    };
    return kRows;
}

}  // namespace byhand
