// Sums over the rows of a matrix, and along them: used by biases, means, variances, softmax and matrix products.
//
// Eight terms are added in sequence, and then their sum to that of the earlier terms: a sum of n rounds like one of 8 +
// n/8 (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 4.2: blocked summation).
#pragma once

#include <algorithm>
#include <cstddef>

namespace byhand {

inline constexpr std::size_t kSumColumns = 16;

// out[j] = Σ_i term(i, i·width + from + j), i from 0 to n − 1, for at most kSumColumns columns from `from` on.
template <class T, class Term>
void sum_down_columns(T* out, std::size_t n, std::size_t width, std::size_t from, Term term) {
    constexpr std::size_t kRows = 8;
    const std::size_t columns = std::min(kSumColumns, width - from);
    T total[kSumColumns] = {};
    for (std::size_t first = 0; first < n; first += kRows) {
        T part[kSumColumns] = {};
        for (std::size_t i = first; i < std::min(n, first + kRows); ++i) {
            const std::size_t at = i * width + from;
            if (columns == kSumColumns) {  // a constant for the compiler
                for (std::size_t j = 0; j < kSumColumns; ++j) {
                    part[j] += term(i, at + j);
                }
            } else {
                for (std::size_t j = 0; j < columns; ++j) {
                    part[j] += term(i, at + j);
                }
            }
        }
        for (std::size_t j = 0; j < columns; ++j) {
            total[j] += part[j];
        }
    }
    std::copy_n(total, columns, out);
}

// out[j] = Σ_i term(i, i·width + j), i from 0 to n − 1. out (width).
template <class T, class Term>
void sum_down(T* out, std::size_t n, std::size_t width, Term term) {
    for (std::size_t from = 0; from < width; from += kSumColumns) {
        sum_down_columns(out + from, n, width, from, term);
    }
}

// Σ term(j), j from 0 to width − 1, also in blocks of eight.
template <class T, class Term>
T sum_along(std::size_t width, Term term) {
    constexpr std::size_t kTerms = 8;
    T total = 0;
    for (std::size_t first = 0; first < width; first += kTerms) {
        T part = 0;
        for (std::size_t j = first; j < std::min(width, first + kTerms); ++j) {
            part += term(j);
        }
        total += part;
    }
    return total;
}

// out[j] = Σ_i x[i, j].   x (n, width), out (width).
template <class T>
void sum_rows(T* out, const T* x, std::size_t n, std::size_t width) {
    sum_down(out, n, width, [x](std::size_t, std::size_t at) { return x[at]; });
}

// out[j] = Σ_i x[i, j]·y[i, j].   x and y (n, width), out (width).
template <class T>
void sum_rows_of_product(T* out, const T* x, const T* y, std::size_t n, std::size_t width) {
    sum_down(out, n, width, [x, y](std::size_t, std::size_t at) { return x[at] * y[at]; });
}

}  // namespace byhand
