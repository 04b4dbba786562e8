// Three gradients of the same logits, side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

struct LossGradients {
    std::size_t n = 0, V = 0;
    std::uint64_t seed = 0;      // of the logits, drawn from a normal distribution, and of the right answers
    std::vector<double> scales;  // the logits' deviations
};

// Note 1's, the squared error's own and cross-entropy's: at growing logits, where a row is sure of a right or a wrong
// answer, and against LibTorch.
void tell_gradients(Document& document, const LossGradients& options, const Setting& setting);

}  // namespace byhand::lab
