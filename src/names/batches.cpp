#include "names/batches.h"

namespace byhand {

void draw_batch(DrawnBatch& batch, const Examples& examples, TorchGenerator& g) {
    randint(g, examples.size(), batch.rows);
    // They are scattered over more memory than a cache may hold: all are prefetched before the first is read.
    for (const std::int64_t row : batch.rows) {
        const std::uint32_t* first = examples.text.data() + row;
        __builtin_prefetch(first);
        __builtin_prefetch(first + examples.context);
    }
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        examples.copy(static_cast<std::size_t>(batch.rows[i]), batch.X.data() + i * examples.context,
                      batch.Y.data() + i);
    }
}

}  // namespace byhand
