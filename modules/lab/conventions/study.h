// The same batches by every convention, and the parts of the document that are not in conventions.cpp.
#pragma once

#include <array>
#include <vector>

#include "lab/conventions/conventions.h"

namespace byhand::lab {

// The units' true deviations: the first is so narrow that ε counts, the last is wide.
inline constexpr std::array<double, 3> kDeviations = {0.05, 2, 30};

using Batches = std::vector<Numbers<double>>;
using Run = ConventionRun<double>;

struct Study {
    std::vector<Convention> conventions;  // PyTorch's first
    Batches batches;
    std::vector<Run> runs;  // of each convention
};

// The running statistics of spread as variances, whatever they are kept as.
std::vector<double> as_variances(const Convention& convention, std::vector<double> spread);

// Adds the table's rows as further fields of as many objects.
void update_each(Json& objects, const Table& table);

void compare_with_torch(Document& document, const Study& study, const torch_ref::Factory& torch);

// Training beside evaluation by running statistics, what these settle at, and what is frequently asked.
void add_evaluation(Document& document, const Study& study, const ConventionsOptions& options);

}  // namespace byhand::lab
