// Yes-or-no questions whose inputs are of unequal scale.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lab/geometry/yes_or_no.h"
#include "lab/setting.h"
#include "recipe/recipe.h"

namespace byhand::lab {

// Note 4's students: marks from 0 to 10 and an IQ from 70 to 140, each as likely as any other; placed with the
// probability 1/(1 + e^−z), z = 0.8·(marks − 5) + 0.08·(IQ − 105). Precondition: some are.
YesOrNo students(std::size_t count, std::uint64_t seed);

// What the output layer of the recipe's network is given after so many steps of training (no more than the recipe
// has): h of the first `rows` examples of the training part, with another placement of the norm. Asked: does the name
// end here?
YesOrNo activations(Recipe recipe, NormPlace norm, std::size_t steps, std::size_t rows, const Material& material);

}  // namespace byhand::lab
