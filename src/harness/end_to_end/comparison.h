// The hand-written networks and LibTorch's over real batches, tensor by tensor, step by step.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/reference_operations.h"
#include "harness/end_to_end/compare_views.h"
#include "harness/isolated/isolated.h"
#include "harness/limits/monte_carlo.h"

namespace byhand {

// The limits and step inputs of training steps, for comparisons that run the same ones again and again: by a hash of
// the step's number, the state that it begins with, the batch and the rate.
struct Memo {
    std::map<std::uint64_t, Limits> limits;
    std::map<std::uint64_t, StepInputs> inputs;
};

// A network as the chain's limits are measured with it (see limits/monte_carlo.h).
struct ChainModel {
    Graph graph;
    MonteCarloConfig monte_carlo;
    Memo* memo = nullptr;  // shared by comparisons with this model alone; may be null
};

// A network that is compared.
struct Candidate {
    std::string model;  // "stepwise", "collapsed", "fused"
    std::unique_ptr<Implementation> implementation;
    Coverage coverage = Coverage::required;
    // Its steps, or the pieces of it that can be run in isolation, and what they are judged by.
    Graph steps;
    Isolation isolation;
    const ReferenceOperations* reference_operations = nullptr;
    // What its isolated steps have shown already, on the first compared training step; else they are run.
    std::vector<IsolatedStep> judged = {};
    // Adds to the isolated steps what else is known of those of the last run. May be empty.
    std::function<void(std::vector<IsolatedStep>&)> also = {};
    // Where its formulas round otherwise than the stepwise network's: its own lists. (Softmax minus one-hot cancels
    // where the small steps do not.)
    const ChainModel* chain = nullptr;
    // For external values: there is nothing to run, and each is judged by the other external values, in each of
    // the forms that may have computed it. `steps` says what reads what. The wider of their limits in the
    // chain counts: those of `chain` and those of the comparison.
    std::vector<Form> forms = {};
    // With `forms`: it was computed in double, and the chain's limits are double's, unless some of its values are no
    // more than floats (computed_in_double in judge_external.h).
    bool in_double = false;
};

// What they are held against.
struct ReferenceImplementations {
    std::unique_ptr<Implementation> stepwise;  // every value, float
    std::unique_ptr<Implementation> module;    // what a torch::nn module has, float
    std::unique_ptr<Implementation> oracle;    // every value, double
};

struct Schedule {
    std::size_t steps = 1;
    std::size_t every = 1;  // compare each K-th step, and the last
    std::size_t from = 0;   // but none before this one
    // Each implementation goes on with its own state; else all with the stepwise reference's. What is judged is then
    // the fresh error of each step, against an oracle that begins it where the hand-written network does.
    bool drift = false;
    // For a report that shows it: look at each value element by element, and at the mistakes that people make in a
    // culprit's step.
    bool pictures = false;
    std::function<Batch(std::size_t step)> batch;
    std::function<float(std::size_t step)> rate;
};

// Runs all implementations from `state` (a table equal to state(config)) and hands each compared step to `visit`. After
// the last step they still hold its values. The chain's limits are those of `chain`, save for candidates that have
// their own.
void run_comparison(const NetworkConfig& config, const Tensors<float>& state, const Schedule& schedule,
                    std::vector<Candidate>& candidates, ReferenceImplementations& reference, const ChainModel& chain,
                    const std::function<void(const ComparedStep&)>& visit);

}  // namespace byhand
