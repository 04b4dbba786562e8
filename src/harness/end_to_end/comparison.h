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

// One training step of a network: what it begins with.
struct TrainingStep {
    const Tensors<float>& state;
    Batch batch;
    float rate = 0;
};

// Judges the values of a candidate that nothing here computes, each by the others.
class ExternalJudge {
public:
    virtual ~ExternalJudge() = default;
    // Whether nothing that steps made contradicts that it was computed in double.
    virtual bool all_in_double(const std::vector<View>& ours, const std::vector<View>& oracle) const = 0;
    // What each step shows in isolation. `reference` also has X, Y and rate.
    virtual std::vector<IsolatedStep> judge(const std::vector<View>& ours, const std::vector<View>& reference,
                                            const std::vector<View>& oracle, const Limits& limits) const = 0;
    // Leaves out wrong steps that do not concern the external values.
    virtual void leave_out_unrelated(std::vector<IsolatedStep>& isolated,
                                     const std::vector<ValueReport>& values) const = 0;
    // Adds what is missing to explain the rest, and a known mistake that makes all of the values.
    virtual void complete(ModelReport& report, const std::vector<View>& ours, const TrainingStep& step,
                          const std::vector<View>& oracle, const Limits& limits) const = 0;
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
    // For external values: there is nothing to run. `steps` says what reads what. The wider of their limits in the
    // chain counts: those of `chain` and those of the comparison; they are double's if all was computed in double.
    std::shared_ptr<const ExternalJudge> external = nullptr;
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
    // For a report that shows it: look at each value element by element, and at the known mistakes in a culprit's step.
    bool pictures = false;
    KnownMistakes mistakes = {};
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
