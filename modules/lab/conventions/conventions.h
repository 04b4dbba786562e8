// The same batches through batch norm as the field defines it: what differs between the definitions, and by how much.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/network.h"
#include "lab/operation.h"
#include "lab/setting.h"
#include "lab/study.h"
#include "report/document.h"
#include "torch_ref/torch_ref.h"

namespace byhand::lab {

struct ConventionsOptions {
    std::size_t rows = 7, batches = 1000;  // rows of a batch: at least 2; batches: at least 1
    std::uint64_t seed = 1;
};

Document conventions(const ConventionsOptions& options, const Setup& setup);

struct Convention {
    std::string name;
    NormConfig norm;                   // its momentum is the weight of the new, whatever the convention calls momentum
    double first_spread = 1;           // the running variance or deviation before the first batch; the mean's is 0
    std::string momentum_says;         // the momentum in its own words
    std::vector<std::string> sources;  // pages and files that say so
};

// PyTorch's is the first: the others are compared with it.
std::vector<Convention> conventions_of_the_field();

template <class T>
struct ConventionRun {
    std::vector<T> y, dx;                         // of all batches, one under the other: (batches·n, H)
    std::vector<T> running_mean, running_spread;  // (H), after the last batch
    std::vector<T> evaluated;                     // (n, H): the last batch by the running statistics
};

// Batches of hprebn and dhpreact (n, H), bngain and bnbias (H). Where evaluation goes by the whole training set, that
// is all batches, and their statistics replace the running ones. T is float, double or Rounded. Precondition: a batch,
// and as many rows in each.
template <class T>
ConventionRun<T> run_convention(const Convention& convention, const std::vector<Numbers<T>>& batches);

// What the running statistics of batches of so many rows tend to where the true variance is 1, over many batches of
// independent normal numbers: the mean of the batches' variances by n and by n − 1, and the square of the mean of their
// deviations by n − 1.
Study small_batches(const std::vector<double>& sizes, std::size_t batches, std::uint64_t seed);

// ---- The same batches by every convention ----

// The units' true deviations: the first is so narrow that ε counts, the last is wide.
inline constexpr std::array<double, 3> kDeviations = {0.05, 2, 30};

using Batches = std::vector<Numbers<double>>;

struct ConventionStudy {
    std::vector<Convention> conventions;  // PyTorch's first
    Batches batches;
    std::vector<ConventionRun<double>> runs;  // of each convention
};

// The running statistics of spread as variances, whatever they are kept as.
std::vector<double> as_variances(const Convention& convention, std::vector<double> spread);

void compare_with_torch(Document& document, const ConventionStudy& study, const torch_ref::Factory& torch);

}  // namespace byhand::lab
