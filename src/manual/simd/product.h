// The three products of a linear layer, in float, over matrices in panels (manual/panels.h), for the widest vectors
// that the CPU has (chosen at run time). One scheme serves all three: tiles of the result stay in registers while the
// sum runs. Each function makes one panel of the result, or some rows of it; the sums do not depend on how the work is
// split, nor on the vectors' width, but on whether the CPU multiplies and adds with one rounding or two.
#pragma once

#include <cstddef>

#include "manual/panels.h"

namespace byhand::simd {

// In x and dx rows may be joined (joined_panels).

// y = x·W + b; without a bias b is null.   y (n, p.width), of which `rows` are made; x (n, in); W (in, p.width) and
// b (p.width), panel p of the layer's.   Twin: linear_forward.
void linear_forward(float* y, const Panels& x, const float* W, const float* b, const Rows& rows, const Panel& p);

// dx = dy·Wᵀ.   dx (n, q.width), panel q, of which `rows` are made; dy (n, out); W (in, out). scratch: out·q.width
// numbers and no fewer than padded(out)·q.width.   Twin: linear_input_backward.
void linear_input_backward(float* dx, const Panels& dy, const Panels& W, float* scratch, const Rows& rows,
                           const Panel& q);

// dW = xᵀ·dy.   Of dW (in, out) the part (q.used, p.width) where the inputs of panel q meet the outputs of panel p; x
// (n, q.width), panel q; dy (n, p.width), panel p.   Twin: linear_weight_backward.
void linear_weight_backward(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p, std::size_t n);

// The part of a linear's weights that linear_descend makes anew.
struct Descent {
    float* new_W = nullptr;
    const float* W = nullptr;
    float rate = 0;
};

// The last use of dW with its making, to the bit: linear_weight_backward, and new_W = W − rate·dW for the same part.
// dW is scratch where it is not to be kept.   Twins: linear_weight_backward and descend.
void linear_descend(const Descent& descent, float* dW, bool kept, const float* x, const Panel& q, const float* dy,
                    const Panel& p, std::size_t n);

}  // namespace byhand::simd
