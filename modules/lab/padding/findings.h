// A batch with padding through batch norm, with the padding and without, and through layer norm.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lab/operation.h"
#include "lab/padding/padding.h"

namespace byhand::lab {

using Rows = std::vector<double>;  // (n, H)
using Mask = std::vector<unsigned char>;

// "Padded" is batch norm over all rows, "masked" over the real ones.
struct ByDivisor {
    NormConfig norm;
    const char *words = "", *end = "";           // "divisor n"; of the keys in the JSON
    Numbers<double> padded, masked;              // where the loss reads the real rows only: dy is 0 in padding
    std::vector<double> std_padded, std_masked;  // (H), without ε
    std::vector<double> off;                     // of each row the root mean square of bnraw, padded − masked
    Rows sent_padded, sent_masked;               // the gradient of the input where the loss reads the padding only
};

struct Findings {
    SequenceBatch batch;
    Numbers<double> in;             // its rows; γ, β and the gradient of the result are drawn
    std::vector<std::size_t> real;  // the rows that are no padding
    std::array<ByDivisor, 2> by;    // n, n − 1
    Numbers<double> layer;          // layer norm of the real rows

    std::size_t H() const { return batch.width; }
    std::size_t pads() const { return batch.rows() - real.size(); }
};

// Throws InputError as padding does.
Findings findings(SequenceBatch batch, double epsilon, std::uint64_t seed);

// The root mean square of bnraw, padded − masked, of all real rows with this many rows of zeros below them.
double off_by_padding(const Findings& found, std::size_t pads, const ByDivisor& by);

// Batch norm over the rows whose mask is set. The mask must outlive the graph. Precondition: one such row, two with
// divisor n − 1.
Graph masked_graph(const NormConfig& norm, const Mask& rows, std::size_t H);
// Layer norm, with its backward pass in one line.
Graph layer_graph(double epsilon, std::size_t n, std::size_t H);
// What batch norm reads, by the names of layer norm.
Numbers<double> for_layer_norm(const Numbers<double>& in);

// The rows whose mask is set.
template <class T>
std::vector<T> packed(const std::vector<T>& rows, const Mask& mask) {
    const std::size_t H = rows.size() / mask.size();
    std::vector<T> kept;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (mask[i / H] != 0) {
            kept.push_back(rows[i]);
        }
    }
    return kept;
}
Numbers<double> packed(Numbers<double> in, const Mask& mask);

Rows row_of(const Rows& rows, std::size_t i, std::size_t H);
double root_mean_square(const std::vector<double>& values);

}  // namespace byhand::lab
