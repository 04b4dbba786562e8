// From a recipe to a verdict.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "compare/candidates.h"
#include "harness/end_to_end/comparison.h"
#include "harness/end_to_end/summary.h"
#include "names/dataset.h"
#include "torch_ref/torch_ref.h"
#include "train/run.h"

namespace byhand {

struct Comparison {
    Summary summary;
    std::vector<ComparedStep> steps;
    // What was compared with what: they hold the values of the last step, on this batch. The candidates point to the
    // reference.
    std::unique_ptr<Reference> reference;
    Candidates candidates;
    DrawnBatch batch;
};

struct ComparisonConfig {
    Schedule schedule = {};        // its batches and rates are those of the run's training
    bool quick = false;            // without the battery
    std::set<Verdict> allowed;     // accepted although they show nothing (Summary)
    bool keeps_every_step = true;  // else only the first that disagrees, or the last if none does
    // Called before and after a step; either may be empty.
    std::function<void(std::size_t step)> begins;
    std::function<void(const ComparedStep& step, Comparison& so_far)> compared;
};

// Compares the candidates with LibTorch's network of the run's recipe, step by step from the run's initial values, on
// the batches of its training. `candidates` makes them from the reference, which it may change: hand_candidates, or
// others. Throws what it throws, and what `torch` throws. `run` must outlive the result.
Comparison compare(Run& run, const torch_ref::Factory& torch, const std::function<Candidates(Reference&)>& candidates,
                   const ComparisonConfig& how);

// The hand-written networks of these names. `fused` makes that of its name (modules/fast); the others are
// candidate_of's.
using MakeCandidate = std::unique_ptr<StepCandidate> (*)(const Reference& reference);
Candidates hand_candidates(const std::vector<std::string>& models, const Reference& reference, MakeCandidate fused);

}  // namespace byhand
