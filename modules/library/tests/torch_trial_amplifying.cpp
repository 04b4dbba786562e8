// Kernels whose formula amplifies rounding: right to a number of digits of the largest number, or for inputs of
// moderate size. They are less accurate than the reference, not wrong.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "library/tests/torch_trial_right.h"

namespace byhand::trial {
namespace {

void of_elements(List& list) {
    const std::vector<Case> shapes = {{{7}}, {{27}}, {{33, 100}}};
    const auto of = [&](const Kernel& kernel, Tensor (*f)(const Tensor&)) {
        add(list, "activations", kernel, computes([f](const Tensor& x) { return f(x); }).sizes(elements), shapes);
    };
    const auto by_tanh = []<class T>(T x) { return T(0.5) * (1 + std::tanh(x / 2)); };
    of(each("sigmoid by tanh", by_tanh), [](const Tensor& x) { return at::sigmoid(x); });
    of(each("SiLU by tanh", [=]<class T>(T x) { return x * by_tanh(x); }), [](const Tensor& x) { return at::silu(x); });
    of(each("tanh by exp", []<class T>(T x) { return 1 - 2 / (std::exp(2 * x) + 1); }),
       [](const Tensor& x) { return at::tanh(x); });
    of(each("expm1 by exp", []<class T>(T x) { return std::exp(x) - 1; }),
       [](const Tensor& x) { return at::expm1(x); });
    of(each("ELU by exp", []<class T>(T x) { return x > 0 ? x : std::exp(x) - 1; }),
       [](const Tensor& x) { return at::where(x > 0, x, at::expm1(x.clamp_max(0))); });
}

// FlashAttention's form, whose max·log2(e) is rounded: off where that is large, and NaN at 1e12.
void softmaxes_by_exp2(List& list) {
    in_orders(list, "softmax by exp2(fma), any x", "exp2(fma)", softmax_by_exp2,
              computes([](const Tensor& x) { return at::softmax(x, 1); }), kRows);
}

// The variance as the mean of squares less the square of the mean.
void one_pass(List& list) {
    const auto statistics = []<class T>(const T* x, std::size_t c) {
        T sum = 0, squares = 0;
        for (std::size_t j = 0; j < c; ++j) {
            sum += x[j];
            squares += x[j] * x[j];
        }
        const T mean = sum / T(c);
        return std::pair(mean, squares / T(c) - mean * mean);
    };
    add(list, "variance in one pass",
        rows(
            "variance", [=]<class T>(T* y, const T* x, std::size_t c) { *y = statistics(x, c).second; }, Per::row),
        computes([](const Tensor& x) { return x.var(1, false); }), kRows);
    add(list, "variance in one pass",
        rows("layer norm",
             [=]<class T>(T* y, const T* x, std::size_t c) {
                 const auto [mean, variance] = statistics(x, c);
                 for (std::size_t j = 0; j < c; ++j) {
                     y[j] = (x[j] - mean) / std::sqrt(variance + T(kEpsilon));
                 }
             }),
        computes([](const Tensor& x) { return at::layer_norm(x, {x.size(1)}); }), kRows);
}

}  // namespace

std::vector<Trial> amplifying_kernels() {
    List list;
    of_elements(list);
    softmaxes_by_exp2(list);
    one_pass(list);
    return list;
}

}  // namespace byhand::trial
