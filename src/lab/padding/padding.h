// Note 3: what rows of padding do to batch norm, and what is used instead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lab/padding/sequences.h"
#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

struct PaddingOptions {
    std::optional<SequenceBatch> batch;  // else the note's two sentences, with its other two as a control
    std::string where;                   // what the batch is called: its file
    double epsilon = 1e-5;
    std::uint64_t seed = 1;  // γ, β and the gradient for the backward pass are drawn by it
};

// Throws InputError where ε is 0 and a column of the real rows, or a real row, is the same number throughout: that
// can't be normalised.
Document padding(const PaddingOptions& options, const Setting& setting);

}  // namespace byhand::lab
