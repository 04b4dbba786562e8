// The memory layout of the fused step's matrices: the columns are split into panels of 16, 32 or 48, and each panel
// stores its rows one after another, in whole cache lines. A product reads both of its matrices sequentially, whatever
// their width, no vector needs a mask, and the elements of a column are close together for a norm.
//
// The last panel is padded with columns that are never read: zeros in inputs, arbitrary in computed matrices.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/tensors.h"

namespace byhand {

inline constexpr std::size_t kWidestPanel = 48;

struct Panel {
    std::size_t from = 0;   // its first column
    std::size_t width = 0;  // 16, 32 or 48
    std::size_t used = 0;   // columns of the matrix itself: all except in the last panel
    // For a matrix with joined rows (see joined_panels): how many rows are joined, the index of this panel's row among
    // them, and the number of columns before it.
    std::size_t joined = 1, which = 0, before = 0;

    std::size_t stride() const { return joined * width; }  // from one row to the next
};

// Panels as few and as equal as possible.
std::vector<Panel> panels_of(std::size_t columns);

// A matrix (n·joined, columns) in panels, read in place as (n, joined·columns): row i consists of its rows i·joined to
// i·joined + joined − 1. Each panel of the matrix is `joined` panels of the view.
std::vector<Panel> joined_panels(std::size_t columns, std::size_t joined);

// The columns of all panels together: a multiple of 16.
std::size_t padded(std::size_t columns);

// The offset of a panel of a matrix with this many rows: (rows, p.width), p.stride() from row to row.
template <class Value>
Value* in_panel(Value* matrix, std::size_t rows, const Panel& p) {
    return matrix + rows * p.joined * (p.from - p.before) + p.which * p.width;
}

// A matrix in panels, read-only.
struct Panels {
    const float* data = nullptr;
    std::size_t rows = 0;
    std::span<const Panel> panels;
};

// The offset of its element (i, j). Precondition: no joined rows.
inline std::size_t place(const Panels& matrix, std::size_t i, std::size_t j) {
    const Panel* p = matrix.panels.data();
    while (j >= p->from + p->width) {
        ++p;
    }
    return matrix.rows * p->from + i * p->width + (j - p->from);
}

// Consecutive columns of one row in a panel that belong to the same position of the context: embcat (n, T·E) is emb (n,
// T, E) in another shape.
struct Stretch {
    std::size_t from = 0;   // offset in the first row; in row i, i·width further
    std::size_t width = 0;  // of the panel
    std::size_t t = 0, e = 0;
    std::size_t count = 0;
};
std::vector<Stretch> stretches_of(std::size_t n, std::size_t T, std::size_t E);

// A range of rows of a matrix.
struct RowRange {
    std::size_t first = 0, last = 0;  // excluding `last`
};

// From (rows, columns), row-major, to panels with zeros in the padding, and back.
void to_panels(float* panels, const float* matrix, std::size_t rows, std::size_t columns);
void from_panels(float* matrix, const float* panels, std::size_t rows, std::size_t columns);

// A matrix in panels that owns its memory, to convert from other layouts.
struct PanelMatrix {
    std::size_t rows = 0, columns = 0;
    std::vector<Panel> panels;
    AlignedVector<float> data;

    PanelMatrix() = default;
    // Zeros.
    PanelMatrix(std::size_t n, std::size_t width)
        : rows(n), columns(width), panels(panels_of(width)), data(n * padded(width)) {}
    // Copies from (n, width), row-major.
    PanelMatrix(const float* from, std::size_t n, std::size_t width) : PanelMatrix(n, width) {
        to_panels(data.data(), from, n, width);
    }
    Panels view() const { return {data.data(), rows, panels}; }
    float* in(const Panel& p) { return in_panel(data.data(), rows, p); }
    void copy_to(float* to) const { from_panels(to, data.data(), rows, columns); }
};

}  // namespace byhand
