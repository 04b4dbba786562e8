#include "names/batches.h"

namespace byhand {

void draw_batch(DrawnBatch& batch, const Examples& examples, TorchGenerator& g) {
    randint(g, examples.size(), batch.rows);
    // They are scattered over more memory than a cache may hold: each is prefetched so many rows before it is read.
    constexpr std::size_t kAhead = 32;
    const std::size_t count = batch.rows.size();
    for (std::size_t i = 0; i < count + kAhead; ++i) {
        if (i < count) {
            const std::uint32_t* first = examples.text.data() + batch.rows[i];
            __builtin_prefetch(first);
            __builtin_prefetch(first + examples.context);
        }
        if (i >= kAhead) {
            const std::size_t row = i - kAhead;
            examples.copy(static_cast<std::size_t>(batch.rows[row]), batch.X.data() + row * examples.context,
                          batch.Y.data() + row);
        }
    }
}

}  // namespace byhand
