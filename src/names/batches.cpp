#include "names/batches.h"

#include <algorithm>

namespace byhand {

void draw_batch(DrawnBatch& batch, const Examples& examples, TorchGenerator& g) {
    randint(g, examples.size(), batch.rows);
    std::int64_t* X = batch.X.data();
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        const Batch row = examples.rows(static_cast<std::size_t>(batch.rows[i]), 1);
        X = std::copy_n(row.X, examples.context, X);
        batch.Y[i] = *row.Y;
    }
}

}  // namespace byhand
