// LibTorch's own optimizers over the module's parameters, with their state under the names of network.h. Only
// module.cpp includes this and network_module.h.
#pragma once

#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"
#include "base/value.h"
#include "torch_ref/bridge.h"
#include "torch_ref/network_module.h"

namespace byhand::torch_ref {

inline std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizerConfig& config,
                                                               std::vector<torch::Tensor> parameters) {
    constexpr double kRate = 0.1;  // until a step sets it
    if (config.kind == OptimizerKind::adamw) {
        return std::make_unique<torch::optim::AdamW>(std::move(parameters),
                                                     torch::optim::AdamWOptions(kRate)
                                                         .betas(std::make_tuple(config.beta1, config.beta2))
                                                         .eps(config.epsilon)
                                                         .weight_decay(config.weight_decay));
    }
    return std::make_unique<torch::optim::SGD>(std::move(parameters), torch::optim::SGDOptions(kRate)
                                                                          .momentum(config.momentum)
                                                                          .nesterov(config.nesterov)
                                                                          .weight_decay(config.weight_decay));
}

class ModuleOptimizer {
public:
    ModuleOptimizer(const OptimizerConfig& config, const Network& network)
        : config_(config), network_(network), optimizer_(make_optimizer(config, network->parameters())) {}

    // Precondition: the parameters have gradients.
    void step(float rate) {
        optimizer_->param_groups().front().options().set_lr(static_cast<double>(rate));
        optimizer_->step();
    }

    // Equivalent to zero_grad(set_to_none = true). The module's own looks up every name, and the optimizer's of
    // LibTorch 1.13 has no such argument.
    void forget_gradients() {
        for (torch::Tensor& parameter : optimizer_->param_groups().front().params()) {
            parameter.mutable_grad().reset();
        }
    }

    void load(const Tensors<float>& from) {
        for_each_tensor([&](auto& state) { state.step(static_cast<std::int64_t>(from[kept::kStepCount][0])); },
                        [&](const TensorSpec& spec, const torch::Tensor& tensor, bool transposed) {
                            torch_ref::load(tensor, transposed, from, spec);
                        });
    }

    void save(Tensors<float>& to) const {
        for_each_tensor([&](const auto& state) { to[kept::kStepCount][0] = static_cast<float>(state.step()); },
                        [&](const TensorSpec& spec, const torch::Tensor& tensor, bool transposed) {
                            torch_ref::save(to, spec, tensor, transposed);
                        });
    }

private:
    // The optimizer's state for a parameter, initialized to 0 if it is empty. A buffer of LibTorch's own starts as the
    // first gradient g, which is equivalent: μ·0 + g.
    template <class State>
    State& state_of(const torch::Tensor& parameter) const {
        auto& all = optimizer_->state();
        using Key = typename std::remove_reference_t<decltype(all)>::key_type;
        const auto key = [&parameter] {
            if constexpr (std::is_same_v<Key, std::string>) {  // LibTorch 1.13: the address as text
                std::ostringstream text;
                text << parameter.unsafeGetTensorImpl();
                return text.str();
            } else {
                return static_cast<void*>(parameter.unsafeGetTensorImpl());
            }
        }();
        if (all.find(key) == all.end()) {
            auto made = std::make_unique<State>();
            const torch::Tensor nothing = torch::zeros_like(parameter).detach();
            if constexpr (std::is_same_v<State, torch::optim::AdamWParamState>) {
                made->exp_avg(nothing);
                made->exp_avg_sq(nothing.clone());
            } else {
                made->momentum_buffer(nothing);
            }
            all[key] = std::move(made);
        }
        return static_cast<State&>(*all.find(key)->second);
    }

    // Calls count(AdamW's state for the parameter) and move(spec, tensor, transposed) for each of the optimizer's
    // tensors.
    template <class Count, class Move>
    void for_each_tensor(Count count, Move move) const {
        for (const NetworkImpl::Slot& slot : network_->slots()) {
            const auto of = [&](const char* role) {
                return TensorSpec{of_parameter(role, slot.spec.name), slot.spec.shape};
            };
            if (!slot.tensor.requires_grad()) {
                continue;
            }
            if (config_.kind == OptimizerKind::adamw) {
                auto& state = state_of<torch::optim::AdamWParamState>(slot.tensor);
                count(state);
                move(of(kept::kMean), state.exp_avg(), slot.transposed);
                move(of(kept::kSquare), state.exp_avg_sq(), slot.transposed);
            } else if (config_.momentum > 0) {
                auto& state = state_of<torch::optim::SGDParamState>(slot.tensor);
                move(of(kept::kMomentum), state.momentum_buffer(), slot.transposed);
            }
        }
    }

    OptimizerConfig config_;
    Network network_;
    std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

}  // namespace byhand::torch_ref
