// Note 4's claims of batch norm, each measured on trainings with it and without.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/model.h"
#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"
#include "train/run.h"

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

// ---- Names of one kind to train on, of another to be tested on ----

// By what the names are divided. Those up to the middle one of the training part are of the first kind.
enum class Kind { initial, length };

struct ShiftedNames {
    Examples train;             // of the first kind
    Examples own, other;        // never trained on: of the first kind, and of the second
    std::string first, second;  // the kinds in words: "a to k"
};
ShiftedNames shifted_names(const Split& names, const Vocabulary& vocabulary, std::size_t context, Kind kind);

// Mean cross-entropy, in nats: on names of the first kind, and on those of the second by the running statistics and by
// their own. NaN where there are no examples.
struct ShiftLosses {
    double own = 0, other = 0, other_by_own = 0;
};
// The model is left as it was.
ShiftLosses shift_losses(Model& model, const ShiftedNames& names, std::size_t vocabulary);

// On `tested`, by the norms' figures over `figures` (Model::calibrate). NaN where one has fewer than two examples. The
// model is left as it was.
double loss_by_figures_of(Model& model, const Examples& figures, const Examples& tested, std::size_t vocabulary);

}  // namespace byhand::lab
