// Note 4: with γ = σ and β = μ a norm is the identity. Whether γ and β go there in training, and how they are updated.
#pragma once

#include <cstddef>
#include <vector>

#include "lab/study.h"
#include "lab/training.h"
#include "report/document.h"

namespace byhand::lab {

// The recipe's seed is that of the first step; the trainings have seeds of their own. Throws InputError if the network
// has no norm, or no γ and β, and as prepare (train/run.h) does.
Document undo(const Setup& setup);

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
UndoTrainings train_for_undo(const FirstStep& first, const Setup& setup);

}  // namespace byhand::lab
