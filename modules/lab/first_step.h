// The first training step of a recipe, with γ and β that hide nothing.
#pragma once

#include "lab/setting.h"
#include "names/batches.h"
#include "train/run.h"

namespace byhand::lab {

struct FirstStep {
    Run run;               // its generator stands behind the batch
    DrawnBatch batch;      // the run's first
    Tensors<float> state;  // as the run begins, but γ and β drawn: at 1 and 0 they would hide factor and term
    const NetworkConfig& network() const { return run.recipe.network; }
};

// Throws InputError where prepare (train/run.h) does.
FirstStep first_step(const Recipe& recipe, const Material& material);

}  // namespace byhand::lab
