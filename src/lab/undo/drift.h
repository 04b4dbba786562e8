// Where γ and β go in training, beside σ and μ of their units.
#pragma once

#include <cstddef>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"
#include "names/dataset.h"
#include "report/document.h"

namespace byhand::lab {

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

// What share of the way from `begin` to `goal` has been gone, over all units: 1 at the goal, 0 at the beginning, less
// than 0 on the other side. Precondition: as many in each.
double share_of_way(const std::vector<double>& begin, const std::vector<double>& now, const std::vector<double>& goal);

// NaN where one of the two does not vary. Precondition: as many in both, at least one.
double correlation(const std::vector<double>& a, const std::vector<double>& b);

// Tables, plots and the verdict. Precondition: at least one training, as many moments in each.
void tell_drift(Document& document, const std::vector<Moments>& trainings);

}  // namespace byhand::lab
