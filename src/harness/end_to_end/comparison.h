// Compares hand-written networks, the candidates, with LibTorch's on real batches, tensor by tensor, at each training
// step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/model.h"
#include "harness/end_to_end/compare_views.h"
#include "harness/end_to_end/value_report.h"
#include "harness/isolated/isolated.h"
#include "harness/limits/monte_carlo.h"
#include "harness/mistake.h"

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

// LibTorch's networks, with which the candidates are compared.
struct ReferenceModels {
    std::unique_ptr<Model> stepwise;  // every value, float
    std::unique_ptr<Model> module;    // the values of a torch::nn module, float
    std::unique_ptr<Model> oracle;    // every value, double
};

// The inputs of one training step.
struct TrainingStep {
    const Tensors<float>& state;
    Batch batch;
    float rate = 0;
};

// A training step that all networks have run, and what a candidate is judged by.
struct JudgedStep {
    TrainingStep step;          // from the state of LibTorch's stepwise network
    const Tensors<float>& own;  // the state with which the candidate began; with drift, another than step.state
    const ReferenceModels& reference;
    const ChainModel& chain;              // for candidates without their own; for external values, besides theirs
    bool is_first;                        // of the steps that are compared
    std::function<StepInputs&()> inputs;  // of isolated steps; made once for all candidates
    // End-to-end limits; kept unless `other` has deviations.
    std::function<Limits(const ChainModel& chain, const Tensors<float>& state, const OtherRounding& other)> limits;
};

struct Candidate {
    std::string model;  // "stepwise", "collapsed", "fused", "mine"
    std::unique_ptr<Model> implementation;
    Coverage coverage = Coverage::required;
    // Its steps, or the parts of it that can run in isolation: which value depends on which.
    Graph steps;
    // Its own network for the end-to-end limits, if its formulas round differently from the stepwise network's: softmax
    // minus one-hot cancels where the small steps do not. May be null.
    const ChainModel* chain = nullptr;

    Candidate(std::string name, std::unique_ptr<Model> network, Graph its_steps, const ChainModel* its_chain)
        : model(std::move(name)), implementation(std::move(network)), steps(std::move(its_steps)), chain(its_chain) {}
    virtual ~Candidate() = default;

    // Its steps, judged in isolation.
    virtual std::vector<IsolatedStep> isolated(const JudgedStep& at) const = 0;
    // Its end-to-end limits, given its isolated steps.
    virtual Limits limits(const JudgedStep& at, const std::vector<IsolatedStep>& isolated) const = 0;
    // Joins its end-to-end findings with its isolated steps.
    virtual ModelReport report(const JudgedStep& at, std::vector<ValueReport> values,
                               std::vector<IsolatedStep> isolated, const Limits& limits) const = 0;
};

using Candidates = std::vector<std::unique_ptr<Candidate>>;

// A network whose steps run in isolation.
struct StepCandidate : Candidate {
    Isolation isolation;

    // `its_isolation`: of the right network in the same form.
    StepCandidate(std::string name, std::unique_ptr<Model> network, Graph its_steps, const ChainModel* its_chain,
                  Isolation its_isolation)
        : Candidate(std::move(name), std::move(network), std::move(its_steps), its_chain),
          isolation(std::move(its_isolation)) {}

    std::vector<IsolatedStep> isolated(const JudgedStep& at) const override;
    Limits limits(const JudgedStep& at, const std::vector<IsolatedStep>& isolated) const override;
    ModelReport report(const JudgedStep& at, std::vector<ValueReport> values, std::vector<IsolatedStep> isolated,
                       const Limits& limits) const override;
};

// The rounding of these steps, measured in isolation; `any_order` as in OtherRounding.
OtherRounding rounding_of(const std::vector<IsolatedStep>& isolated, bool any_order);

// ---- A comparison of them ----

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
    std::function<Batch(std::size_t step)> batch = {};
    std::function<float(std::size_t step)> rate = {};
};

// Runs all implementations from `state`, which has the table state(config), and passes each compared step to `visit`.
// After the last step they still hold its values. `chain` gives the end-to-end limits, except for candidates with their
// own.
void run_comparison(const NetworkConfig& config, const Tensors<float>& state, const Schedule& schedule,
                    Candidates& candidates, ReferenceModels& reference, const ChainModel& chain,
                    const std::function<void(const ComparedStep&)>& visit);

}  // namespace byhand
