#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <string>

#include "byhand/catch2.h"
#include "byhand/torch.h"
#include "library/kernels.h"

using namespace byhand;
using byhand::example::Wrong;

namespace {

at::Tensor layernorm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias) {
    return at::layer_norm(x, {x.size(1)}, gain, bias, example::kEpsilon);
}
at::Tensor mean_of(const at::Tensor& x, const at::Tensor& /*gain*/, const at::Tensor& /*bias*/) {
    return x.mean(1);
}
at::Tensor inverse_of(const at::Tensor& x, const at::Tensor& /*gain*/, const at::Tensor& /*bias*/) {
    return (x.var(1, false) + example::kEpsilon).rsqrt();
}
at::Tensor softmax(const at::Tensor& scores) {
    const std::int64_t n = scores.size(0);
    const at::Tensor beyond = at::ones({n, n}, at::kBool).triu(1);
    return at::softmax((scores / std::sqrt(static_cast<double>(n))).masked_fill(beyond, -INFINITY), 1);
}
at::Tensor rotary(const at::Tensor& x) {
    const std::int64_t n = x.size(0), half = x.size(1) / 2;
    const at::Tensor rates = at::pow(1e4, at::arange(half, at::kDouble) * (-1.0 / static_cast<double>(half)));
    const at::Tensor angles = at::outer(at::arange(n, at::kDouble), rates);
    const at::Tensor cosine = angles.cos().to(x.scalar_type()), sine = angles.sin().to(x.scalar_type());
    const at::Tensor a = x.narrow(1, 0, half), b = x.narrow(1, half, half);
    return at::cat({a * cosine - b * sine, b * cosine + a * sine}, 1);
}
at::Tensor linear_gelu(const at::Tensor& x, const at::Tensor& W, const at::Tensor& b) {
    return at::gelu(at::matmul(x, W) + b);
}
at::Tensor int8_matmul(const at::Tensor& x, const at::Tensor& q, const at::Tensor& scale, const at::Tensor& zero) {
    return at::matmul(x, (q - zero).to(x.scalar_type()) * scale);
}

// The extents of x (n, k) and of W (k, m).
std::vector<std::size_t> of_product(const std::vector<Shape>& inputs) {
    return {inputs[0][0], inputs[0][1], inputs[1][1]};
}

const std::vector<std::vector<Shape>> kNorms = {{{1, 3}, {3}, {3}}, {{7, 27}, {27}, {27}}, {{33, 100}, {100}, {100}}};
const std::vector<std::vector<Shape>> kLinears = {
    {{1, 1}, {1, 3}, {3}}, {{7, 5}, {5, 11}, {11}}, {{33, 17}, {17, 9}, {9}}};

// A kernel in float and in double, with what it should compute.
#define KERNEL(function) kernel(#function, example::function<float, wrong>, example::function<double, wrong>)

template <Wrong wrong>
Report layernorm_forward() {
    return check(KERNEL(layernorm_forward), computes(layernorm).inputs({"x", "gain", "bias"}).shapes_of_all(kNorms));
}
template <Wrong wrong>
Report layernorm_backward() {
    return check(KERNEL(layernorm_backward), is_vjp_of(layernorm)
                                                 .inputs({"x", "gain", "bias"})
                                                 .wrt({0, 1, 2})
                                                 .reads({"dy", "x", "gain", "mean", "inverse"})
                                                 .with("mean", computed_by(mean_of))
                                                 .with("inverse", computed_by(inverse_of))
                                                 .shapes_of_all(kNorms));
}
template <Wrong wrong>
Report causal_softmax() {
    return check(KERNEL(causal_softmax),
                 computes(softmax).shapes({{1, 1}, {7, 7}, {33, 33}}).sizes([](const std::vector<Shape>& inputs) {
                     return std::vector{inputs[0][0]};
                 }));
}
template <Wrong wrong>
Report causal_softmax_backward() {
    return check(KERNEL(causal_softmax_backward),
                 is_vjp_of(softmax)
                     .inputs({"scores"})
                     .reads({"dy", "y"})
                     .shapes({{1, 1}, {7, 7}, {33, 33}})
                     .sizes([](const std::vector<Shape>& inputs) { return std::vector{inputs[0][0]}; }));
}
template <Wrong wrong>
Report rotary_backward() {
    return check(KERNEL(rotary_backward), is_vjp_of(rotary).reads({"dy"}).shapes({{1, 2}, {7, 6}, {33, 50}}));
}
template <Wrong wrong>
Report linear_gelu_forward() {
    return check(KERNEL(linear_gelu),
                 computes(linear_gelu).inputs({"x", "W", "b"}).shapes_of_all(kLinears).sizes(of_product));
}
template <Wrong wrong>
Report linear_gelu_backward() {
    return check(
        KERNEL(linear_gelu_backward),
        is_vjp_of(linear_gelu).inputs({"x", "W", "b"}).wrt({0, 1, 2}).shapes_of_all(kLinears).sizes(of_product));
}
template <Wrong wrong>
Report int8_matmul_forward() {
    return check(
        KERNEL(int8_matmul),
        computes(int8_matmul)
            .inputs({"x", "q", "scale", "zero"})
            .integers("q", -127, 127)
            .integers("zero", -9, 11)
            .shapes_of_all({{{1, 1}, {1, 3}, {3}, {3}}, {{7, 5}, {5, 11}, {11}, {11}}, {{33, 17}, {17, 9}, {9}, {9}}})
            .sizes(of_product));
}

}  // namespace

TEST_CASE("kernels: right ones agree") {
    for (const Report& report :
         {layernorm_forward<Wrong::none>(), layernorm_backward<Wrong::none>(), causal_softmax<Wrong::none>(),
          causal_softmax_backward<Wrong::none>(), rotary_backward<Wrong::none>(), linear_gelu_forward<Wrong::none>(),
          linear_gelu_backward<Wrong::none>(), int8_matmul_forward<Wrong::none>()}) {
        INFO(report.text());
        CHECK(report.agrees());
    }
}

TEST_CASE("kernels: mistakes are found") {
    for (const Report& report :
         {layernorm_forward<Wrong::epsilon_outside>(),       layernorm_forward<Wrong::variance_by_n_minus_1>(),
          layernorm_forward<Wrong::bias_by_row>(),           layernorm_backward<Wrong::no_mean_term>(),
          layernorm_backward<Wrong::gain_left_out>(),        layernorm_backward<Wrong::sums_not_cleared>(),
          causal_softmax<Wrong::maximum_from_zero>(),        causal_softmax<Wrong::mask_after_softmax>(),
          causal_softmax<Wrong::scale_left_out>(),           causal_softmax_backward<Wrong::no_dot_term>(),
          causal_softmax_backward<Wrong::scale_left_out>(),  rotary_backward<Wrong::sine_sign>(),
          rotary_backward<Wrong::halves_for_pairs>(),        rotary_backward<Wrong::position_from_one>(),
          linear_gelu_forward<Wrong::tanh_for_erf>(),        linear_gelu_forward<Wrong::bias_after_gelu>(),
          linear_gelu_forward<Wrong::last_row_left_out>(),   linear_gelu_backward<Wrong::derivative_without_density>(),
          linear_gelu_backward<Wrong::last_row_left_out>(),  int8_matmul_forward<Wrong::scale_of_row>(),
          int8_matmul_forward<Wrong::zero_point_left_out>(), int8_matmul_forward<Wrong::unsigned_weights>()}) {
        INFO(report.text());
        CHECK_FALSE(report.agrees());
    }
}
