// Inputs of unequal scale make long narrow valleys: raw inputs beside standardised ones.
#pragma once

#include <cstddef>

#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct GeometryOptions {
    Seeds seeds;
    std::size_t students = 200;
    Recipe recipe;               // whose layer is looked at; of its seed, seeds take the place
    std::size_t trained = 100;   // after so many steps
    std::size_t rows = 600;      // examples that its last layer is given
    std::size_t steps = 20'000;  // of gradient descent, at most
};

// Throws InputError where the seeds make students who are all placed, or none; where rows are so few that yes and no
// are linearly separable; where there are fewer examples than rows; and where prepare (train/run.h) does.
Document geometry(const GeometryOptions& options, const Material& material, const Setting& setting);

}  // namespace byhand::lab
