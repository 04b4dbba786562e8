// External functions, each in isolation and then end to end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/model.h"
#include "foreign/exercise/document.h"
#include "foreign/exercise/functions.h"
#include "foreign/subprocess.h"
#include "harness/mistake.h"
#include "torch_ref/torch_ref.h"
#include "train/run.h"

namespace byhand::exercise {

// Called while functions are examined; each may be empty. `running` is called before a function runs, in its process;
// `begins` before each is judged in isolation; `chains` before the chain is compared. Both take longer than running the
// functions.
struct Watch {
    std::function<void(const std::string& label)> running;
    std::function<void()> begins, chains;
};

struct ExaminationConfig {
    CallLimits limits;
    bool threads = false;         // also call each function from two threads at once
    bool quick = false;           // without the battery
    KnownMistakes mistakes = {};  // by which wrong results are explained
};

// Examines the functions on the first batch of `run`. A function that writes nothing is still to do. Any other is
// judged in isolation, on values of that batch and on a probe, in float and, if it has a version in double, in double.
// End to end our steps replace functions that are to do or can't be run. Functions run in subprocesses. Throws
// InputError if a function makes a value that the network does not have.
Examination examine(const ExternalFunctions& functions, const torch_ref::Factory& torch, const Run& run,
                    const ExaminationConfig& how, const Watch& watch);

// The labels of the functions that own_model leaves out: fused formulas, if there are also functions of small steps.
std::vector<std::string> left_out_of_training(const ExternalFunctions& functions);

// The network to train with, in which the external functions replace our steps: the stepwise network, or the collapsed
// one if all functions are fused formulas. Throws InputError as above, and if a function leaves an element unwritten on
// the first batch: it is still to do.
std::unique_ptr<Trainable> own_model(const ExternalFunctions& functions, const Run& run);

}  // namespace byhand::exercise
