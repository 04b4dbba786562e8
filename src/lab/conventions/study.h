// The same batches by every convention, and the report on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lab/conventions/list.h"
#include "lab/conventions/run.h"
#include "report/document.h"

namespace byhand::lab {

struct ConventionStudy {
    std::vector<Convention> conventions;  // PyTorch's first
    std::vector<NormInput<double>> batches;
    std::vector<ConventionRun<double>> runs;  // of each convention
};

// The units' true means and deviations: the first is so narrow that ε counts, the last is wide.
inline const std::vector<double> kUnitMeans = {1, -4, 40}, kUnitDeviations = {0.05, 2, 30};
inline constexpr std::size_t kUnits = 3;

// The running statistics of spread as variances, whatever they are kept as.
std::vector<double> as_variances(const Convention& convention, std::vector<double> spread);

// Training beside evaluation on the same rows, and how long a running figure remembers where it began. Adds to
// document.data["conventions"], one for each convention.
void tell_memory(Document& document, const ConventionStudy& study);

// What a divisor is worth where batches are small: document.data["small_batches"].
void tell_small_batches(Document& document, std::uint64_t seed);

// What people ask again and again, each with the figures of this study: document.data["asked"].
void tell_questions(Document& document, const ConventionStudy& study);

}  // namespace byhand::lab
