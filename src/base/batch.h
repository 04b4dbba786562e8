// One batch of examples, as indices into the vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>

namespace byhand {

// Views; the code that drew the batch owns the arrays. Every index is below V.
struct Batch {
    std::size_t rows = 0;             // B
    const std::int64_t* X = nullptr;  // (B, T): the context
    const std::int64_t* Y = nullptr;  // (B): the target character
};

// Consecutive rows of a batch.
struct BatchPart {
    std::size_t first = 0, rows = 0;
    std::size_t batch = 0;  // the rows of the whole batch
};

}  // namespace byhand
