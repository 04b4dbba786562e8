// Builds the parts of a comparison from a network: the candidates, the references and the limits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "harness/end_to_end/comparison.h"
#include "harness/mistake.h"
#include "torch_ref/torch_ref.h"

namespace byhand {

// The LibTorch part of a comparison.
struct Reference {
    std::shared_ptr<const ReferenceOperations> stepwise, collapsed, fused;
    std::shared_ptr<Battery> stepwise_battery, collapsed_battery;  // null if `quick`
    // The same for another graph of a form.
    std::function<std::shared_ptr<Battery>(HandForm form, const MakeGraph& graph)> battery_of;
    ReferenceModels implementations;
    ChainModel chain, collapsed_chain;
    KnownMistakes mistakes;  // by which wrong results are explained

    const NetworkConfig& network() const { return chain.graph.config; }
    std::size_t rows() const { return chain.graph.rows; }
};
// `seed`: of the random inputs, and of the runs that measure the end-to-end limits. `quick`: without the battery.
Reference reference_of(const torch_ref::Factory& torch, const NetworkConfig& network, std::size_t rows,
                       std::uint64_t seed, bool quick = false, KnownMistakes mistakes = {});

// "stepwise" or "collapsed", with those of its steps that can run in isolation. The reference must outlive it.
Candidate candidate_of(const std::string& model, const Reference& reference);

// The inputs of each isolated step at one training step of LibTorch's.
StepInputs step_inputs_of(const Reference& reference, const TrainingStep& step);

}  // namespace byhand
