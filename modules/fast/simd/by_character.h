// Computations shared by the rows of a batch that have the same character at the same position of their contexts: rows
// of a table, looked up and added to, in float, for the widest vectors of the CPU (chosen at run time). The second
// function is the transpose of the first. All rows are rows of a panel: `width` numbers, whole cache lines
// (manual/panels.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace byhand::simd {

struct Contexts {
    const std::int64_t* X = nullptr;  // (n, T), below V
    std::size_t n = 0, T = 0, V = 0;
};

// y[i] = Σ_t table[t, X[i, t]] + b; without a bias b is null.   y (n, width), table (T, V, width), b (width).
// Twin, with T = 1: embedding_forward.
void look_up_by_character(float* y, const float* table, const Contexts& contexts, const float* b, std::size_t width);

// sums[t, v] = Σ dy[i] over the rows i with X[i, t] = v.   sums and scratch (T, V, width), dy (n, width).
// Twin, with T = 1 and up to 256 rows to the bit: embedding_backward.
void sum_by_character(float* sums, float* scratch, const float* dy, const Contexts& contexts, std::size_t width);

}  // namespace byhand::simd
