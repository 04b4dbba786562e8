// Note 3's batch, column by column: every value of a batch norm, forward and backward.
#pragma once

#include <vector>

#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

struct ColumnsOptions {
    std::vector<double> gain = {0.5, 2, -1}, bias = {0.25, -1, 3};  // γ and β of the three units, none of them 1 or 0
    double epsilon = 1e-5;
};

// With divisor n and with n − 1; the gradient of the result is dy[i, j] = (i + 1)·(j − 1) + 1. Throws InputError where
// there are not three of γ and β.
Document columns(const ColumnsOptions& options, const Setup& setup);

}  // namespace byhand::lab
