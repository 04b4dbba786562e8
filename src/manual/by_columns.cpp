#include "manual/by_columns.h"

#include <algorithm>

namespace byhand {
namespace {

std::size_t padded_columns(const Panels& matrix) {
    return matrix.panels.back().from + matrix.panels.back().width;
}

// Calls visit(first, count, padded(count)) for each block of rows.
template <class Visit>
void for_each_block(const Rows& rows, Visit visit) {
    for (std::size_t first = rows.first; first < rows.last; first += kWidestPanel) {
        const std::size_t count = std::min(kWidestPanel, rows.last - first);
        visit(first, count, padded(count));
    }
}

}  // namespace

bool pays_by_columns(std::size_t rows, std::size_t in, std::size_t out) {
    // Transposing a square of 16 costs as much as so many vectors of multiply-adds.
    constexpr std::size_t kLine = 16, kSquare = 100;
    const auto lines = [](std::size_t count) { return padded(count) / kLine; };
    const std::size_t by_rows = rows * lines(in) * out + kSquare * lines(in) * out / kLine;
    const std::size_t by_columns = lines(rows) * in * out + kSquare * lines(rows) * (lines(in) + lines(out));
    return by_columns < by_rows;
}

void to_columns(float* to, const Panels& dy, const Panel& p, const Rows& rows) {
    for_each_block(rows, [&](std::size_t first, std::size_t count, std::size_t width) {
        simd::transpose({to + first * padded_columns(dy) + p.from * width, width, width, p.used},
                        in_panel(dy.data, dy.rows, p) + first * p.width, p.width, count);
    });
}

void input_backward_by_columns(float* dx, const Panel& q, const float* dy_by_columns, const Panels& W, float* scratch,
                               const Rows& rows, const simd::Products& products) {
    for_each_block(rows, [&](std::size_t first, std::size_t count, std::size_t width) {
        products.linear_forward(scratch, W, dy_by_columns + first * padded_columns(W), nullptr,
                                {q.from, q.from + q.used}, {.width = width, .used = count});
        simd::transpose({dx + first * q.stride(), q.stride(), q.width, count}, scratch, width, q.used);
    });
}

}  // namespace byhand
