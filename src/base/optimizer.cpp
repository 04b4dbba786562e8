#include "base/optimizer.h"

#include "base/network.h"
#include "base/value.h"

namespace byhand {

std::vector<TensorSpec> optimizer_state(const NetworkConfig& config) {
    const OptimizerConfig& optimizer = config.optimizer;
    std::vector<TensorSpec> specs;
    const auto keep = [&](const char* role, const TensorSpec& p) {
        specs.push_back({of_parameter(role, p.name), p.shape});
    };
    for (const TensorSpec& p : parameters(config)) {
        if (optimizer.kind == OptimizerKind::adamw) {
            keep(kept::kMean, p);
            keep(kept::kSquare, p);
        } else if (optimizer.momentum > 0) {
            keep(kept::kMomentum, p);
        }
    }
    if (optimizer.kind == OptimizerKind::adamw) {
        specs.push_back({kept::kStepCount, {}});
    }
    return specs;
}

}  // namespace byhand
