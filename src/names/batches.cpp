#include "names/batches.h"

#include <algorithm>

namespace byhand {

void draw_batch(DrawnBatch& batch, const Examples& examples, TorchGenerator& g) {
    randint(g, examples.size(), batch.rows);
    // They are scattered over more memory than a cache holds: all are prefetched before the first is read.
    for (const std::int64_t row : batch.rows) {
        const Batch example = examples.rows(static_cast<std::size_t>(row), 1);
        __builtin_prefetch(example.X);
        __builtin_prefetch(example.X + examples.context - 1);
        __builtin_prefetch(example.Y);
    }
    std::int64_t* X = batch.X.data();
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        const Batch row = examples.rows(static_cast<std::size_t>(batch.rows[i]), 1);
        for (std::size_t t = 0; t < examples.context; ++t) {  // too few for a call of memmove
            *X++ = row.X[t];
        }
        batch.Y[i] = *row.Y;
    }
}

}  // namespace byhand
