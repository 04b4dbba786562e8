// Note 4: batch norm before the non-linearity, after it, or none; ε inside the root or outside; γ and β or none.
#pragma once

#include <cstddef>

#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct PlacementOptions {
    Recipe recipe;  // its norm's place, ε's place, and whether there are γ and β, are varied
    std::size_t steps = 20000;
    Seeds seeds = {};
};

// Each variant against LibTorch on one step, and trained. Throws InputError where prepare (train/run.h) does.
Document placement(const PlacementOptions& options, const Material& material, const Setting& setting);

}  // namespace byhand::lab
