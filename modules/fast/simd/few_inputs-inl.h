// dx = dy·Wᵀ of a layer with few inputs. Included once for each vector type (see hwy/foreach_target.h).
#if defined(BYHAND_SIMD_FEW_INPUTS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BYHAND_SIMD_FEW_INPUTS_INL_H
#undef BYHAND_SIMD_FEW_INPUTS_INL_H
#else
#define BYHAND_SIMD_FEW_INPUTS_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <utility>

#include "fast/simd/transpose-inl.h"
#include "fast/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {

// A vector of sums for each input, and kColumns of dy, fit into 32 registers; a panel of so few columns is one vector
// wide.
constexpr std::size_t kFewInputs = HWY_MAX_BYTES == 64 ? 8 : 0;

// The rows of the batch lie along the vectors; dy is transposed in registers, W not at all. The sums have the same
// order as those of a·b.   dx, panel q, (n, q.stride()), of which `rows` are computed; dy (n, out); W (in, out).
template <std::size_t kInputs>
HWY_NOINLINE void few_inputs_backward(float* dx, const Panels& dy, const Panels& W, const RowRange& rows,
                                      const Panel& q) {
    const D d;
    constexpr std::size_t N = hn::MaxLanes(D());
    for (std::size_t i = rows.first; i < rows.last; i += N) {
        const std::size_t count = std::min(N, rows.last - i);
        V sums[kInputs];
        for (V& sum : sums) {
            sum = hn::Zero(d);
        }
        for (const Panel& p : W.panels) {
            const float* const numbers = in_panel(dy.data, dy.rows, p) + i * p.width;
            const float* const weights = in_panel(W.data, W.rows, p) + q.from * p.width;
            const auto add = [&](std::size_t j, std::size_t terms) HWY_ATTR {
                V column[kColumns];
                load_columns(column, numbers + j, p.width, count);
                for (std::size_t k = 0; k < terms; ++k) {
                    for (std::size_t r = 0; r < kInputs; ++r) {
                        sums[r] = hn::MulAdd(column[k], hn::Set(d, weights[r * p.width + j + k]), sums[r]);
                    }
                }
            };
            std::size_t j = 0;
            for (; j + kColumns <= p.used; j += kColumns) {
                add(j, kColumns);
            }
            if (j < p.used) {
                add(j, p.used - j);
            }
        }
        HWY_ALIGN float columns[N * N];
        for (std::size_t r = 0; r < kInputs; ++r) {
            hn::Store(sums[r], d, columns + r * N);
        }
        transpose({dx + i * q.stride(), q.stride(), N, count}, columns, N, kInputs);
    }
}

// Whether panel q of dx was computed: if it has so few columns.
template <std::size_t... kInputs>
HWY_INLINE bool few_inputs_backward([[maybe_unused]] float* dx, const Panels& dy, const Panels& W, const RowRange& rows,
                                    const Panel& q, std::index_sequence<kInputs...>) {
    ((q.used == kInputs + 1 ? few_inputs_backward<kInputs + 1>(dx, dy, W, rows, q) : void()), ...);
    return q.used <= sizeof...(kInputs);
}

}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
