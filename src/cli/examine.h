// External functions, each in isolation and then in the chain.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/model.h"
#include "documents/exercise.h"
#include "exercise/functions.h"
#include "harness/isolated/subprocess.h"
#include "torch_ref/torch_ref.h"
#include "train/run.h"

namespace byhand::cli {

// Called while functions are examined; each may be empty. `running` is called before one runs, in the process where it
// does; `begins` before each is judged in isolation, `chains` before all are in the chain: either takes longer than to
// run them.
struct Watch {
    std::function<void(const std::string& label)> running;
    std::function<void()> begins, chains;
};

struct ExaminationConfig {
    SubprocessLimits limits;
    bool threads = false;  // also call each function from two threads at once
    bool quick = false;    // without the battery
};

// On the first batch of `run`. What writes nothing is to do; what does, is judged in isolation, by values of that batch
// and by a probe, in float and, where it was given, in double. In the chain ours stand for those that are to do or
// can't be run. They run in subprocesses. Throws InputError where a function makes what the network does not.
Examination examine(const exercise::Functions& steps, const torch_ref::Factory& torch, const Run& run,
                    const ExaminationConfig& how, const Watch& watch);

// The labels of those that own_model leaves out: formulas in one, where there are functions of small steps.
std::vector<std::string> left_out_of_training(const exercise::Functions& steps);

// The network to train with, in which theirs stand for ours: the stepwise one, with those of a small step; where all of
// them are in one formula, the collapsed one. Throws InputError as above, and where one leaves something unwritten on
// the first batch: then it is still to do.
std::unique_ptr<Model> own_model(const exercise::Functions& steps, const Run& run);

}  // namespace byhand::cli
