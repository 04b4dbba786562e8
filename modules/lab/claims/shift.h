// Names of one kind to train on, of another to be tested on.
#pragma once

#include <cstddef>
#include <string>

#include "base/model.h"
#include "train/run.h"

namespace byhand::lab {

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
