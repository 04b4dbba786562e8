// Note 2's worked example: what a batch norm hands on does not depend on the scale of what comes in; and the same of a
// whole layer's weights.
#pragma once

#include <vector>

#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct InvarianceOptions {
    std::vector<double> values = {2, 0, 2, 4};  // of one unit, a row of the batch each
    std::vector<double> scales = {100};         // the same values times each of these
    double gain = 1.5, bias = 0.5;              // γ and β of the unit
    double epsilon = 1e-5;
    std::vector<double> alphas = {1e-3, 1e-2, 0.1, 1, 10, 100, 1000};  // what a layer's weights are multiplied by
    std::vector<Recipe> recipes = {};  // NOLINT(readability-redundant-member-init): whose networks' layers are scaled
};

// Throws InputError where the values are fewer than two, all equal or beyond what float can square, where a scale is
// not positive, and as prepare (train/run.h) does.
Document invariance(const InvarianceOptions& options, const Material& material, const Setting& setting);

}  // namespace byhand::lab
