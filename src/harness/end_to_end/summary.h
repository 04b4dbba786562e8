// The summary of a whole comparison, which grows step by step.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/end_to_end/value_report.h"

namespace byhand {

// The drift of a network from LibTorch's at the start of a step: the largest of any parameter, relative to its scale.
struct DriftPoint {
    std::size_t step = 0;
    std::string parameter;
    double distance = 0;
    double scale = 0;
};

struct DriftGrowth {
    std::string model;
    std::vector<DriftPoint> points = {};  // one for each compared step
    // The drift that a single step adds: the largest error of an updated parameter against the oracle, relative to its
    // scale.
    double fresh = 0;
    std::string fresh_parameter = {};
};

// A value that agrees, and its error relative to its limit.
struct CloseCall {
    std::string name;
    std::string model;
    std::size_t step = 0;
    double used = 0;                                // error / limit
    std::optional<double> error;                    // the largest
    std::optional<Against> against = std::nullopt;  // empty for an isolated step
};

// The result of a network in parts on several ranks.
struct RankSummary {
    std::string model;
    std::size_t ranks = 0, parts = 0;
    std::size_t messages = 0;            // in a step
    std::size_t values = 0;              // of the network
    std::vector<std::string> different;  // the values that differ by a bit from those of one process
};

struct Summary {
    bool agree = true;  // false as soon as a verdict is a disagreement, end to end or isolated
    // Accepted verdicts that decide nothing: vacuous, out_of_range.
    std::set<Verdict> allowed;
    std::vector<ValueReport> culprits, downstream;  // each name once, as found first
    std::size_t steps = 0;
    std::size_t compared = 0;       // comparisons: each tensor with each reference, for each model and step
    std::set<std::string> tensors;  // of these
    std::size_t disagreeing = 0;
    std::set<std::string> disagreeing_tensors;
    std::size_t undecided = 0;                // comparisons that the isolated steps decide
    std::map<Verdict, std::size_t> verdicts;  // of the comparisons
    std::size_t isolated = 0;                 // isolated steps, over all training steps
    std::size_t disagreeing_isolated = 0;     // of them
    std::map<Verdict, std::size_t> verdicts_isolated;
    std::optional<std::string> first_divergence;  // the first tensor, in the order of the steps, that disagrees
    std::optional<std::size_t> first_divergence_step;
    std::string first_divergence_model;
    // The values that agree end to end and are nearest to their limits, the nearest first, each name once; at most
    // kCloseCalls. (The error of an isolated step that rounds correctly once can equal its limit: that is no close
    // call.)
    static constexpr std::size_t kCloseCalls = 3;
    std::vector<CloseCall> closest;
    std::vector<DriftGrowth> drift;  // one for each model, if each implementation keeps its own parameters
    std::vector<RankSummary> ranks;  // one for each model
};

void add(Summary& summary, const ComparedStep& step);

// Whether a verdict is a disagreement. (undecided is none: then the isolated steps decide.)
bool contradicts(Verdict verdict, const std::set<Verdict>& allowed);

// Whether a verdict of this step, end to end or isolated, is a disagreement.
bool disagrees(const ComparedStep& step, const std::set<Verdict>& allowed);

// The p of drift ≈ c·step^p, by least squares on the logarithms. Empty for fewer than three points.
std::optional<double> exponent(const std::vector<DriftPoint>& points);

}  // namespace byhand
