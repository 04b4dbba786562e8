// How a training step changes the parameters, as plain data. What an optimizer keeps from step to step is part of the
// network's state (optimizer_state in network.h).
#pragma once

#include <string>

namespace byhand {

// sgd: dp + λ·p, then momentum and Nesterov's look-ahead, as torch::optim::SGD. adamw: two moments with bias
// correction, and λ decoupled from them, as torch::optim::AdamW. λ, the weight decay, is that of every parameter.
enum class OptimizerKind { sgd, adamw };

struct OptimizerConfig {
    OptimizerKind kind = OptimizerKind::sgd;
    double weight_decay = 0;
    // Of sgd: μ in [0, 1]; nesterov requires one above 0.
    double momentum = 0;
    bool nesterov = false;
    // Of adamw: the weights of the old in its two averages, in [0, 1), and ε > 0 beside the root.
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

    bool operator==(const OptimizerConfig&) const = default;
};

// What LibTorch's AdamW takes for λ by default; its SGD takes 0.
inline constexpr double kAdamwDecay = 0.01;

// Whether a step is p − rate·dp and nothing more.
inline bool is_plain(const OptimizerConfig& optimizer) {
    return optimizer.kind == OptimizerKind::sgd && optimizer.weight_decay == 0 && optimizer.momentum == 0;
}

// What optimizers keep, by LibTorch's names: of each parameter ("exp_avg_W1", of its shape), and of adamw the number of
// steps that were made.
namespace kept {
inline constexpr const char* kMomentum = "momentum";
inline constexpr const char* kMean = "exp_avg";
inline constexpr const char* kSquare = "exp_avg_sq";
inline constexpr const char* kStepCount = "step_count";
}  // namespace kept

}  // namespace byhand
