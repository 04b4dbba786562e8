// The hand-written networks and LibTorch's over real batches, tensor by tensor, step by step.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/side.h"
#include "harness/compare.h"

namespace byhand {

// A hand-written network that is compared.
struct Contestant {
    std::string model;  // "stepwise", "collapsed", "fused"
    std::unique_ptr<Side> side;
    // Whether it has every value of the stepwise witness. Otherwise what it has is compared, and it must have the loss,
    // the logits, every parameter's gradient and every new_X.
    bool keeps_everything = false;
};

// What they are held against.
struct Witnesses {
    std::unique_ptr<Side> stepwise;  // every value, float
    std::unique_ptr<Side> module;    // what a torch::nn module has, float
    std::unique_ptr<Side> oracle;    // every value, double
};

struct ComparedTensor {
    std::string model;
    std::string witness;  // "stepwise" or "module"
    TensorResult result;
};

struct ComparedStep {
    std::size_t step = 0;
    double loss_manual = 0;  // of the first contestant
    double loss_torch = 0;
    std::vector<ComparedTensor> tensors;
};

struct Schedule {
    std::size_t steps = 1;
    std::size_t every = 1;  // compare each K-th step, and the last
    bool drift = false;     // each side goes on with its own state; else all with the stepwise witness's
    std::function<Batch(std::size_t step)> batch;
    std::function<float(std::size_t step)> rate;
};

// Runs all sides from `state` (a table equal to state(config)) and hands each compared step to `visit`. After the
// last step the sides still hold its values.
void run_comparison(const NetworkConfig& config, const Tensors<float>& state, const Schedule& schedule,
                    std::vector<Contestant>& contestants, Witnesses& witnesses,
                    const std::function<void(const ComparedStep&)>& visit);

// All tensors of one contestant against one witness; `oracle` may be empty. Exposed for tests.
std::vector<ComparedTensor> compare_views(const NetworkConfig& config, const std::string& model, bool keeps_everything,
                                          const std::vector<View>& ours, const std::string& witness,
                                          const std::vector<View>& theirs, const std::vector<View>& oracle);

}  // namespace byhand
