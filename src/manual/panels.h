// How the fused step lays out its matrices: the columns are cut into panels of 16, 32 or 48, and the rows of each panel
// lie one after another, whole cache lines each. A product reads both of its matrices straight through then, whatever
// their width, no vector ever needs a mask, and one column's rows lie close together for a norm.
//
// The last panel is filled up with columns that nobody reads: they are zeros in what was put in, anything in what is
// computed.
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
    std::size_t used = 0;   // columns that are the matrix's own: all but in the last panel
    // Of a matrix with joined rows (see joined_panels): how many make one, which of them this panel is of, and the
    // columns that those before it have.
    std::size_t joined = 1, which = 0, before = 0;

    std::size_t stride() const { return joined * width; }  // from one row to the next
};

// As few as there can be, as equal as they can be.
std::vector<Panel> panels_of(std::size_t columns);

// A matrix (n·joined, columns) in panels, read as (n, joined·columns) where it lies: row i is its rows i·joined to
// i·joined + joined − 1, one after another. Each panel of the one is `joined` panels of the other.
std::vector<Panel> joined_panels(std::size_t columns, std::size_t joined);

// The columns of all panels together: a multiple of 16.
std::size_t padded(std::size_t columns);

// Where a panel of a matrix with so many rows begins: (rows, p.width), p.stride() from row to row.
template <class Value>
Value* in_panel(Value* matrix, std::size_t rows, const Panel& p) {
    return matrix + rows * p.joined * (p.from - p.before) + p.which * p.width;
}

// A matrix in panels, to be read.
struct Panels {
    const float* data = nullptr;
    std::size_t rows = 0;
    std::span<const Panel> panels;
};

// Where its element (i, j) stands. Precondition: no joined rows.
inline std::size_t place(const Panels& matrix, std::size_t i, std::size_t j) {
    const Panel* p = matrix.panels.data();
    while (j >= p->from + p->width) {
        ++p;
    }
    return matrix.rows * p->from + i * p->width + (j - p->from);
}

// Columns of one row that lie together in a panel and belong to the same place of the context: embcat (n, T·E) is
// emb (n, T, E) under another shape.
struct Stretch {
    std::size_t from = 0;   // of the first row: where it begins; row i's is i·width further on
    std::size_t width = 0;  // of the panel
    std::size_t t = 0, e = 0;
    std::size_t count = 0;
};
std::vector<Stretch> stretches_of(std::size_t n, std::size_t T, std::size_t E);

// Some of a matrix's rows.
struct Rows {
    std::size_t first = 0, last = 0;  // without `last`
};

// From (rows, columns), row by row, to panels with zeros in the padding, and back.
void to_panels(float* panels, const float* matrix, std::size_t rows, std::size_t columns);
void from_panels(float* matrix, const float* panels, std::size_t rows, std::size_t columns);

// A matrix in panels with its own memory, for those who have one from elsewhere.
struct PanelMatrix {
    std::size_t rows = 0, columns = 0;
    std::vector<Panel> panels;
    AlignedVector<float> data;

    PanelMatrix() = default;
    // Zeros.
    PanelMatrix(std::size_t n, std::size_t width)
        : rows(n), columns(width), panels(panels_of(width)), data(n * padded(width)) {}
    // From (n, width), row by row.
    PanelMatrix(const float* from, std::size_t n, std::size_t width) : PanelMatrix(n, width) {
        to_panels(data.data(), from, n, width);
    }
    Panels view() const { return {data.data(), rows, panels}; }
    float* in(const Panel& p) { return in_panel(data.data(), rows, p); }
    void copy_to(float* to) const { from_panels(to, data.data(), rows, columns); }
};

}  // namespace byhand
