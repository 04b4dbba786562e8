// Compares the hand-written networks with LibTorch's on real batches, tensor by tensor, at each training step.
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

// The limits and step inputs of training steps, for comparisons that repeat the same ones. The key is a hash of the
// step's number, its initial state, the batch and the rate.
struct Memo {
    std::map<std::uint64_t, Limits> limits;
    std::map<std::uint64_t, StepInputs> inputs;
};

// The network with which the end-to-end limits are measured (see limits/monte_carlo.h).
struct ChainModel {
    Graph graph;
    MonteCarloConfig monte_carlo;
    Memo* memo = nullptr;  // shared by comparisons with this model only; may be null
};

// The inputs of one training step.
struct TrainingStep {
    const Tensors<float>& state;
    Batch batch;
    float rate = 0;
};

// Judges the external values of a candidate, each by the others.
class ExternalJudge {
public:
    virtual ~ExternalJudge() = default;
    // Whether all values may have been computed in double.
    virtual bool all_in_double(const std::vector<View>& ours, const std::vector<View>& oracle) const = 0;
    // The result of each step in isolation. `reference` also has X, Y and rate.
    virtual std::vector<IsolatedStep> judge(const std::vector<View>& ours, const std::vector<View>& reference,
                                            const std::vector<View>& oracle, const Limits& limits) const = 0;
    // Leaves out wrong steps that do not concern the external values.
    virtual void leave_out_unrelated(std::vector<IsolatedStep>& isolated,
                                     const std::vector<ValueReport>& values) const = 0;
    // Adds the names of missing values that would explain the rest, and a known mistake that makes all of the values.
    virtual void complete(ModelReport& report, const std::vector<View>& ours, const TrainingStep& step,
                          const std::vector<View>& oracle, const Limits& limits) const = 0;
};

// A network that is compared.
struct Candidate {
    std::string model;  // "stepwise", "collapsed", "fused"
    std::unique_ptr<Model> implementation;
    Coverage coverage = Coverage::required;
    // Its steps, or the parts of it that can run in isolation, and how they are judged.
    Graph steps;
    Isolation isolation;
    const ReferenceOperations* reference_operations = nullptr;
    // Its isolated steps if they have been judged already, on the first compared training step; else they are run.
    std::vector<IsolatedStep> judged = {};
    // Adds to the isolated steps what else the last run has shown of them. May be empty.
    std::function<void(std::vector<IsolatedStep>&)> also = {};
    // Its own graph for the end-to-end limits, if its formulas round differently from the stepwise network's: softmax
    // minus one-hot cancels where the small steps do not.
    const ChainModel* chain = nullptr;
    // Of external values: nothing is run, and `steps` tells which value depends on which. The wider of the end-to-end
    // limits counts, those of `chain` or those of the comparison; in double if all values were computed in double.
    std::shared_ptr<const ExternalJudge> external = nullptr;
};

// LibTorch's networks, with which the candidates are compared.
struct ReferenceModels {
    std::unique_ptr<Model> stepwise;  // every value, float
    std::unique_ptr<Model> module;    // the values of a torch::nn module, float
    std::unique_ptr<Model> oracle;    // every value, double
};

struct Schedule {
    std::size_t steps = 1;
    std::size_t every = 1;  // compare each K-th step, and the last
    std::size_t from = 0;   // the first that is compared
    // Each implementation continues with its own state; else all continue with the stepwise reference's. With drift,
    // the oracle begins each step with the hand-written network's state, so that only the new error of each step is
    // judged.
    bool drift = false;
    // Also records each value element by element, and the known mistakes in a culprit's step, for a report with
    // pictures.
    bool pictures = false;
    KnownMistakes mistakes = {};
    std::function<Batch(std::size_t step)> batch;
    std::function<float(std::size_t step)> rate;
};

// Runs all implementations from `state`, which has the table state(config), and passes each compared step to `visit`.
// After the last step they still hold its values. `chain` gives the end-to-end limits, except for candidates with their
// own.
void run_comparison(const NetworkConfig& config, const Tensors<float>& state, const Schedule& schedule,
                    std::vector<Candidate>& candidates, ReferenceModels& reference, const ChainModel& chain,
                    const std::function<void(const ComparedStep&)>& visit);

}  // namespace byhand
