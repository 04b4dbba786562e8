// A batch in parts: which rows are in which, who has them, and in which order what they compute is added up.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/batch.h"

namespace byhand {

// The rows of a batch in `parts` parts, whose sizes differ by at most one. Precondition: 0 < parts ≤ rows.
std::vector<BatchPart> parts_of(std::size_t rows, std::size_t parts);

// The parts of a rank, `first` to before `last`: with more ranks than parts, some have none.
struct PartsOfRank {
    std::size_t first = 0, last = 0;
    std::size_t count() const { return last - first; }
};
PartsOfRank parts_of_rank(std::size_t parts, std::size_t rank, std::size_t ranks);

// Adds the parts' shares of a sum into the first: 0 + 1, 2 + 3, …, then the sums of neighbours, until one is left.
// All have the same size.
template <class T>
void add_pairwise(std::span<const std::span<T>> shares) {
    for (std::size_t distance = 1; distance < shares.size(); distance *= 2) {
        for (std::size_t k = 0; k + distance < shares.size(); k += 2 * distance) {
            for (std::size_t i = 0; i < shares[k].size(); ++i) {
                shares[k][i] = shares[k][i] + shares[k + distance][i];
            }
        }
    }
}

}  // namespace byhand
