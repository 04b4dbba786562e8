// Note 3's batch, column by column: every value of a batch norm, forwards and backwards.
#pragma once

#include <vector>

#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

struct ColumnsOptions {
    // γ and β, one for each of the three units: drawn by nobody, so that neither is 1 or 0.
    std::vector<double> gain = {0.5, 2, -1}, bias = {0.25, -1, 3};
    double epsilon = 1e-5;
};

// With n and with n − 1; backwards from the gradient dy[i, j] = (i + 1)·(j − 1) + 1. Throws InputError where there are
// not three of γ and β.
Document columns(const ColumnsOptions& options, const Setting& setting);

}  // namespace byhand::lab
