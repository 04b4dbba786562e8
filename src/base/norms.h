// A norm over rows of numbers, asked of a reference: "these go in, and this gradient comes back; what goes out?"
#pragma once

#include <cstddef>
#include <vector>

#include "base/view.h"

namespace byhand {

struct NormQuestion {
    std::size_t rows = 0, columns = 0;  // n, H
    DType dtype = DType::float64;       // what it is computed in: float32 or float64
    std::vector<double> x, dy;          // (n, H): what is normalised, and the gradient of the result
    std::vector<double> gain, bias;     // (H): γ and β
    // (H), of batch norm alone: mean and spread before this batch, as its conventions keep them.
    std::vector<double> running_mean, running_spread;
};

struct NormAnswer {
    std::vector<double> y, dx;         // (n, H)
    std::vector<double> dgain, dbias;  // (H)
    // Of batch norm alone: (H) after this batch, and (n, H), x normalised by them.
    std::vector<double> running_mean, running_spread, evaluated;
};

}  // namespace byhand
