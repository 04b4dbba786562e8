// A batch in parts: the rows of each, the rank that has them, and the order in which their shares of a sum are added.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "base/tensors.h"

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

// ---- Sums over the rows of a batch ----

// The shares of the parts are added in a fixed order, that of a binary tree: parts 0 and 1, 2 and 3, …, then the sums
// of neighbours, until one is left. A rank adds those of its own parts that this order adds to each other, and sends
// what remains; all ranks add what all have sent. The result depends on the number of parts, not on the number of
// ranks.

// Slot `from` is added to slot `to`; each holds the sum over that many rows of the batch.
struct Addition {
    std::size_t to = 0, from = 0;
    std::size_t rows_to = 0, rows_from = 0;
};

// The shares of a rank's parts are computed in order, each in a slot of its own. After each come the additions that the
// order allows; slots that have been added are free again.
struct OwnPart {
    BatchPart rows;
    std::size_t slot = 0;
    std::vector<Addition> additions;
};

// How a rank takes part in the sums.
struct PartSums {
    std::vector<OwnPart> own;
    std::size_t slots = 0;            // that the rank's parts need
    std::size_t left = 0;             // of these, after the rank's own additions
    std::size_t sent = 0;             // slots that each rank sends, from the first on
    std::vector<Addition> additions;  // of what all ranks have sent, (ranks, sent)
    std::size_t total = 0;            // which of these the sum is then in
};

// Precondition: 0 < parts ≤ rows.
PartSums part_sums(std::size_t rows, std::size_t parts, std::size_t rank, std::size_t ranks);

// Means of columns and the variances about them, as shares: Σx/n and Σ(x − x̄)²/D over some rows of a batch, where x̄ is
// the mean of these rows, n the rows of the batch, and D the divisor of the variance.
struct Moments {
    std::size_t batch = 0, positions = 1;  // n = batch · positions
    double divisor = 0;                    // D
};

// Called before the means and the variances of two sets of rows are added: adds to `var` the difference that the
// variances about the common mean have, ab/(a + b)/D · (x̄_b − x̄_a)² for sets of a and b rows.
void add_between(float* var, const float* mean_to, const float* mean_from, std::size_t count, const Moments& moments,
                 const Addition& addition);

// Sums that are exchanged in one message.
struct SharedSums {
    struct Sum {
        float* to = nullptr;
        std::size_t from = 0, count = 0;
    };
    struct Variances {
        Moments moments;
        std::size_t mean = 0, var = 0, count = 0;  // offsets in a slot
    };
    std::vector<Sum> sums;
    std::vector<Variances> variances;  // the sums that are variances; their means are sums as well
    std::size_t count = 0;             // numbers of a slot
    AlignedVector<float> own, all;     // (sent, count), and the same of each rank

    // Room for another sum, on whole cache lines. Returns its offset in a slot.
    std::size_t add(float* to, std::size_t numbers);
    // Adds one slot to another.
    void add_slot(std::span<float> slots, const Addition& addition) const;
    void allocate(const PartSums& parts, std::size_t ranks);
};

// From the sums in the slots of each rank's `own` to those of all parts, each in its place.
void exchange(SharedSums& shared, const PartSums& parts, Group& group);
// The same after the group has gathered every `own` into `all`.
void add_gathered(SharedSums& shared, const PartSums& parts);

// The sum of one array over all parts.
class SumOverParts {
public:
    // Of `count` numbers. `group` must outlive it.
    SumOverParts(Group& group, std::size_t parts, std::size_t count);

    // Of the moments of `count` columns: first the means, then the variances. Precondition: 0 < parts ≤ the batch's
    // rows.
    SumOverParts(Group& group, std::size_t parts, std::size_t count, const Moments& moments);

    // The share of this rank's k-th part, for the caller to set. A rank without parts has one too, which is not added.
    std::span<float> share(std::size_t k) { return std::span(shares_).subspan(k * count_, count_); }

    // Exchanges the sums of the shares. The result is valid until the next call.
    std::span<const float> total();

private:
    SumOverParts(Group& group, PartSums parts, std::size_t count);
    void allocate();

    Group& group_;
    std::size_t count_;
    PartSums parts_;
    SharedSums sums_;
    std::vector<float> shares_, total_;
    AlignedVector<float> slots_;
};

}  // namespace byhand
