#include "fast/by_columns.h"

#include <algorithm>

namespace byhand {
namespace {

std::size_t padded_columns(const Panels& matrix) {
    return matrix.panels.back().from + matrix.panels.back().width;
}

// Calls visit(first, count, padded(count)) for each block of rows.
template <class Visit>
void for_each_block(const RowRange& rows, Visit visit) {
    for (std::size_t first = rows.first; first < rows.last; first += kWidestPanel) {
        const std::size_t count = std::min(kWidestPanel, rows.last - first);
        visit(first, count, padded(count));
    }
}

}  // namespace

bool pays_by_columns(std::size_t rows, std::size_t in, std::size_t out, bool prefetched) {
    // dy and its transpose, together of this many bytes, don't stay in L2: transposing costs twice as much as of W, if
    // W has been prefetched.
    constexpr std::size_t kLarge = std::size_t{1} << 20;
    const bool is_far = prefetched && 2 * sizeof(float) * rows * out >= kLarge;
    const auto vectors = [](std::size_t count) { return (count + 15) / 16; };
    const auto halves = [](std::size_t count) { return (count + 7) / 8; };
    // Multiply-adds of 8 numbers.
    const std::size_t by_rows = rows * halves(in) * out + simd::kTranspose * vectors(in) * halves(out);
    const std::size_t strips = vectors(rows) * (halves(in) + halves(out));
    const std::size_t by_columns = halves(rows) * in * out + (is_far ? 2 : 1) * simd::kTranspose * strips;
    return by_columns < by_rows;
}

void to_columns(float* to, const Panels& dy, const Panel& p, const RowRange& rows) {
    for_each_block(rows, [&](std::size_t first, std::size_t count, std::size_t width) {
        simd::transpose({to + first * padded_columns(dy) + p.from * width, width, width, p.used},
                        in_panel(dy.data, dy.rows, p) + first * p.width, p.width, count);
    });
}

void input_backward_by_columns(float* dx, const Panel& q, const float* dy_by_columns, const Panels& W, float* scratch,
                               const RowRange& rows, const simd::Products& products) {
    for_each_block(rows, [&](std::size_t first, std::size_t count, std::size_t width) {
        products.linear_forward(scratch, W, dy_by_columns + first * padded_columns(W), nullptr,
                                {q.from, q.from + q.used}, {.width = width, .used = count});
        simd::transpose({dx + first * q.stride(), q.stride(), q.width, count}, scratch, width, q.used);
    });
}

}  // namespace byhand
