// dx = dy·Wᵀ of a linear layer as (W·dyᵀ)ᵀ: the rows of the batch lie along the vectors, so that no column of the layer
// is padded. dy and dx are transposed instead of W. Each sum has the same order as by rows (simd/product.h).
#pragma once

#include <cstddef>

#include "fast/panels.h"
#include "fast/simd/product.h"

namespace byhand {

// Whether it takes less time than by rows; W (in, out). prefetched: by rows, W is (Products::prefetches_weights).
bool pays_by_columns(std::size_t rows, std::size_t in, std::size_t out, bool prefetched);

// Some rows of panel p of dy, transposed: `to` has padded(rows)·padded(out) numbers, in blocks of kWidestPanel rows,
// each (padded(out), rows). Precondition: rows.first is a multiple of kWidestPanel.
void to_columns(float* to, const Panels& dy, const Panel& p, const RowRange& rows);

// Some rows of panel q of dx, (n, q.width), from dy by columns. scratch: at least q.used·kWidestPanel numbers.
// Precondition as above.
void input_backward_by_columns(float* dx, const Panel& q, const float* dy_by_columns, const Panels& W, float* scratch,
                               const RowRange& rows, const simd::Products& products);

}  // namespace byhand
