// Note 4: with γ = σ and β = μ a norm is the identity. Whether γ and β go there in training, and how they are updated.
#pragma once

#include <cstddef>
#include <vector>

#include "lab/first_step.h"
#include "lab/setting.h"
#include "lab/training.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct UndoOptions {
    Recipe recipe;  // its seed is that of the first step; the trainings have seeds of their own
    std::size_t steps = 20000;
    Seeds seeds = {};
};

// Throws InputError where the network has no norm, or no γ and β, and as prepare (train/run.h) does.
Document undo(const UndoOptions& options, const Material& material, const Setting& setting);

// Every unit that has a norm, layer after layer, at one moment of a training.
struct Moment {
    std::size_t step = 0;
    std::vector<double> gain, bias;       // γ, β
    std::vector<double> deviation, mean;  // 1/bnvar_inv, which undoes the norm's factor, and μ of what the norm reads
};
using Moments = std::vector<Moment>;  // of one training, the first before its first step

// μ and σ over the first `rows` examples. Precondition: there are so many.
Moment moment_of(std::size_t step, const Tensors<float>& state, const NetworkConfig& network, const Examples& examples,
                 std::size_t rows);

// Trainings with the right updates, and with the note's slip, by which γ is updated with dL/dβ.
struct UndoTrainings {
    std::vector<Trained> right, slip;  // a seed each
    std::vector<Moments> moments;      // of the right ones
};
UndoTrainings train_for_undo(const UndoOptions& options, const FirstStep& first, const Material& material,
                             const Setting& setting);

// What share of the way from `begin` to `goal` has been covered, over all units: 1 at the goal, 0 at the beginning,
// less than 0 on the other side. Precondition: as many in each.
double share_of_way(const std::vector<double>& begin, const std::vector<double>& now, const std::vector<double>& goal);

// NaN where one of the two does not vary. Precondition: as many in both, at least one.
double correlation(const std::vector<double>& a, const std::vector<double>& b);

// Adds where γ and β go in training, beside σ and μ: tables, plots and a verdict. Precondition: at least one training,
// as many moments in each.
void add_drift(Document& document, const std::vector<Moments>& trainings);

}  // namespace byhand::lab
