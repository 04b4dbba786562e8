// The embedding: a row of C for every character, and the concatenated rows of one context.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace byhand {

// emb[i] = C[X[i]].   emb (n, E), C (V, E), X (n): n = B·T characters.
template <class T>
void embedding_forward(T* emb, const T* C, const std::int64_t* X, std::size_t n, std::size_t E) {
    for (std::size_t i = 0; i < n; ++i) {
        std::copy_n(C + X[i] * E, E, emb + i * E);
    }
}

// dC[v] = Σ over the places i with X[i] = v of demb[i]: a row collects from every place its character was used.
// dC (V, E), demb (n, E), X (n).
template <class T>
void embedding_backward(T* dC, const T* demb, const std::int64_t* X, std::size_t n, std::size_t V, std::size_t E) {
    std::fill_n(dC, V * E, T{0});
    for (std::size_t i = 0; i < n; ++i) {
        T* row = dC + X[i] * E;
        for (std::size_t e = 0; e < E; ++e) {
            row[e] += demb[i * E + e];
        }
    }
}

// embcat (B, T·E) = emb (B, T, E), or any positions joined: the same numbers under another shape.
template <class T>
void concatenate_forward(T* embcat, const T* emb, std::size_t count) {
    std::copy_n(emb, count, embcat);
}

// demb = dembcat, shaped back.
template <class T>
void concatenate_backward(T* demb, const T* dembcat, std::size_t count) {
    std::copy_n(dembcat, count, demb);
}

}  // namespace byhand
