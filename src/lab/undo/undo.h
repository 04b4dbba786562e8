// Note 4: with γ = σ and β = μ a norm is the identity. Whether γ and β go there in training, and how they are updated.
#pragma once

#include <cstddef>

#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct UndoOptions {
    Recipe recipe;  // its seed is that of the first step; the trainings have seeds of their own
    std::size_t steps = 20000;
    Seeds seeds = {};  // NOLINT(readability-redundant-member-init): it may be left out
};

// Throws InputError where the network has no norm, or no γ and β, and as prepare (train/run.h) does.
Document undo(const UndoOptions& options, const Material& material, const Setting& setting);

}  // namespace byhand::lab
