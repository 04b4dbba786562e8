// The kernels of the fused step, in float, for the widest vectors that the CPU has (chosen at run time). Each has a
// scalar twin among the operations of src/manual, against which its test holds it.
//
// The order of every sum is fixed by the shapes alone: the same input gives the same bytes on the same kind of CPU.
#pragma once

#include <cstddef>

namespace byhand::simd {

// y = x·W + b; without a bias b is null.   x (n, in), W (in, out), b (out), y (n, out).   Twin: linear_forward.
void linear_forward(float* y, const float* x, const float* W, const float* b, std::size_t n, std::size_t in,
                    std::size_t out);

// dx = dy·Wᵀ.   dx (n, in), dy (n, out), W (in, out); scratch holds in·out values.   Twin: linear_input_backward.
void linear_input_backward(float* dx, const float* dy, const float* W, float* scratch, std::size_t n, std::size_t in,
                           std::size_t out);

// dW = xᵀ·dy.   dW (in, out), x (n, in), dy (n, out).   Twin: linear_weight_backward.
void linear_weight_backward(float* dW, const float* x, const float* dy, std::size_t n, std::size_t in, std::size_t out);

// h = tanh(x), within 4 ULP; h may be x itself.   Twin: tanh_forward.
void tanh_forward(float* h, const float* x, std::size_t count);

// y = exp(x), within 4 ULP; y may be x itself.   Twin: softmax_exp.
void exp_forward(float* y, const float* x, std::size_t count);

}  // namespace byhand::simd
