// A training step of PyTorch in Python, by scripts/torch_model.
#pragma once

#include <string>

#include "bench/step.h"
#include "train/run.h"

namespace byhand::bench {

struct Python {
    std::string interpreter;
    std::string script;  // torch_model
    std::string folder;  // where the start of a run can be written, for Python to read
};

// Starts a process that trains the run's network by one thread: eager operations, autograd and torch.optim, on the
// batches of the run for the first ten steps and then on others, which it draws by itself. Throws InputError, as going
// on does, if the process can't be started, or ends.
OtherTraining python_training(const Run& run, const Python& python);

}  // namespace byhand::bench
