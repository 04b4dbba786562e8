// Minibatches, drawn with replacement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/batch.h"
#include "names/dataset.h"
#include "names/random.h"

namespace byhand {

// Memory for one batch of B rows. Its pointers are valid until it is moved or destroyed.
struct DrawnBatch {
    std::vector<std::int64_t> rows;  // (B): the indices of the drawn examples
    std::vector<std::int64_t> X;     // (B, T)
    std::vector<std::int64_t> Y;     // (B)

    DrawnBatch(std::size_t batch, std::size_t context) : rows(batch), X(batch * context), Y(batch) {}
    Batch view() const { return {Y.size(), X.data(), Y.data()}; }
};

inline constexpr std::size_t kMostExamples = std::size_t{1} << 28;

// Draws torch.randint(0, examples.size(), (B,), generator=g) and gathers those rows. Allocates nothing. Preconditions:
// the batch was created for the context of the examples, of which there are at least one and fewer than kMostExamples.
void draw_batch(DrawnBatch& batch, const Examples& examples, TorchGenerator& g);

}  // namespace byhand
