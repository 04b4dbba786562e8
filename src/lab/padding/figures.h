// What rows of padding do to the norms of a batch, as numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/network.h"
#include "lab/padding/norms.h"
#include "lab/padding/sequences.h"

namespace byhand::lab {

// By one divisor; (H), (n) or (n, H). "Padded" is batch norm over all rows, "masked" over the real ones.
struct PaddingFigures {
    NormForward<double> padded, masked;
    std::vector<double> std_padded, std_masked;  // without ε
    // Of each row the root mean square of bnraw, padded − masked; 0 where it is padding.
    std::vector<double> off;
    // The gradient of the input where the loss reads the real rows alone: dy is 0 in padding.
    std::vector<double> dx_padded, dx_masked;
    // What comes back of the gradient that arrives in padding: dy is 0 in real rows.
    std::vector<double> sent_padded, sent_masked;
};
// Precondition: a real row, two with divisor n − 1.
PaddingFigures padding_figures(const NormInput<double>& in, const Mask& mask, const NormConfig& norm);

// The same real rows with more and more rows of zeros.
struct AtShare {
    std::size_t pads = 0;
    double share = 0;               // of all rows
    std::vector<double> mean, std;  // (H), padded
    std::vector<double> first;      // (H), the first real row normalised
    double off = 0, most = 0;       // root mean square of bnraw, padded − masked: of all real rows, of the worst one
};
// From none to 90 % of all rows, in steps of 5 % or of one row where that is more.
std::vector<AtShare> by_share(const NormInput<double>& real, const NormConfig& norm);

// A batch and all that is found of it.
struct PaddingFindings {
    SequenceBatch batch;
    NormInput<double> in;               // its rows; γ, β and the gradient of the result are drawn
    std::vector<std::size_t> real;      // the rows that are no padding
    PaddingFigures by_n, by_n_minus_1;  // batch norm
    LayerNormForward<double> layer;     // of the real rows alone
    std::vector<AtShare> shares, shares_n_minus_1;

    std::size_t pads() const { return batch.rows() - real.size(); }
};
// ε stands inside the root. Throws InputError where it is 0 and a column of the real rows, or a real row, is the same
// number throughout: that can't be normalised.
PaddingFindings padding_findings(SequenceBatch batch, double epsilon, std::uint64_t seed);
NormConfig padding_conventions(Divisor divisor, double epsilon);

// The root mean square of all.
double root_mean_square(const std::vector<double>& values);

// √Σx² of each row. rows (n, H) → (n).
std::vector<double> row_norms(const std::vector<double>& rows, std::size_t H);

}  // namespace byhand::lab
