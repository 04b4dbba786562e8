#include <ATen/TensorOperators.h>

#include <cmath>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

const std::string kCount = update_of(kept::kStepCount);
constexpr const char *kMeanCorrection = "new_correction1", *kSquareCorrection = "new_correction2";

std::string made(const char* role, const TensorSpec& p) {
    return update_of(of_parameter(role, p.name));
}

void sgd(TorchSteps& steps, const TensorSpec& p, const OptimizerConfig& optimizer) {
    const double decay = optimizer.weight_decay, mu = optimizer.momentum;
    std::string gradient = gradient_of(p.name);
    if (decay > 0) {
        add(steps, made("l2grad", p), p.shape, {gradient, p.name},
            [decay](TensorReads r) { return r[0].add(r[1], decay); });
        gradient = steps.back().makes;
    }
    if (mu > 0) {
        const std::string momentum = made(kept::kMomentum, p);
        add(steps, momentum, p.shape, {of_parameter(kept::kMomentum, p.name), gradient},
            [mu](TensorReads r) { return r[0].mul(mu).add(r[1]); });
        if (optimizer.nesterov) {
            add(steps, made("lookahead", p), p.shape, {gradient, momentum},
                [mu](TensorReads r) { return r[0].add(r[1], mu); });
        }
        gradient = steps.back().makes;
    }
    add(steps, update_of(p.name), p.shape, {p.name, gradient, "rate"},
        [](TensorReads r) { return r[0] - r[2] * r[1]; });
}

// 1 − β^t. (torch::optim::AdamW computes it with pow in double, which loses too many digits for a reference in double.)
void correction(TorchSteps& steps, const char* name, double beta) {
    add(steps, name, {}, {kCount}, [beta](TensorReads r) { return r[0].mul(std::log(beta)).expm1().neg(); });
}

void adamw(TorchSteps& steps, const TensorSpec& p, const OptimizerConfig& optimizer) {
    const std::string gradient = gradient_of(p.name), mean = made(kept::kMean, p), square = made(kept::kSquare, p);
    const auto unbiased = [](TensorReads r) { return r[0] / r[1]; };
    add(steps, mean, p.shape, {of_parameter(kept::kMean, p.name), gradient},
        [beta = optimizer.beta1](TensorReads r) { return r[0].mul(beta).add(r[1], 1 - beta); });
    add(steps, square, p.shape, {of_parameter(kept::kSquare, p.name), gradient},
        [beta = optimizer.beta2](TensorReads r) { return r[0].mul(beta).addcmul(r[1], r[1], 1 - beta); });
    add(steps, made("mhat", p), p.shape, {mean, kMeanCorrection}, unbiased);
    add(steps, made("vhat", p), p.shape, {square, kSquareCorrection}, unbiased);
    add(steps, update_of(p.name), p.shape, {p.name, made("mhat", p), made("vhat", p), "rate"},
        [decay = optimizer.weight_decay, epsilon = optimizer.epsilon](TensorReads r) {
            const at::Tensor decayed = r[0] * (1 - r[3] * decay);
            return decayed - r[3] * (r[1] / r[2].sqrt().add(epsilon));
        });
}

}  // namespace

TorchSteps optimizer_steps(const NetworkConfig& config) {
    const OptimizerConfig& optimizer = config.optimizer;
    const bool is_adamw = optimizer.kind == OptimizerKind::adamw;
    TorchSteps steps;
    if (is_adamw) {
        add(steps, kCount, {}, {kept::kStepCount}, [](TensorReads r) { return r[0] + 1; });
        correction(steps, kMeanCorrection, optimizer.beta1);
        correction(steps, kSquareCorrection, optimizer.beta2);
    }
    for (const TensorSpec& p : parameters(config)) {
        (is_adamw ? adamw : sgd)(steps, p, optimizer);
    }
    return steps;
}

}  // namespace byhand::torch_ref
