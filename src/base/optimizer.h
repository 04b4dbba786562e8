// The parameter update of a training step, as plain data. An optimizer's state between steps is part of the network's
// state (optimizer_state in network.h).
#pragma once

#include <string>

namespace byhand {

// sgd: dp + λ·p, then momentum and Nesterov's look-ahead, as torch::optim::SGD. adamw: two moments with bias correction
// and decoupled λ, as torch::optim::AdamW. λ, the weight decay, applies to every parameter.
enum class OptimizerKind { sgd, adamw };

struct OptimizerConfig {
    OptimizerKind kind = OptimizerKind::sgd;
    double weight_decay = 0;
    // sgd: μ in [0, 1]; nesterov requires μ > 0.
    double momentum = 0;
    bool nesterov = false;
    // adamw: the weights of the old values in the two averages, in [0, 1), and ε > 0, added to the root.
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

    bool operator==(const OptimizerConfig&) const = default;
};

// The default λ of LibTorch's AdamW; that of its SGD is 0.
inline constexpr double kAdamwDecay = 0.01;

// Whether a step is exactly p − rate·dp.
inline bool is_plain(const OptimizerConfig& optimizer) {
    return optimizer.kind == OptimizerKind::sgd && optimizer.weight_decay == 0 && optimizer.momentum == 0;
}

// The state of optimizers, by LibTorch's names: a tensor per parameter ("exp_avg_W1", of the parameter's shape), and
// for adamw the number of steps made.
namespace kept {
inline constexpr const char* kMomentum = "momentum";
inline constexpr const char* kMean = "exp_avg";
inline constexpr const char* kSquare = "exp_avg_sq";
inline constexpr const char* kStepCount = "step_count";
}  // namespace kept

}  // namespace byhand
