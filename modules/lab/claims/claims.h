// Note 4's claims of batch norm, each measured on trainings with it and without.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct ClaimsOptions {
    // Each with its norm (before the non-linearity, where it says none) and without any.
    std::vector<Recipe> recipes;
    Seeds seeds;
    std::size_t steps = 4000;         // of a training; the claims that need longer ones take a multiple
    std::vector<std::string> claims;  // of claim_names(); empty: all
};
inline constexpr std::size_t kFewestClaimSteps = 500;

std::vector<std::string> claim_names();

// Throws InputError where there are too few steps, or a recipe can't be trained on these names. Preconditions: there is
// a recipe, and the claims are of claim_names().
Document claims(const ClaimsOptions& options, const Material& material, const Setting& setting);

}  // namespace byhand::lab
