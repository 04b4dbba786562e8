// Mistakes in SGD with momentum, Nesterov's look-ahead and weight decay, and in AdamW.
#include <cmath>
#include <tuple>

#include "base/value.h"
#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

// The last step that this function makes of a W; AdamW's averages have one each of mhat and vhat, which differ in the
// role.
Find of_W(const std::string& function, const std::string& role = "") {
    return [=](Network& network) { return last_of(network, function, "W", role); };
}

float decay_of(const NetworkConfig& config) {
    return static_cast<float>(config.optimizer.weight_decay);
}
float epsilon_of(const NetworkConfig& config) {
    return static_cast<float>(config.optimizer.epsilon);
}
float mu(const Setting& setting) {
    return static_cast<float>(setting.config.optimizer.momentum);
}

// λ·p into the gradient that both averages read, and none beside them.
Names decays_by_gradient(Network& network) {
    Step* const mean = of_W("moment_mean")(network);
    Step* const square = of_W("moment_square")(network);
    Step* const update = of_W("adamw_descend")(network);
    if (mean == nullptr || decay_of(network.config) == 0) {
        return {};
    }
    for (const auto& [step, beta, is_square] : {std::tuple{mean, network.config.optimizer.beta1, false},
                                                std::tuple{square, network.config.optimizer.beta2, true}}) {
        step->reads.push_back(update->reads[0]);
        makes([=, b = static_cast<float>(beta)](const Element& x) {
            const float g = x(1) + decay_of(x.config) * x(2);
            return b * x(0) + (1 - b) * (is_square ? g * g : g);
        })(network, *step);
    }
    makes([](const Element& x) { return x(0) - x.only(3) * x(1) / (std::sqrt(x(2)) + epsilon_of(x.config)); })(network,
                                                                                                               *update);
    return {mean->makes, square->makes, update->makes};
}

// Sets the parameter to formula(p, step, rate, λ), `step` being m̂/(√v̂ + ε). Not applied without weight decay.
Edit other_decay(float (*formula)(float p, float step, float rate, float decay)) {
    return when([](const Setting& setting) { return decay_of(setting.config) != 0; }, makes([=](const Element& x) {
                    const float by = x(1) / (std::sqrt(x(2)) + epsilon_of(x.config));
                    return formula(x(0), by, x.only(3), decay_of(x.config));
                }));
}

}  // namespace

std::vector<Mistake> optimizer_mistakes() {
    return {
        at(of_W("l2_gradient"), "sgd-decay-sign", "the decay subtracted from the gradient: weights grow",
           "deeppy 17: https://github.com/andersbll/deeppy/issues/17",
           makes([](const Element& x) { return x(0) - decay_of(x.config) * x(1); })),
        at(of_W("momentum_update"), "momentum-buffer-reset", "the momentum buffer zeroed at every step",
           "pytorch_optimizer 516: https://github.com/kozistr/pytorch_optimizer/pull/516",
           makes([](float, float g) { return g; })),
        at(of_W("momentum_update"), "momentum-dampened", "(1 − μ)·g into the buffer, where PyTorch adds g",
           "mlx 87: https://github.com/ml-explore/mlx/pull/87",
           makes([](const Element& x) { return mu(x) * x(0) + (1 - mu(x)) * x(1); })),
        at(of_W("nesterov_lookahead"), "nesterov-sign", "g − μ·v for g + μ·v",
           "Paddle 12231: https://github.com/PaddlePaddle/Paddle/pull/12231",
           makes([](const Element& x) { return x(0) - mu(x) * x(1); })),
        at(of_W("nesterov_lookahead"), "nesterov-old-momentum", "the look-ahead by the buffer before its update",
           "mlx 87, caught in review: https://github.com/ml-explore/mlx/pull/87",
           [](Network&, Step& step) { return reads_instead(step, 1, without_kind(step.reads[1])); }),

        {"adamw-decay-into-gradient", "λ·p into the gradient that the averages read: L2 in place of decoupled decay",
         "nntrainer 3565: https://github.com/nntrainer/nntrainer/pull/3565", decays_by_gradient},
        at(of_W("adamw_descend"), "adamw-decay-after-step", "the decay of the parameter that has moved already",
           "Stanford CS336, assignment 1: https://github.com/stanford-cs336/assignment1-basics/issues/54",
           other_decay([](float p, float step, float rate, float decay) {
               const float moved = p - rate * step;
               return moved - rate * decay * moved;
           })),
        at(of_W("adamw_descend"), "adamw-decay-without-rate", "λ·p without the learning rate, which PyTorch has",
           "tensorflow addons 2282: https://github.com/tensorflow/addons/issues/2282",
           other_decay([](float p, float step, float rate, float decay) { return p - rate * step - decay * p; })),
        at(of_W("adamw_descend"), "adamw-decay-constant", "rate·λ subtracted, not times the parameter",
           "torchopt 14: https://github.com/e-sensing/torchopt/pull/14",
           other_decay([](float p, float step, float rate, float decay) { return p - rate * step - rate * decay; })),
        at(of_W("moment_unbiased", "mhat"), "adam-no-bias-correction", "the mean of gradients as it is",
           "mlx 1640: https://github.com/ml-explore/mlx/pull/1640", makes_first_read),
        at(of_W("moment_unbiased", "vhat"), "adam-bias-correction-multiplied", "v·(1 − β2^t) for v/(1 − β2^t)",
           "convnetjs 70: https://github.com/karpathy/convnetjs/pull/70",
           makes([](const Element& x) { return x(0) * x.only(1); })),
        at("bias_correction", "adam-bias-correction-no-power", "1 − β1 for 1 − β1^t",
           "ML-From-Scratch 35, a question: https://github.com/eriklindernoren/ML-From-Scratch/issues/35",
           when([](const Setting& setting) { return static_cast<float>(setting.config.optimizer.beta1) != 0; },
                makes([](const Element& x) { return 1 - static_cast<float>(x.config.optimizer.beta1); }))),
        at("step_counted", "adam-step-never-counted", "t is not counted: no correction, or the first one for ever",
           "OLMo-core 317: https://github.com/allenai/OLMo-core/pull/317", makes_first_read),
    };
}

std::vector<Mistake> optimizer_data_mistakes() {
    return {
        at(of_W("adamw_descend"), "adam-epsilon-inside-root", "√(v̂ + ε) for √v̂ + ε: another size for small gradients",
           "Flux.jl 448: https://github.com/FluxML/Flux.jl/pull/448", makes([](const Element& x) {
               const float rate = x.only(3);
               return (1 - rate * decay_of(x.config)) * x(0) - rate * (x(1) / std::sqrt(x(2) + epsilon_of(x.config)));
           })),
    };
}

}  // namespace byhand::planting
