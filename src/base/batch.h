// One batch of examples, as indices into the vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>

namespace byhand {

// Views, owned by whoever drew the batch. Every index is below V.
struct Batch {
    std::size_t rows = 0;             // B
    const std::int64_t* X = nullptr;  // (B, T): the characters before
    const std::int64_t* Y = nullptr;  // (B): the character to predict
};

}  // namespace byhand
