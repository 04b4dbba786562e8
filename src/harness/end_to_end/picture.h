// A tensor's errors element by element, summed up so that they can be drawn: where they lie, how they are spread, which
// are the worst.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "judge/finding.h"

namespace byhand {

// Errors are drawn in units of what the element is held to: its share.
struct ElementError : Worst {
    double error = 0;
    double share = 0;  // infinite where nothing was to spare, NaN where it has no figure
};

struct Picture {
    // The tensor as a grid: its first extent down (one row where it has no more than one), all others across. A cell
    // stands for `block_rows` × `block_columns` elements, fewer at the far edges.
    std::size_t rows = 0, columns = 0;
    std::size_t block_rows = 1, block_columns = 1;
    std::vector<float> shares;  // a cell each, row after row: the largest share in it; NaN where one has no figure

    // How many elements have which share: none at all; then, by half decades, up to 10^-4.5, … 10^7 and beyond.
    static constexpr std::size_t kBins = 25;
    static constexpr int kFirstDecade = -5;
    std::array<std::size_t, kBins> bins{};
    std::size_t without_figure = 0;  // not finite, or with no limit

    std::vector<ElementError> worst;  // ten, or all; the worst first
    // LibTorch's largest share, where there is an oracle to hold it against.
    std::optional<double> torch_share;
};

inline constexpr std::size_t kMostRows = 32, kMostColumns = 50, kMostInOneRow = 100, kWorst = 10;

// Precondition: `manual` and `torch` have one shape. The oracle may be null or of another. `limits` as compare_tensor
// takes them.
Picture picture_of(const View& manual, const View& torch, const View* oracle, std::span<const double> limits);

}  // namespace byhand
