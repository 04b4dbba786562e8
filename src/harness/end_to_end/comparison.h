// Compares the hand-written networks with LibTorch's on real batches, tensor by tensor, at each training step.
#pragma once

#include <cstddef>
#include <functional>

#include "harness/end_to_end/candidate.h"
#include "harness/end_to_end/value_report.h"
#include "harness/mistake.h"

namespace byhand {

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
