// The hand-written networks and LibTorch's over real batches, tensor by tensor, step by step.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/implementation.h"
#include "base/reference_operations.h"
#include "harness/alone.h"
#include "harness/blame.h"
#include "harness/compare.h"
#include "harness/picture.h"
#include "harness/spread.h"

namespace byhand {

// The limits of every element by name; a name that is not there is given, not made, and has none to spare.
using Limits = std::map<std::string, std::vector<double>>;

// The limits and questions of training steps, for comparisons that run the same ones again and again: by a hash of the
// step's number, the state that it begins with, the batch and the rate.
struct Memo {
    std::map<std::uint64_t, Limits> limits;
    std::map<std::uint64_t, StepInputs> inputs;
};

// A network as the chain's limits are measured with it (see spread.h).
struct ChainModel {
    Graph graph;
    SpreadConfig spread;
    Memo* memo = nullptr;  // shared by comparisons with this model alone; may be null
};

// What a candidate must have, lest something be left out unnoticed: every value of the stepwise reference; the loss,
// the logits, every parameter's gradient and every new_X; or no more than it gives (the rest is `not_given`).
enum class Coverage { everything, required, given };

// A network that is compared.
struct Candidate {
    std::string model;  // "stepwise", "collapsed", "fused"
    std::unique_ptr<Implementation> implementation;
    Coverage coverage = Coverage::required;
    // Its steps, or the pieces of it that can be run alone, and what they are judged by.
    Graph steps;
    Judge judge;
    const ReferenceOperations* reference_operations = nullptr;
    // What its isolated steps have shown already, on the first compared training step; else they are run.
    std::vector<StepAlone> judged = {};  // NOLINT(readability-redundant-member-init): it may be left out
    // Where its formulas round otherwise than the stepwise network's: its own lists. (Softmax minus one-hot cancels
    // where the small steps do not.)
    const ChainModel* chain = nullptr;
    // Where it is external values: there is nothing to run, and each is judged by what else was given, in
    // whichever of these forms he may have computed it. `steps` says who reads what. The wider of their limits in the
    // chain counts: those of `chain` and those of the comparison.
    std::vector<Form> forms = {};  // NOLINT(readability-redundant-member-init): it may be left out
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

struct ComparedTensor {
    std::string model;
    std::string reference;  // "stepwise" or "module"
    TensorResult result;
    // Where pictures are asked for and there are figures. It is the same against each reference: the first has it.
    std::shared_ptr<const Picture> picture = nullptr;
};

// The isolated steps of one model, and the culprits.
struct Blamed {
    std::string model;
    std::vector<StepAlone> alone;
    std::vector<Culprit> culprits;
    std::vector<Victim> victims;
    // Of external values: what else is to be given to find a step that no culprit explains.
    std::vector<std::string> missing = {};  // NOLINT(readability-redundant-member-init): it may be left out
};

// How far a parameter has gone from LibTorch's own by the start of this step (with `drift`).
struct Drift {
    std::string model;
    std::string parameter;
    double distance = 0;  // the largest difference
    double scale = 0;     // the parameter's largest magnitude
    // Its gradient is zero in exact arithmetic (a bias that the norm takes out again): what moves it is rounding alone,
    // and nothing depends on it.
    bool only_rounding = false;
};

struct ComparedStep {
    std::size_t step = 0;
    double loss_manual = 0;  // of the first candidate
    double loss_torch = 0;
    std::vector<ComparedTensor> tensors;
    std::vector<Blamed> blamed;  // a candidate each
    std::vector<Drift> drift;
    std::vector<std::int64_t> X, Y;  // the batch
};

struct Schedule {
    std::size_t steps = 1;
    std::size_t every = 1;  // compare each K-th step, and the last
    std::size_t from = 0;   // but none before this one
    // Each side goes on with its own state; else all with the stepwise reference's. What is judged is then the fresh
    // error of each step, against an oracle that begins it where the hand-written network does.
    bool drift = false;
    bool pictures = false;  // look at each tensor element by element, for a report that shows it
    std::function<Batch(std::size_t step)> batch;
    std::function<float(std::size_t step)> rate;
};

// Runs all sides from `state` (a table equal to state(config)) and hands each compared step to `visit`. After the
// last step the sides still hold its values.
// The chain's limits are those of `chain`, save for candidates that have their own.
void run_comparison(const NetworkConfig& config, const Tensors<float>& state, const Schedule& schedule,
                    std::vector<Candidate>& candidates, ReferenceImplementations& reference, const ChainModel& chain,
                    const std::function<void(const ComparedStep&)>& visit);

// All tensors of one candidate against one reference; `oracle` may be empty. Exposed for tests.
std::vector<ComparedTensor> compare_views(const NetworkConfig& config, const Glossary& glossary,
                                          const std::string& model, Coverage coverage, const std::vector<View>& ours,
                                          const std::string& reference, const std::vector<View>& theirs,
                                          const std::vector<View>& oracle, const Limits& limits, bool pictures = false);

}  // namespace byhand
