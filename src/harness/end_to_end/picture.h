// A tensor's errors, summarized so that they can be drawn: their places, their distribution, and the largest ones.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "judge/finding.h"

namespace byhand {

// An error is drawn as a share of its element's limit.
struct ElementError : Worst {
    double error = 0;
    double share = 0;  // infinite if the limit is 0, NaN if it has no figure
};

struct Picture {
    // The tensor as a grid: its first extent downwards (a vector is one row), all others across. A cell covers
    // `block_rows` × `block_columns` elements, fewer at the far edges.
    std::size_t rows = 0, columns = 0;
    std::size_t block_rows = 1, block_columns = 1;
    std::vector<float> shares;  // the largest share in each cell, row by row; NaN if an element has no figure

    // The number of elements by share: 0; then half decades, up to 10^-4.5, … 10^7 and beyond.
    static constexpr std::size_t kBins = 25;
    static constexpr int kFirstDecade = -5;
    std::array<std::size_t, kBins> bins{};
    std::size_t without_figure = 0;  // not finite, or with no limit

    std::vector<ElementError> worst;  // ten, or all; the worst first
    // LibTorch's largest share, if there is an oracle.
    std::optional<double> torch_share;
};

inline constexpr std::size_t kMostRows = 32, kMostColumns = 50, kMostInOneRow = 100, kWorst = 10;

// Precondition: `manual` and `torch` have one shape. The oracle may be null or of another. `limits` as compare_tensor
// takes them, or with another treatment of uninformative ones.
Picture picture_of(const View& manual, const View& torch, const View* oracle, std::span<const double> limits,
                   TooWide too_wide = TooWide::held_to_widest);

}  // namespace byhand
