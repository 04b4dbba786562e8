#include "library/tests/torch_examples.h"

#include <ATen/ATen.h>

#include <cmath>
#include <iterator>
#include <numeric>

namespace byhand::example {
namespace {

using Tensors = std::vector<at::Tensor>;

at::Tensor layernorm_of(const Tensors& in) {
    return at::layer_norm(in[0], {in[0].size(1)}, in[1], in[2], kEpsilon);
}
at::Tensor mean_of(const Tensors& in) {
    return in[0].mean(1);
}
at::Tensor inverse_of(const Tensors& in) {
    return (in[0].var(1, false) + kEpsilon).rsqrt();
}
at::Tensor causal_softmax_of(const Tensors& in) {
    const std::int64_t n = in[0].size(0);
    const at::Tensor beyond = at::ones({n, n}, at::kBool).triu(1);
    return at::softmax((in[0] / std::sqrt(static_cast<double>(n))).masked_fill(beyond, -INFINITY), 1);
}
at::Tensor rotary_of(const Tensors& in) {
    const at::Tensor& x = in[0];
    const std::int64_t n = x.size(0), half = x.size(1) / 2;
    const at::Tensor rates = at::pow(1e4, at::arange(half, at::kDouble) * (-1.0 / static_cast<double>(half)));
    const at::Tensor angles = at::outer(at::arange(n, at::kDouble), rates);
    const at::Tensor cosine = angles.cos().to(x.scalar_type()), sine = angles.sin().to(x.scalar_type());
    const at::Tensor a = x.narrow(1, 0, half), b = x.narrow(1, half, half);
    return at::cat({a * cosine - b * sine, b * cosine + a * sine}, 1);
}
at::Tensor linear_gelu_of(const Tensors& in) {
    return at::gelu(at::matmul(in[0], in[1]) + in[2]);
}
at::Tensor int8_matmul_of(const Tensors& in) {
    return at::matmul(in[0], (in[1] - in[3]).to(in[0].scalar_type()) * in[2]);
}

// The extents of x (n, k) and of W (k, m).
std::vector<std::size_t> of_product(const std::vector<Shape>& inputs) {
    return {inputs[0][0], inputs[0][1], inputs[1][1]};
}
std::vector<std::size_t> of_square(const std::vector<Shape>& inputs) {
    return {inputs[0][0]};
}
std::vector<std::size_t> of_first(const std::vector<Shape>& inputs) {
    return inputs[0];
}

const std::vector<std::vector<Shape>> kNorms = {{{1, 3}, {3}, {3}}, {{7, 27}, {27}, {27}}, {{33, 100}, {100}, {100}}};
const std::vector<std::vector<Shape>> kSquares = {{{1, 1}}, {{7, 7}}, {{33, 33}}};
const std::vector<std::vector<Shape>> kPairs = {{{1, 2}}, {{7, 6}}, {{33, 50}}};
const std::vector<std::vector<Shape>> kLinears = {
    {{1, 1}, {1, 3}, {3}}, {{7, 5}, {5, 11}, {11}}, {{33, 17}, {17, 9}, {9}}};
const std::vector<std::vector<Shape>> kInt8 = {
    {{1, 1}, {1, 3}, {3}, {3}}, {{7, 5}, {5, 11}, {11}, {11}}, {{33, 17}, {17, 9}, {9}, {9}}};

template <class... P>
auto with(const Variant& variant, void (*function)(const Variant&, P...)) {
    return [=](P... arguments) { function(variant, arguments...); };
}

template <class Names>
std::vector<const char*> listed(const Names& names) {
    return {names.begin(), names.end()};
}

}  // namespace

// In float and in double.
#define KERNEL(function) \
    [](const Variant& v) { return kernel(#function, with(v, &function<float>), with(v, &function<double>)); }

const std::vector<Example>& examples() {
    static const std::vector<Example> all = [] {
        const std::vector<std::string> norm = {"x", "gain", "bias"}, linear = {"x", "W", "b"};
        std::vector<Example> list;
        list.push_back({KERNEL(layernorm), layernorm_of, norm, 0, norm, listed(kLayernormMistakes), kNorms, of_first});
        list.push_back({KERNEL(layernorm_backward),
                        layernorm_of,
                        norm,
                        3,
                        {"dy", "x", "gain", "mean", "inverse"},
                        listed(kLayernormBackwardMistakes),
                        kNorms,
                        of_first,
                        {{"mean", mean_of}, {"inverse", inverse_of}}});
        list.push_back({KERNEL(causal_softmax),
                        causal_softmax_of,
                        {"scores"},
                        0,
                        {"scores"},
                        listed(kSoftmaxMistakes),
                        kSquares,
                        of_square});
        list.push_back({KERNEL(causal_softmax_backward),
                        causal_softmax_of,
                        {"scores"},
                        1,
                        {"dy", "y"},
                        listed(kSoftmaxBackwardMistakes),
                        kSquares,
                        of_square});
        list.push_back(
            {KERNEL(rotary_backward), rotary_of, {"x"}, 1, {"dy"}, listed(kRotaryMistakes), kPairs, of_first});
        list.push_back(
            {KERNEL(linear_gelu), linear_gelu_of, linear, 0, linear, listed(kGeluMistakes), kLinears, of_product});
        list.push_back({KERNEL(linear_gelu_backward),
                        linear_gelu_of,
                        linear,
                        3,
                        {"dy", "x", "W", "b"},
                        listed(kGeluBackwardMistakes),
                        kLinears,
                        of_product});
        const std::vector<std::string> quantized = {"x", "q", "scale", "zero"};
        list.push_back({KERNEL(int8_matmul),
                        int8_matmul_of,
                        quantized,
                        0,
                        quantized,
                        listed(kInt8Mistakes),
                        kInt8,
                        of_product,
                        {},
                        {{"q", {-128, 127}}, {"zero", {-9, 11}}}});
        return list;
    }();
    return all;
}

Report check(const Example& example, const Variant& variant) {
    const std::size_t inputs = example.inputs.size();
    Expected expected(evaluation_of(example.function, inputs, example.gradients > 0), inputs,
                      example.gradients > 0 ? Expected::What::gradients : Expected::What::value);
    expected.inputs(example.inputs).reads(example.reads).shapes_of_all(example.shapes).sizes(example.sizes);
    if (example.gradients > 0) {
        std::vector<std::size_t> first(example.gradients);
        std::iota(first.begin(), first.end(), std::size_t{0});
        expected.wrt(first);
    }
    for (const auto& [name, function] : example.saved) {
        expected.with(name, evaluation_of(function, inputs, false));
    }
    for (const auto& [name, range] : example.integers) {
        expected.integers(name, range.first, range.second);
    }
    return check(example.kernel(variant), expected.seed(variant.seed));
}

}  // namespace byhand::example
