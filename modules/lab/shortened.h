// A recipe's schedule in fewer steps, or more.
#pragma once

#include <cstddef>

#include "recipe/recipe.h"

namespace byhand::lab {

// So many steps in all; each learning rate holds for the same share of them as before.
Recipe in_steps(Recipe recipe, std::size_t steps);

}  // namespace byhand::lab
