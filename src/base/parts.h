// The parts of a batch, which may lie in several processes, and sums over all of them in an order that does not depend
// on the number of processes.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/batch.h"
#include "base/group.h"

namespace byhand {

// The rows of a batch in `parts` parts, whose sizes differ by at most one. Precondition: 0 < parts ≤ rows.
std::vector<BatchPart> parts_of(std::size_t rows, std::size_t parts);

// The parts of a rank, `first` to before `last`: with more ranks than parts, some have none.
struct PartsOfRank {
    std::size_t first = 0, last = 0;
    std::size_t count() const { return last - first; }
};
PartsOfRank parts_of_rank(std::size_t parts, std::size_t rank, std::size_t ranks);

// The sum of an array over all parts, of which each has computed a share.
class SumOverParts {
public:
    // Of `count` numbers. `group` must outlive it.
    SumOverParts(Group& group, std::size_t parts, std::size_t count);

    // The share of this rank's k-th part, for the caller to set. A rank without parts has one too, which is not added.
    std::span<float> share(std::size_t k) { return std::span(own_).subspan(k * count_, count_); }

    // Gathers the shares of all ranks and adds them pairwise: parts 0 + 1, 2 + 3, …, then the sums of neighbours, and
    // so on. The result is valid until the next call.
    std::span<const float> total();

private:
    Group& group_;
    std::size_t parts_, count_, most_;  // most: parts of the rank that has the most
    std::vector<float> own_, all_;      // (most, count), and the same of each rank
};

}  // namespace byhand
