// Everything that a comparison finds about one value at one training step, and the records of a whole step.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include "harness/end_to_end/picture.h"
#include "harness/isolated/isolated.h"
#include "judge/finding.h"

namespace byhand {

struct Mistake;  // see harness/mistake.h

// LibTorch's network that a value is compared with: its operations one by one, or its torch::nn module.
enum class Against { operations, module };
// Its name in reports: "stepwise", "module".
std::string to_string(Against against);

// The part of a value in what is wrong.
struct Role {
    enum class Kind {
        none,
        culprit,      // its step is wrong in isolation, or missing, or in the wrong place
        inherited,    // fails end to end, and depends on a culprit
        unexplained,  // fails end to end, and depends on no culprit
    };
    Kind kind = Kind::none;
    std::string from = {};  // the nearest culprit
};
// "culprit", "inherited from dbnvar"; else empty.
std::string to_string(const Role& role);
// "inherited from dbnvar".
std::string inherited_from(const std::string& culprit);

struct ValueReport {
    std::string name;
    Shape shape;
    // Of the step that makes it; empty for an input.
    std::string function;
    std::vector<std::string> reads;
    // End to end: our value and LibTorch's, both held to the oracle's. Empty if it is not compared.
    std::optional<Finding> operations, module;
    std::shared_ptr<const Picture> picture;  // if pictures are requested and there are figures
    std::optional<IsolatedStep> isolated;    // if its step was run in isolation
    std::string list_fault;  // "runs before W1, which it reads, is made", "no step makes it"; else empty
    Role role;
    std::vector<const Mistake*> mistakes;  // known mistakes in a culprit's step, if pictures are requested

    const std::optional<Finding>& against(Against which) const;
    // The first of the findings, or null.
    const Finding* in_chain() const;
    bool fails_in_chain() const;

    // Whether its step is wrong in isolation, but not on this batch, or the value agrees end to end nevertheless.
    bool without_effect() const;
    // The part of the end-to-end error that the isolated step does not have.
    std::optional<double> inherited_error() const;

    // Of a culprit: the trial that shows its error; null for a fault of the lists.
    const Trial* evidence() const;
    // Of a culprit: the function that is wrong. A step may have one for each vector type.
    const std::string& wrong_function() const;
    // Of a culprit: "on random values", "runs before W1, which it reads, is made".
    std::string why() const;
};

// The distance of a parameter from LibTorch's own at the start of this step (with `drift`).
struct Drift {
    std::string parameter;
    double distance = 0;  // the largest difference
    double scale = 0;     // the parameter's largest magnitude
    // Its gradient is zero in exact arithmetic, as that of a bias before a norm, which subtracts it again: only
    // rounding moves it, and nothing depends on it.
    bool only_rounding = false;
};

// One network at one training step.
struct ModelReport {
    std::string model;                // "stepwise", "collapsed", "fused"
    std::vector<ValueReport> values;  // the compared ones, in the comparison's order, then those of isolated steps only
    // Places in `values`:
    std::vector<std::size_t> isolated;    // in the order in which the steps run
    std::vector<std::size_t> culprits;    // faults of the lists first, then steps that are wrong in isolation
    std::vector<std::size_t> downstream;  // inherited or unexplained
    std::vector<std::string> missing;     // external values that would explain the unexplained ones
    // The known mistake that makes all external values; searched for if no culprit's own mistake is known.
    const Mistake* mistake = nullptr;
    std::vector<Drift> drift;

    // The values at some of these places.
    auto at(const std::vector<std::size_t>& places) const {
        return places |
               std::views::transform([this](std::size_t place) -> const ValueReport& { return values[place]; });
    }
};

struct ComparedStep {
    std::size_t step = 0;
    double loss_manual = 0;  // of the first model
    double loss_torch = 0;
    std::vector<ModelReport> models;
    std::vector<std::int64_t> X, Y;  // the batch
};

// An end-to-end finding, with the value and the model that it belongs to.
struct ChainFinding {
    const ModelReport& model;
    Against against;
    const ValueReport& value;
    const Finding& finding;
};
// In the order of reports: each model's values against LibTorch's operations, then against its module. The step must
// outlive them.
std::vector<ChainFinding> findings(const ComparedStep& step);
std::vector<ChainFinding> findings(const ModelReport& model);

}  // namespace byhand
