// What the kernels should compute, with LibTorch.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>

#include "byhand/kernel.h"
#include "library/kernels.h"

namespace byhand::reference {

inline at::Tensor layernorm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias) {
    return at::layer_norm(x, {x.size(1)}, gain, bias, example::kEpsilon);
}
inline at::Tensor mean_of(const at::Tensor& x, const at::Tensor& /*gain*/, const at::Tensor& /*bias*/) {
    return x.mean(1);
}
inline at::Tensor inverse_of(const at::Tensor& x, const at::Tensor& /*gain*/, const at::Tensor& /*bias*/) {
    return (x.var(1, false) + example::kEpsilon).rsqrt();
}
inline at::Tensor causal_softmax(const at::Tensor& scores) {
    const std::int64_t n = scores.size(0);
    const at::Tensor beyond = at::ones({n, n}, at::kBool).triu(1);
    return at::softmax((scores / std::sqrt(static_cast<double>(n))).masked_fill(beyond, -INFINITY), 1);
}
inline at::Tensor rotary(const at::Tensor& x) {
    const std::int64_t n = x.size(0), half = x.size(1) / 2;
    const at::Tensor rates = at::pow(1e4, at::arange(half, at::kDouble) * (-1.0 / static_cast<double>(half)));
    const at::Tensor angles = at::outer(at::arange(n, at::kDouble), rates);
    const at::Tensor cosine = angles.cos().to(x.scalar_type()), sine = angles.sin().to(x.scalar_type());
    const at::Tensor a = x.narrow(1, 0, half), b = x.narrow(1, half, half);
    return at::cat({a * cosine - b * sine, b * cosine + a * sine}, 1);
}
inline at::Tensor linear_gelu(const at::Tensor& x, const at::Tensor& W, const at::Tensor& b) {
    return at::gelu(at::matmul(x, W) + b);
}
inline at::Tensor int8_matmul(const at::Tensor& x, const at::Tensor& q, const at::Tensor& scale,
                              const at::Tensor& zero) {
    return at::matmul(x, (q - zero).to(x.scalar_type()) * scale);
}

}  // namespace byhand::reference

namespace byhand::example {

template <class... P>
auto with(const Variant& variant, void (*function)(const Variant&, P...)) {
    return [=](P... arguments) { function(variant, arguments...); };
}

// In float and in double.
#define KERNEL(function, variant) \
    kernel(#function, with(variant, &example::function<float>), with(variant, &example::function<double>))

}  // namespace byhand::example
