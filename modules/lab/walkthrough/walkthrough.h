// One training step, value by value, and the names that the network writes after many.
#pragma once

#include <cstddef>

#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct WalkthroughOptions {
    Recipe recipe;
    std::size_t row = 0;         // of the batch: the one that is followed
    std::size_t steps = 20'000;  // ≥ 1, of the training before the names: the recipe's schedule in so many
    std::size_t names = 10;
};

// Throws InputError where prepare (train/run.h) does, and where the batch has no such row.
Document walkthrough(const WalkthroughOptions& options, const Material& material, const Setting& setting);

}  // namespace byhand::lab
