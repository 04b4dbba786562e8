// Sums over the rows of a batch: the shares of its parts, added in a fixed order, that of a binary tree: parts 0 and 1,
// 2 and 3, …, then the sums of neighbours, until one is left. A rank adds those of its own parts that this order adds
// to each other, and sends what remains; all ranks add what all have sent. The result depends on the number of parts,
// not on the number of ranks.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/batch.h"
#include "base/group.h"
#include "base/tensors.h"

namespace byhand {

// The shares of a rank's parts are computed in order, each in a slot of its own. After each, the last slot in use is
// added to the one before it and is free again, `additions` times.
struct OwnPart {
    BatchPart rows;
    std::size_t slot = 0, additions = 0;
};

// How a rank takes part in the sums.
struct PartSums {
    struct Addition {
        std::size_t to = 0, from = 0;
    };
    std::vector<OwnPart> own;
    std::size_t slots = 0;            // that the rank's parts need
    std::size_t left = 0;             // of these, after the rank's own additions
    std::size_t sent = 0;             // slots that each rank sends, from the first on
    std::vector<Addition> additions;  // of what all ranks have sent, (ranks, sent)
    std::size_t total = 0;            // which of these the sum is then in
};

// Precondition: 0 < parts ≤ rows.
PartSums part_sums(std::size_t rows, std::size_t parts, std::size_t rank, std::size_t ranks);

// Sums that are exchanged in one message.
struct SharedSums {
    struct Sum {
        float* to = nullptr;
        std::size_t from = 0, count = 0;
    };
    std::vector<Sum> sums;
    std::size_t count = 0;          // numbers of a slot
    AlignedVector<float> own, all;  // (sent, count), and the same of each rank, unless the group adds

    // Room for another sum, on whole cache lines. Returns its offset in a slot.
    std::size_t add(float* to, std::size_t numbers);
    void allocate(const PartSums& parts, const Group& group);
};

// From the sums in the slots of each rank's `own` to those of all parts, each in its place. A group that adds (Reduce)
// gets one slot of each rank, and the sum depends on the number of ranks.
void exchange(SharedSums& shared, const PartSums& parts, Group& group);

// The sum of one array over all parts.
class SumOverParts {
public:
    // Of `count` numbers. `group` must outlive it.
    SumOverParts(Group& group, std::size_t parts, std::size_t count);

    // The share of this rank's k-th part, for the caller to set. A rank without parts has one too, which is not added.
    std::span<float> share(std::size_t k) { return std::span(shares_).subspan(k * count_, count_); }

    // Exchanges what the shares add up to. The result is valid until the next call.
    std::span<const float> total();

private:
    Group& group_;
    std::size_t count_;
    PartSums parts_;
    SharedSums sums_;
    std::vector<float> shares_, total_;
};

}  // namespace byhand
