// The tables and plots of the padding experiment.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lab/padding/figures.h"
#include "report/document.h"

namespace byhand::lab {

// Tables show so many rows and columns of the batch; --json has them all.
inline constexpr std::size_t kRowsShown = 24, kColumnsShown = 4;

// Mean and deviation of every column, padded and masked, by both divisors.
Table statistics_table(const PaddingFindings& found);
// One column of the real rows, normalised three ways.
Table normalised_table(const PaddingFindings& found, std::size_t column, Divisor divisor);
// How far off each real row is.
Table off_table(const PaddingFindings& found);
Table layer_table(const PaddingFindings& found);
Table share_table(const PaddingFindings& found);
// The sizes of the gradients that each row receives.
Table gradient_table(const PaddingFindings& found, Divisor divisor);
std::vector<Plot> share_plots(const PaddingFindings& found);

// The word of a row, cut to fit a table.
std::string short_word(const PaddingFindings& found, std::size_t row);

}  // namespace byhand::lab
