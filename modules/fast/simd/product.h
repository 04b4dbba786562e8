// The three products of a linear layer, in float, over matrices in panels (panels.h), for the widest vectors of
// the CPU (chosen at run time). All three use the same scheme: tiles of the result stay in registers during the sum.
// Each function computes one panel of the result, or some rows of it; the sums depend neither on how the work is split
// nor on the width of the vectors, but on whether the CPU multiplies and adds with one rounding or two.
#pragma once

#include <cstddef>

#include "fast/panels.h"

namespace byhand::simd {

// The part of a linear's weights that linear_descend updates.
struct Descent {
    float* new_W = nullptr;
    const float* W = nullptr;
    float rate = 0;
};

// The products of a step. In x and dx rows may be joined (joined_panels).
class Products {
public:
    Products() = default;
    Products(const Products&) = delete;
    Products& operator=(const Products&) = delete;
    virtual ~Products() = default;

    // Some rows of y = x·W + b; b is null without a bias.   y, the first of `rows`, p.width numbers each; x (n, in); W
    // (in, p.width) and b (p.width), panel p of the layer's.   Twin: linear_forward.
    virtual void linear_forward(float* y, const Panels& x, const float* W, const float* b, const RowRange& rows,
                                const Panel& p) const = 0;

    // dx = dy·Wᵀ.   dx (n, q.width), panel q, of which `rows` are computed; dy (n, out); W (in, out). scratch: at least
    // padded(out)·q.width numbers.   Twin: linear_input_backward.
    virtual void linear_input_backward(float* dx, const Panels& dy, const Panels& W, float* scratch,
                                       const RowRange& rows, const Panel& q) const = 0;
    // Whether it prefetches the rows of W that the next panel of dx needs.
    virtual bool prefetches_weights() const { return false; }

    // dW = xᵀ·dy.   The part (q.used, p.width) of dW (in, out) for the inputs of panel q and the outputs of panel p; x
    // (n, q.width), panel q; dy (n, p.width), panel p.   Twin: linear_weight_backward.
    virtual void linear_weight_backward(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p,
                                        std::size_t n) const = 0;

    // Computes dW and the update that reads it, to the bit: linear_weight_backward, and new_W = W − rate·dW for the
    // same part. dW is scratch if it is not to be kept.   Twins: linear_weight_backward and descend.
    virtual void linear_descend(const Descent& descent, float* dW, bool kept, const float* x, const Panel& q,
                                const float* dy, const Panel& p, std::size_t n) const = 0;
};

// By hand, for the widest vectors of the CPU.
const Products& products();

// Part of a matrix with rows of whole vectors, which transpose writes.
struct Transposed {
    float* data = nullptr;
    std::size_t row = 0;    // from one row to the next
    std::size_t width = 0;  // of a row, a multiple of 16
    std::size_t rows = 0;
};

// Transposing 16 rows by 8 columns costs as much as so many multiply-adds of 8 numbers.
inline constexpr std::size_t kTranspose = 100;

// to(j, i) = from(i, j) for i < rows, and 0 from there on. from (rows, to.rows), from_row from row to row, each as many
// whole vectors of 16.
void transpose(const Transposed& to, const float* from, std::size_t from_row, std::size_t rows);

}  // namespace byhand::simd
