#include "fast/simd/kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "manual/dropout/formulas.h"

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast/simd/kernels.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "fast/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

using M = hn::Mask<D>;

// The first lanes of a vector: those inside an array.
struct Lanes {
    std::size_t count;
    M mask;

    explicit Lanes(std::size_t left) : count(std::min(left, hn::Lanes(D()))), mask(hn::FirstN(D(), count)) {}
};

// Not every vector type can exclude lanes from a memory access by a mask. (AVX2 can for floats, but not for bytes.)
#if HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_AVX2
constexpr bool kMasksAreSafe = false;
#else
constexpr bool kMasksAreSafe = true;
#endif

// Only these lanes are read, the others are 0.
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

// Only these lanes are written.
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

// out = f(in): f replaces an array of vectors. Several at once, then one by one, the last one masked.
template <class Function>
void map(float* out, const float* in, std::size_t count, Function f) {
    constexpr std::size_t kTogether = 4;
    const D d;
    const std::size_t N = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + kTogether * N <= count; i += kTogether * N) {
        V several[kTogether];
        for (std::size_t k = 0; k < kTogether; ++k) {
            several[k] = hn::LoadU(d, in + i + k * N);
        }
        f(several);
        for (std::size_t k = 0; k < kTogether; ++k) {
            hn::StoreU(several[k], d, out + i + k * N);
        }
    }
    for (; i < count; i += N) {
        const Lanes lanes(count - i);
        V one[] = {load(lanes, in + i)};
        f(one);
        store(one[0], lanes, out + i);
    }
}

void tanh_forward(float* h, const float* x, std::size_t count) {
    map(h, x, count, [](auto& vectors) HWY_ATTR { tanh(vectors); });
}

void exp_forward(float* y, const float* x, std::size_t count) {
    map(y, x, count, [](auto& vectors) HWY_ATTR {
        for (V& one : vectors) {
            one = exp(one);
        }
    });
}

// Calls visit(first element in embcat, first element in C, count) for some rows of embcat, one after another.
template <class Visit>
HWY_INLINE void for_each_character(const std::int64_t* X, const RowRange& rows, std::size_t T, std::size_t E,
                                   std::span<const Stretch> stretches, Visit visit) {
    for (std::size_t i = rows.first; i < rows.last; ++i) {
        for (const Stretch& s : stretches) {
            visit(s.from + i * s.width, static_cast<std::size_t>(X[i * T + s.t]) * E + s.e, s.count);
        }
    }
}

void embedding_forward(float* embcat, const float* C, const std::int64_t* X, std::size_t n, std::size_t T,
                       std::size_t E, std::span<const Stretch> stretches) {
    for_each_character(X, {0, n}, T, E, stretches, [=](std::size_t at, std::size_t in_C, std::size_t count) HWY_ATTR {
        for (std::size_t k = 0; k < count; k += hn::Lanes(D())) {
            const Lanes lanes(count - k);
            store(load(lanes, C + in_C + k), lanes, embcat + at + k);
        }
    });
}

void embedding_backward(float* dC, const float* dembcat, const std::int64_t* X, const RowRange& rows, std::size_t T,
                        std::size_t E, std::span<const Stretch> stretches) {
    for_each_character(X, rows, T, E, stretches, [=](std::size_t at, std::size_t in_C, std::size_t count) HWY_ATTR {
        const D d;
        const std::size_t N = hn::Lanes(d);
        std::size_t k = 0;
        for (; k + N <= count; k += N) {
            hn::StoreU(hn::Add(hn::LoadU(d, dC + in_C + k), hn::LoadU(d, dembcat + at + k)), d, dC + in_C + k);
        }
        // Not by a mask: the next row may read what this one has written, and would have to wait.
        for (; k < count; ++k) {
            dC[in_C + k] += dembcat[at + k];
        }
    });
}

// visit(r, at, is) for each vector of kCount rows from i on: the row, less i, the vector's offset, and a mask of the
// lanes that belong to the matrix.
template <std::size_t kCount, class Visit>
HWY_INLINE void for_each_vector(const Panels& matrix, std::size_t i, Visit visit) {
    const D d;
    for (const Panel& p : matrix.panels) {
        const std::size_t row = matrix.rows * p.from + i * p.width;
        for (std::size_t j = 0; j < p.width; j += hn::Lanes(d)) {
            const M own = hn::FirstN(d, p.used - std::min(p.used, j));
            HWY_UNROLL(4)
            for (std::size_t r = 0; r < kCount; ++r) {
                visit(r, row + j + r * p.width, own);
            }
        }
    }
}

// Several rows at once: within one row, each of the three parts would have to wait for the one before.
void cross_entropy_with_gradient(float* losses, float* dlogits, const Panels& logits, const std::int64_t* Y,
                                 std::size_t n, const RowRange& rows) {
    constexpr std::size_t kTogether = 32;
    const D d;
    const float share = 1.0F / static_cast<float>(n);
    const V nothing = hn::Set(d, -std::numeric_limits<float>::infinity());
    for (std::size_t first = rows.first; first < rows.last; first += kTogether) {
        const std::size_t last = std::min(first + kTogether, rows.last);
        float max[kTogether], sum[kTogether];
        for_rows(first, last, [&](std::size_t i, auto count) HWY_ATTR {
            V largest[count];
            for (V& one : largest) {
                one = nothing;
            }
            for_each_vector<count>(logits, i, [&](std::size_t r, std::size_t at, M own) HWY_ATTR {
                largest[r] = hn::Max(hn::IfThenElse(own, hn::Load(d, logits.data + at), nothing), largest[r]);
            });
            for (std::size_t r = 0; r < count; ++r) {
                max[i - first + r] = hn::GetLane(hn::MaxOfLanes(d, largest[r]));
            }
        });
        for_rows(first, last, [&](std::size_t i, auto count) HWY_ATTR {
            V total[count];
            for (V& one : total) {
                one = hn::Zero(d);
            }
            for_each_vector<count>(logits, i, [&](std::size_t r, std::size_t at, M own) HWY_ATTR {
                const V shift = hn::Set(d, max[i - first + r]);
                const V e = hn::IfThenElseZero(own, exp(hn::Sub(hn::Load(d, logits.data + at), shift)));
                hn::Store(e, d, dlogits + at);
                total[r] = hn::Add(total[r], e);
            });
            for (std::size_t r = 0; r < count; ++r) {
                sum[i - first + r] = hn::GetLane(hn::SumOfLanes(d, total[r]));
            }
        });
        for_rows(first, last, [&](std::size_t i, auto count) HWY_ATTR {
            V scale[count];
            for (std::size_t r = 0; r < count; ++r) {
                scale[r] = hn::Set(d, share / sum[i - first + r]);
            }
            for_each_vector<count>(logits, i, [&](std::size_t r, std::size_t at, M) HWY_ATTR {
                hn::Store(hn::Mul(hn::Load(d, dlogits + at), scale[r]), d, dlogits + at);
            });
        });
        for (std::size_t i = first; i < last; ++i) {
            const std::size_t target = place(logits, i, static_cast<std::size_t>(Y[i]));
            dlogits[target] -= share;
            losses[i] = std::log(sum[i - first]) - (logits.data[target] - max[i - first]);
        }
    }
}

void tanh_backward(float* dx, const float* dh, const float* h, std::size_t count) {
    const D d;
    const V one = hn::Set(d, 1.0F);
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        const V t = hn::Load(d, h + i);
        hn::Store(hn::Mul(hn::Load(d, dh + i), hn::Sub(one, hn::Mul(t, t))), d, dx + i);
    }
}

void add(float* y, const float* a, const float* b, std::size_t count) {
    const D d;
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        hn::Store(hn::Add(hn::Load(d, a + i), hn::Load(d, b + i)), d, y + i);
    }
}

void multiply(float* y, const float* a, const float* b, std::size_t count) {
    const D d;
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        hn::Store(hn::Mul(hn::Load(d, a + i), hn::Load(d, b + i)), d, y + i);
    }
}

// Inlined, the loop over whole numbers is vectorized by the compiler.
void dropout_mask(float* mask, const float* key, const RowRange& rows, std::size_t columns, const Panel& panel,
                  double p) {
    for (std::size_t i = rows.first; i < rows.last; ++i, mask += panel.width) {
        byhand::dropout_mask(mask, key, i * columns + panel.from, panel.used, p);
    }
}

void descend(float* new_p, const float* p, const float* dp, float rate, std::size_t count) {
    const D d;
    const V by = hn::Set(d, rate);
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        hn::Store(hn::Sub(hn::Load(d, p + i), hn::Mul(by, hn::Load(d, dp + i))), d, new_p + i);
    }
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(tanh_forward);
HWY_EXPORT(exp_forward);
HWY_EXPORT(embedding_forward);
HWY_EXPORT(embedding_backward);
HWY_EXPORT(cross_entropy_with_gradient);
HWY_EXPORT(tanh_backward);
HWY_EXPORT(add);
HWY_EXPORT(multiply);
HWY_EXPORT(dropout_mask);
HWY_EXPORT(descend);

}  // namespace

void tanh_forward(float* h, const float* x, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(tanh_forward)(h, x, count);
}

void exp_forward(float* y, const float* x, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(exp_forward)(y, x, count);
}

void embedding_forward(float* embcat, const float* C, const std::int64_t* X, std::size_t n, std::size_t T,
                       std::size_t E, std::span<const Stretch> stretches) {
    HWY_DYNAMIC_DISPATCH(embedding_forward)(embcat, C, X, n, T, E, stretches);
}

void embedding_backward(float* dC, const float* dembcat, const std::int64_t* X, const RowRange& rows, std::size_t T,
                        std::size_t E, std::span<const Stretch> stretches) {
    HWY_DYNAMIC_DISPATCH(embedding_backward)(dC, dembcat, X, rows, T, E, stretches);
}

void cross_entropy_with_gradient(float* losses, float* dlogits, const Panels& logits, const std::int64_t* Y,
                                 std::size_t n, const RowRange& rows) {
    HWY_DYNAMIC_DISPATCH(cross_entropy_with_gradient)(losses, dlogits, logits, Y, n, rows);
}

void tanh_backward(float* dx, const float* dh, const float* h, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(tanh_backward)(dx, dh, h, count);
}

void add(float* y, const float* a, const float* b, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(add)(y, a, b, count);
}

void multiply(float* y, const float* a, const float* b, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(multiply)(y, a, b, count);
}

void dropout_mask(float* mask, const float* key, const RowRange& rows, std::size_t columns, const Panel& panel,
                  double p) {
    HWY_DYNAMIC_DISPATCH(dropout_mask)(mask, key, rows, columns, panel, p);
}

void descend(float* new_p, const float* p, const float* dp, float rate, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(descend)(new_p, p, dp, rate, count);
}

}  // namespace byhand::simd
#endif
