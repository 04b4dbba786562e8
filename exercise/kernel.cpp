// A kernel by hand, as its author has it judged: the whole backward pass of batch norm in one formula, by SIMD.
//
//     scripts/byhand exercise exercise/kernel.cpp               (docs/your-kernel.md goes through it)
//
// x̂ is bnraw, sums go down the n rows, D is norm.divisor, and ε stands inside the root (derived in docs/backprop.md):
//
//     dhprebn = bnvar_inv·( dbnraw − Σ dbnraw / n − x̂·Σ(dbnraw·x̂) / D )
#include <cstddef>
#include <experimental/simd>

#include "exercise/steps.h"

namespace {

namespace simd = std::experimental;
using byhand::exercise::Norm;
using byhand::exercise::Tensor;

// Unit `first` and those beside it, as many as Numbers has lanes. Rows lie one after another, each of `width` units.
template <class Numbers, class T>
void some_units(std::size_t first, T* out, const T* dbnraw, const T* bnraw, const T* bnvar_inv, std::size_t rows,
                std::size_t width, T divisor) {
    const auto load = [](const T* from) { return Numbers(from, simd::element_aligned); };
    Numbers sum = 0, along = 0;
    for (std::size_t at = first; at < rows * width; at += width) {
        sum += load(dbnraw + at);
        along += load(dbnraw + at) * load(bnraw + at);
    }
    const Numbers scale = load(bnvar_inv + first), mean = sum / T(rows), slope = along / divisor;
    for (std::size_t at = first; at < rows * width; at += width) {
        const Numbers result = scale * (load(dbnraw + at) - mean - load(bnraw + at) * slope);
        result.copy_to(out + at, simd::element_aligned);
    }
}

// (B, H) all but bnvar_inv and bnvar, which are (H). With ε inside the root bnvar is not needed.
template <class T>
void norm_backward(Tensor<T> out, Tensor<const T> dbnraw, Tensor<const T> bnraw, Tensor<const T> bnvar_inv,
                   Tensor<const T> /*bnvar*/, Norm norm) {
    using Many = simd::native_simd<T>;
    using One = simd::simd<T, simd::simd_abi::scalar>;  // for the units that do not fill a vector
    const std::size_t rows = out.size(0), width = out.size(1);
    if (dbnraw.count() != out.count() || bnraw.count() != out.count() || bnvar_inv.count() != width) {
        throw byhand::exercise::Fault("is given shapes that do not go together");
    }
    for (std::size_t unit = 0, lanes = 0; unit < width; unit += lanes) {
        lanes = width - unit >= Many::size() ? Many::size() : 1;
        const auto kernel = lanes > 1 ? some_units<Many, T> : some_units<One, T>;
        kernel(unit, out.data(), dbnraw.data(), bnraw.data(), bnvar_inv.data(), rows, width, T(norm.divisor));
    }
}

}  // namespace

void byhand_steps(byhand::exercise::Steps& steps) {
    steps.add_in_one("dhprebn", norm_backward<float>);
    steps.add_in_one("dhprebn", norm_backward<double>);
}
