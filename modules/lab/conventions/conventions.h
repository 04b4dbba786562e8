// The same batches through batch norm as the field defines it: what differs between the definitions, and by how much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/network.h"
#include "lab/experiments.h"
#include "lab/operation.h"
#include "report/document.h"

namespace byhand::lab {

struct ConventionsOptions {
    std::size_t rows = 7, batches = 1000;  // rows of a batch: at least 2; batches: at least 1
    std::uint64_t seed = 1;

    std::vector<OwnOption> own() {
        constexpr double kMost = 100'000;
        return {{"--rows", "Rows of a batch", &rows, 2, kMost},
                {"--batches", "Number of batches", &batches, 1, kMost},
                {"--seed", "Seed of the generator", &seed, 0}};
    }
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
ConventionRun<T> run_convention(const Convention& convention, const std::vector<Tensors<T>>& batches);

}  // namespace byhand::lab
