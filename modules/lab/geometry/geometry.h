// Inputs of unequal scale make long narrow valleys: raw inputs beside standardised ones.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lab/geometry/regression.h"
#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct GeometryOptions {
    std::size_t students = 200;
    std::size_t trained = 100;   // steps after which the last hidden layer of the recipe's network is examined
    std::size_t rows = 600;      // examples
    std::size_t steps = 20'000;  // of gradient descent, at most
};

// Throws InputError if the seeds place all students or none; if rows are so few that the classes are linearly
// separable; if there are fewer examples than rows; and as prepare (train/run.h) does.
Document geometry(const GeometryOptions& options, const Setup& setup);

// Note 4's students: marks from 0 to 10 and an IQ from 70 to 140, uniform; placed with the probability 1/(1 + e^−z),
// z = 0.8·(marks − 5) + 0.08·(IQ − 105).
Regression students(std::size_t count, std::uint64_t seed);

// h of the last hidden layer of the recipe's network, with its norm in this place, after so many steps of training (no
// more than the recipe has), on the first `rows` training examples. The class is 1 where the name ends here.
Regression activations(Recipe recipe, const std::string& norm, std::size_t steps, std::size_t rows,
                       const Material& material);

}  // namespace byhand::lab
