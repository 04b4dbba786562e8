// The trainings of `undo`: as they should be, and with the note's slip, by which γ is updated with dL/dβ.
#pragma once

#include <vector>

#include "lab/first_step.h"
#include "lab/training.h"
#include "lab/undo/drift.h"
#include "lab/undo/undo.h"
#include "report/document.h"

namespace byhand::lab {

inline constexpr std::size_t kRowsOfMoments = 2048;  // examples that a unit's μ and σ are taken over, if there are

struct UndoTrainings {
    std::vector<Trained> right, slip;  // a seed each
    std::vector<Moments> moments;      // of the right ones
};
UndoTrainings train_for_undo(const UndoOptions& options, const FirstStep& first, const Material& material,
                             const Setting& setting);

void tell_slip(Document& document, const UndoTrainings& trainings, const NetworkConfig& network);

}  // namespace byhand::lab
