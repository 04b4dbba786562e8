// All that a comparison finds of one value at one training step, in one record; and the records of a step.
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

struct Mistake;  // see faults/mistakes.h

// LibTorch's network that a value is held against: its operations one by one, or its torch::nn module.
enum class Against { operations, module };
// As reports name it: "stepwise", "module".
std::string to_string(Against against);

// What a value has to do with what is wrong.
struct Role {
    enum class Kind {
        none,
        culprit,      // its step is wrong in isolation, or missing, or in the wrong place
        inherited,    // off end to end, from a culprit
        unexplained,  // off end to end, and no culprit leads there
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
    // Of the step that makes it; empty where it is given.
    std::string function;
    std::vector<std::string> reads;
    // End to end, ours beside LibTorch's, the oracle's being right. Empty where it is not compared.
    std::optional<Finding> operations, module;
    std::shared_ptr<const Picture> picture;  // where pictures are asked for and there are figures
    std::optional<IsolatedStep> isolated;    // where its step was run in isolation
    std::string list_fault;  // "runs before W1, which it reads, is made", "no step makes it"; else empty
    Role role;
    std::vector<const Mistake*> mistakes;  // that people make in a culprit's step, where pictures are asked for

    const std::optional<Finding>& against(Against which) const;
    // The first of the findings, or null.
    const Finding* in_chain() const;
    bool fails_in_chain() const;

    // Its step is wrong in isolation, but not on this batch, or the value agrees end to end all the same.
    bool without_effect() const;
    // What of the error end to end is not the isolated step's own.
    std::optional<double> inherited_error() const;

    // Of a culprit: the trial that shows it is one, null where it is by a fault of the lists.
    const Trial* evidence() const;
    // Of a culprit: the function that is wrong. (A step may run one for each kind of vectors.)
    const std::string& wrong_function() const;
    // Of a culprit: "on random values", "runs before W1, which it reads, is made".
    std::string why() const;
};

// How far a parameter has gone from LibTorch's own by the start of this step (with `drift`).
struct Drift {
    std::string parameter;
    double distance = 0;  // the largest difference
    double scale = 0;     // the parameter's largest magnitude
    // Its gradient is zero in exact arithmetic (a bias that the norm takes out again): what moves it is rounding alone,
    // and nothing depends on it.
    bool only_rounding = false;
};

// One network at one training step.
struct ModelReport {
    std::string model;                // "stepwise", "collapsed", "fused"
    std::vector<ValueReport> values;  // those compared, in the comparison's order, then what only isolated steps make
    // Places in `values`:
    std::vector<std::size_t> isolated;    // in the order in which the steps run
    std::vector<std::size_t> culprits;    // by a fault of the lists, then by a step that is wrong in isolation
    std::vector<std::size_t> downstream;  // inherited or unexplained
    std::vector<std::string> missing;     // external values that would explain what is unexplained
    // The planted mistake that makes all external values, looked for where no culprit's own is known.
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

// A finding end to end, and of what it is.
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
