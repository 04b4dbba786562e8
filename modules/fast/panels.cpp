#include "fast/panels.h"

#include <algorithm>

namespace byhand {
namespace {

constexpr std::size_t kLine = 16;                         // floats in a cache line, and in the widest vector
constexpr std::size_t kMostLines = kWidestPanel / kLine;  // with eight rows of sums they fill AVX-512's registers

}  // namespace

std::size_t padded(std::size_t columns) {
    return (columns + kLine - 1) / kLine * kLine;
}

std::vector<Panel> panels_of(std::size_t columns) {
    const std::size_t lines = padded(columns) / kLine;
    const std::size_t count = (lines + kMostLines - 1) / kMostLines;
    std::vector<Panel> panels;
    panels.reserve(count);
    for (std::size_t p = 0; p < count; ++p) {
        const std::size_t from = lines * p / count * kLine, to = lines * (p + 1) / count * kLine;
        panels.push_back({from, to - from, std::min(to, columns) - from});
    }
    return panels;
}

std::vector<Panel> joined_panels(std::size_t columns, std::size_t joined) {
    std::vector<Panel> all;
    for (std::size_t which = 0; which < joined; ++which) {
        const std::size_t before = which * columns;
        for (const Panel& p : panels_of(columns)) {
            all.push_back({before + p.from, p.width, p.used, joined, which, before});
        }
    }
    return all;
}

std::vector<Stretch> stretches_of(std::size_t n, std::size_t T, std::size_t E) {
    std::vector<Stretch> all;
    for (const Panel& p : panels_of(T * E)) {
        for (std::size_t j = 0; j < p.used;) {
            const std::size_t t = (p.from + j) / E, e = (p.from + j) % E;
            const std::size_t together = std::min(p.used - j, E - e);
            all.push_back({n * p.from + j, p.width, t, e, together});
            j += together;
        }
    }
    return all;
}

void to_panels(float* panels, const float* matrix, std::size_t rows, std::size_t columns) {
    for (const Panel& p : panels_of(columns)) {
        float* to = in_panel(panels, rows, p);
        for (std::size_t i = 0; i < rows; ++i, to += p.width) {
            std::copy_n(matrix + i * columns + p.from, p.used, to);
            std::fill(to + p.used, to + p.width, 0.0F);
        }
    }
}

void from_panels(float* matrix, const float* panels, std::size_t rows, std::size_t columns) {
    for (const Panel& p : panels_of(columns)) {
        const float* from = in_panel(panels, rows, p);
        for (std::size_t i = 0; i < rows; ++i, from += p.width) {
            std::copy_n(from, p.used, matrix + i * columns + p.from);
        }
    }
}

}  // namespace byhand
