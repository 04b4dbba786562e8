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
    // How the steps of the right networks are judged. For other steps of the same form, replace judged_at_size.
    Isolation stepwise, collapsed;
    // Makes one for another graph of a form, with a battery of its own.
    std::function<Isolation(HandForm form, const MakeGraph& graph)> isolation;
    ReferenceModels implementations;
    ChainModel chain, collapsed_chain;

    const NetworkConfig& network() const { return chain.graph.config; }
    std::size_t rows() const { return chain.graph.rows; }
};
// `seed`: of the random inputs, and of the runs that measure the end-to-end limits. `quick`: without the battery.
// `mistakes`: by which wrong results are explained.
Reference reference_of(const torch_ref::Factory& torch, const NetworkConfig& network, std::size_t rows,
                       std::uint64_t seed, bool quick = false, KnownMistakes mistakes = {});

// "stepwise" or "collapsed", with those of its steps that can run in isolation. The reference must outlive it.
std::unique_ptr<StepCandidate> candidate_of(const std::string& model, const Reference& reference);

// The inputs of each isolated step at one training step of LibTorch's.
StepInputs step_inputs_of(const Reference& reference, const TrainingStep& step);

}  // namespace byhand
