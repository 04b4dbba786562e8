#include "manual/simd/kernels.h"

#include <algorithm>

// This file is compiled once for every kind of vector; HWY_DYNAMIC_DISPATCH below picks the best one the CPU has.
// foreach_target comes before highway, whatever the alphabet says.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manual/simd/kernels.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

// A matrix that is read element by element: (i, k) stands at data[i·row + k·column].
struct Strided {
    const float* data;
    std::size_t row, column;
};

// The first lanes of a vector: those that lie inside an array.
struct Lanes {
    std::size_t count;
    M mask;

    explicit Lanes(std::size_t left) : count(std::min(left, hn::Lanes(D()))), mask(hn::FirstN(D(), count)) {}
};

// Not every kind of vector can leave memory alone where a mask says so. (AVX2 can for floats, if not for bytes.)
#if HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_AVX2
constexpr bool kMasksAreSafe = false;
#else
constexpr bool kMasksAreSafe = true;
#endif

// They alone are read, the others are 0.
HWY_INLINE V load(const Lanes& lanes, const float* p) {
    const D d;
    if (kMasksAreSafe) {
        return hn::MaskedLoad(lanes.mask, d, p);
    }
    if (lanes.count < hn::Lanes(d)) {
        HWY_ALIGN float copy[hn::MaxLanes(D())] = {};
        std::copy_n(p, lanes.count, copy);
        return hn::Load(d, copy);
    }
    return hn::LoadU(d, p);
}

// They alone are written.
HWY_INLINE void store(V v, const Lanes& lanes, float* p) {
    const D d;
    if (kMasksAreSafe) {
        hn::BlendedStore(v, lanes.mask, d, p);
    } else if (lanes.count < hn::Lanes(d)) {
        HWY_ALIGN float copy[hn::MaxLanes(D())];
        hn::Store(v, d, copy);
        std::copy_n(copy, lanes.count, p);
    } else {
        hn::StoreU(v, d, p);
    }
}

// Columns j … of one strip of c, up to two vectors wide.
struct Strip {
    std::size_t j = 0;
    Lanes first, second;
    bool has_second = false;
};

// The bias of a strip, zeros where there is none. It comes onto the finished sum: the other way round each small term
// would be rounded at the size of the bias.
struct Bias {
    V first, second;
};
HWY_INLINE Bias bias_of(const float* bias, const Strip& s) {
    const D d;
    const bool has_second = bias != nullptr && s.has_second;
    return {bias == nullptr ? hn::Zero(d) : load(s.first, bias + s.j),
            has_second ? load(s.second, bias + s.j + hn::Lanes(d)) : hn::Zero(d)};
}

// Terms that are added one after another before their sum is added to the rest: long sums round less that way.
constexpr std::size_t kTerms = 32;

// c[i …, strip] = Σ_k a(i, k)·b[k, strip] + bias for four rows: eight sums in registers, k rising.
void four_rows(float* c, const Strided& a, const float* b, const float* bias, std::size_t i, std::size_t depth,
               std::size_t columns, const Strip& s) {
    const D d;
    const std::size_t N = hn::Lanes(d);
    V t00 = hn::Zero(d), t10 = t00, t20 = t00, t30 = t00;
    V t01 = t00, t11 = t00, t21 = t00, t31 = t00;
    const float* a0 = a.data + i * a.row;
    const float* a1 = a0 + a.row;
    const float* a2 = a1 + a.row;
    const float* a3 = a2 + a.row;
    for (std::size_t from = 0; from < depth; from += kTerms) {
        const std::size_t to = std::min(depth, from + kTerms);
        V c00 = hn::Zero(d), c10 = c00, c20 = c00, c30 = c00;
        V c01 = c00, c11 = c00, c21 = c00, c31 = c00;
        if (!s.has_second) {
            for (std::size_t k = from; k < to; ++k) {
                const V b0 = load(s.first, b + k * columns + s.j);
                const std::size_t at = k * a.column;
                c00 = hn::MulAdd(hn::Set(d, a0[at]), b0, c00);
                c10 = hn::MulAdd(hn::Set(d, a1[at]), b0, c10);
                c20 = hn::MulAdd(hn::Set(d, a2[at]), b0, c20);
                c30 = hn::MulAdd(hn::Set(d, a3[at]), b0, c30);
            }
        }
        for (std::size_t k = from; s.has_second && k < to; ++k) {
            const V b0 = load(s.first, b + k * columns + s.j);
            const V b1 = load(s.second, b + k * columns + s.j + N);
            const std::size_t at = k * a.column;
            const V x0 = hn::Set(d, a0[at]), x1 = hn::Set(d, a1[at]), x2 = hn::Set(d, a2[at]), x3 = hn::Set(d, a3[at]);
            c00 = hn::MulAdd(x0, b0, c00);
            c01 = hn::MulAdd(x0, b1, c01);
            c10 = hn::MulAdd(x1, b0, c10);
            c11 = hn::MulAdd(x1, b1, c11);
            c20 = hn::MulAdd(x2, b0, c20);
            c21 = hn::MulAdd(x2, b1, c21);
            c30 = hn::MulAdd(x3, b0, c30);
            c31 = hn::MulAdd(x3, b1, c31);
        }
        t00 = hn::Add(t00, c00), t10 = hn::Add(t10, c10), t20 = hn::Add(t20, c20), t30 = hn::Add(t30, c30);
        t01 = hn::Add(t01, c01), t11 = hn::Add(t11, c11), t21 = hn::Add(t21, c21), t31 = hn::Add(t31, c31);
    }
    float* out = c + i * columns + s.j;
    const Bias add = bias_of(bias, s);
    store(hn::Add(t00, add.first), s.first, out);
    store(hn::Add(t10, add.first), s.first, out + columns);
    store(hn::Add(t20, add.first), s.first, out + 2 * columns);
    store(hn::Add(t30, add.first), s.first, out + 3 * columns);
    if (s.has_second) {
        store(hn::Add(t01, add.second), s.second, out + N);
        store(hn::Add(t11, add.second), s.second, out + columns + N);
        store(hn::Add(t21, add.second), s.second, out + 2 * columns + N);
        store(hn::Add(t31, add.second), s.second, out + 3 * columns + N);
    }
}

// The same for one row: what four do not divide.
void one_row(float* c, const Strided& a, const float* b, const float* bias, std::size_t i, std::size_t depth,
             std::size_t columns, const Strip& s) {
    const D d;
    const std::size_t N = hn::Lanes(d);
    V t0 = hn::Zero(d), t1 = t0;
    const float* a0 = a.data + i * a.row;
    for (std::size_t from = 0; from < depth; from += kTerms) {
        V c0 = hn::Zero(d), c1 = c0;
        for (std::size_t k = from; k < std::min(depth, from + kTerms); ++k) {
            const V x0 = hn::Set(d, a0[k * a.column]);
            c0 = hn::MulAdd(x0, load(s.first, b + k * columns + s.j), c0);
            if (s.has_second) {
                c1 = hn::MulAdd(x0, load(s.second, b + k * columns + s.j + N), c1);
            }
        }
        t0 = hn::Add(t0, c0);
        t1 = hn::Add(t1, c1);
    }
    float* out = c + i * columns + s.j;
    const Bias add = bias_of(bias, s);
    store(hn::Add(t0, add.first), s.first, out);
    if (s.has_second) {
        store(hn::Add(t1, add.second), s.second, out + N);
    }
}

// c = a·b + bias.   a (rows, depth) strided, b (depth, columns), c (rows, columns), bias (columns) or null.
void product(float* c, Strided a, const float* b, const float* bias, std::size_t rows, std::size_t depth,
             std::size_t columns) {
    const D d;
    const std::size_t N = hn::Lanes(d);
    for (std::size_t j = 0; j < columns; j += 2 * N) {
        const std::size_t left = columns - j;
        const std::size_t left_after = left > N ? left - N : 0;
        const Strip strip{j, Lanes(left), Lanes(left_after), left_after > 0};
        std::size_t i = 0;
        for (; i + 4 <= rows; i += 4) {
            four_rows(c, a, b, bias, i, depth, columns, strip);
        }
        for (; i < rows; ++i) {
            one_row(c, a, b, bias, i, depth, columns, strip);
        }
    }
}

void linear_forward(float* y, const float* x, const float* W, const float* b, std::size_t n, std::size_t in,
                    std::size_t out) {
    product(y, {x, in, 1}, W, b, n, in, out);
}

void linear_weight_backward(float* dW, const float* x, const float* dy, std::size_t n, std::size_t in,
                            std::size_t out) {
    product(dW, {x, 1, in}, dy, nullptr, in, n, out);
}

void linear_input_backward(float* dx, const float* dy, const float* W, float* scratch, std::size_t n, std::size_t in,
                           std::size_t out) {
    for (std::size_t k = 0; k < in; ++k) {
        for (std::size_t j = 0; j < out; ++j) {
            scratch[j * in + k] = W[k * out + j];  // Wᵀ
        }
    }
    product(dx, {dy, out, 1}, scratch, nullptr, n, out, in);
}

// out = f(in), vector by vector, the last one masked.
template <class Function>
void map(float* out, const float* in, std::size_t count, Function f) {
    const D d;
    const std::size_t N = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + N <= count; i += N) {
        hn::StoreU(f(d, hn::LoadU(d, in + i)), d, out + i);
    }
    if (i < count) {
        const Lanes rest(count - i);
        store(f(d, load(rest, in + i)), rest, out + i);
    }
}

void tanh_forward(float* h, const float* x, std::size_t count) {
    map(h, x, count, [](D d, V v) HWY_ATTR { return hn::Tanh(d, v); });
}

void exp_forward(float* y, const float* x, std::size_t count) {
    // Highway's Exp makes 0 of NaN, and of x > 177 anything at all: e^89 is infinite already.
    map(y, x, count,
        [](D d, V v) HWY_ATTR { return hn::IfThenElse(hn::IsNaN(v), v, hn::Exp(d, hn::Min(v, hn::Set(d, 89.0F)))); });
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(linear_forward);
HWY_EXPORT(linear_input_backward);
HWY_EXPORT(linear_weight_backward);
HWY_EXPORT(tanh_forward);
HWY_EXPORT(exp_forward);

}  // namespace

void linear_forward(float* y, const float* x, const float* W, const float* b, std::size_t n, std::size_t in,
                    std::size_t out) {
    HWY_DYNAMIC_DISPATCH(linear_forward)(y, x, W, b, n, in, out);
}

void linear_input_backward(float* dx, const float* dy, const float* W, float* scratch, std::size_t n, std::size_t in,
                           std::size_t out) {
    HWY_DYNAMIC_DISPATCH(linear_input_backward)(dx, dy, W, scratch, n, in, out);
}

void linear_weight_backward(float* dW, const float* x, const float* dy, std::size_t n, std::size_t in,
                            std::size_t out) {
    HWY_DYNAMIC_DISPATCH(linear_weight_backward)(dW, x, dy, n, in, out);
}

void tanh_forward(float* h, const float* x, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(tanh_forward)(h, x, count);
}

void exp_forward(float* y, const float* x, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(exp_forward)(y, x, count);
}

}  // namespace byhand::simd
#endif
