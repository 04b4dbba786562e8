// The elementwise kernels of the fused step, and its loss, in float, for the widest vectors of the CPU (chosen at run
// time). Each has a scalar twin among the operations of src/manual, with which its test compares it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "fast/panels.h"

namespace byhand::simd {

// h = tanh(x), within 0.8 ULP; h may be x itself.   Twin: tanh_forward.
void tanh_forward(float* h, const float* x, std::size_t count);

// y = exp(x), within 4 ULP; y may be x itself.   Twin: softmax_exp.
void exp_forward(float* y, const float* x, std::size_t count);

// embcat[i, t·E + e] = C[X[i, t], e].   embcat (n, T·E) in panels, with the stretches of its rows; C (V, E), X (n, T).
// Twin: embedding_forward.
void embedding_forward(float* embcat, const float* C, const std::int64_t* X, std::size_t n, std::size_t T,
                       std::size_t E, std::span<const Stretch> stretches);

// dC[X[i, t], e] += dembcat[i, t·E + e], row after row of some.   Twin, to the bit: embedding_backward.
void embedding_backward(float* dC, const float* dembcat, const std::int64_t* X, const Rows& rows, std::size_t T,
                        std::size_t E, std::span<const Stretch> stretches);

// For some rows: losses[i] = −ln softmax(logits[i])[Y[i]] and dlogits[i] = (softmax(logits[i]) − one-hot(Y[i]))/n,
// where n counts the rows of the batch. dlogits is in panels like logits; its padding is set to 0.   Twin:
// cross_entropy_with_gradient.
void cross_entropy_with_gradient(float* losses, float* dlogits, const Panels& logits, const std::int64_t* Y,
                                 std::size_t n, const Rows& rows);

// Some rows of one panel of the mask that belongs to the key, one number: its element (i, j) is number i·columns + j.
// The panel's padding remains.   Twin, to the bit: dropout_mask.
void dropout_mask(float* mask, const float* key, const Rows& rows, std::size_t columns, const Panel& panel, double p);

// The next four process whole cache lines: all arrays start on one, and the elements between `count` and the end of the
// last line are read and written too.

// dx = dh·(1 − h²); dx may be dh itself.   Twin, to the bit: tanh_backward.
void tanh_backward(float* dx, const float* dh, const float* h, std::size_t count);

// y = a + b, and y = a·b; y may be either of them.   Twins, to the bit: residual_forward; dropout_forward and
// dropout_backward.
void add(float* y, const float* a, const float* b, std::size_t count);
void multiply(float* y, const float* a, const float* b, std::size_t count);

// new_p = p − rate·dp.   Twin, to the bit: descend.
void descend(float* new_p, const float* p, const float* dp, float rate, std::size_t count);

}  // namespace byhand::simd
