// What a comparison needs, made from a network: the candidates, the references and the limits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "harness/end_to_end/comparison.h"
#include "harness/external/external_implementation.h"
#include "harness/faults/mistakes.h"
#include "torch_ref/torch_ref.h"

namespace byhand {

// LibTorch's side of it.
struct Reference {
    std::shared_ptr<const ReferenceOperations> stepwise, collapsed, fused;
    std::shared_ptr<Battery> stepwise_battery, collapsed_battery, fused_battery;  // null where it is quick
    ReferenceImplementations implementations;
    ChainModel chain, collapsed_chain;
};
// `seed`: of the probes, and of the runs by which the chain's limits are measured. `quick`: without the battery.
Reference reference_of(const torch_ref::Factory& torch, const NetworkConfig& network, std::size_t rows,
                       std::uint64_t seed, bool quick = false);

// "stepwise", "collapsed" or "fused", with the steps of it that can be run alone. The reference must outlive it.
Candidate candidate_of(const std::string& model, const NetworkConfig& network, std::size_t rows,
                       const Reference& reference);

// External values, as ExternalImplementation takes them. The reference must outlive it.
Candidate candidate_of(std::unique_ptr<ExternalImplementation> given, const NetworkConfig& network, std::size_t rows,
                       const Reference& reference);

// The stepwise network with a mistake in it, and the names that are to blame: empty where it has no place there.
struct Spoiled {
    Candidate candidate;
    std::vector<std::string> culprits;
};
Spoiled spoiled_by(const Mistake& mistake, const NetworkConfig& network, std::size_t rows, const Reference& reference,
                   const Catches& catches);

// What each isolated step is asked at one training step of LibTorch's from `state`.
StepInputs step_inputs_of(const Reference& reference, const NetworkConfig& network, const Tensors<float>& state,
                          const Batch& batch, float rate);

// The smallest relative error that each step is sure to be caught with, by a run of the right network alone on one step
// of LibTorch's from `state`.
Catches catches_of(const NetworkConfig& network, std::size_t rows, const Reference& reference,
                   const Tensors<float>& state, const Batch& batch, float rate);

}  // namespace byhand
