// What a batch's variance is worth where the batch is small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace byhand::lab {

// Over many batches of independent normal numbers whose true variance is 1: what running statistics settle at.
struct SmallBatch {
    std::size_t rows = 0;
    double by_n = 0, by_n_minus_1 = 0;  // the mean of the batches' variances, by divisor
    double by_deviation = 0;            // the square of the mean of their deviations, by n − 1
};

std::vector<SmallBatch> small_batches(const std::vector<std::size_t>& sizes, std::size_t batches, std::uint64_t seed);

}  // namespace byhand::lab
