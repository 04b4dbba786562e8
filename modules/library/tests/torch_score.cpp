// What other criteria say of the mistakes in the example kernels, and of right ones: allclose at two tolerances, the
// normalised mean square error, and twice the error of LibTorch in float (docs/library.md). Inputs are normally
// distributed, of the largest shapes.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "library/tests/torch_examples.h"

using namespace byhand;
using namespace byhand::example;

namespace {

using Tensors = std::vector<at::Tensor>;

struct Criterion {
    const char* name;
    bool (*passes)(const at::Tensor& ours, const at::Tensor& in_float, const at::Tensor& exact);
};

bool by_default(const at::Tensor& ours, const at::Tensor& in_float, const at::Tensor& /*exact*/) {
    return at::allclose(ours, in_float);
}
bool loosely(const at::Tensor& ours, const at::Tensor& in_float, const at::Tensor& /*exact*/) {
    return at::allclose(ours, in_float, 2e-2, 2e-2);
}
bool by_mean_square(const at::Tensor& ours, const at::Tensor& in_float, const at::Tensor& /*exact*/) {
    const double error = (ours - in_float).square().sum().item<double>(), size = in_float.square().sum().item<double>();
    return !(error / size > 1e-7);
}
bool by_twice_the_error(const at::Tensor& ours, const at::Tensor& in_float, const at::Tensor& exact) {
    const auto error = [&](const at::Tensor& x) { return (x.to(at::kDouble) - exact).abs().max().item<double>(); };
    return error(ours) <= 2 * error(in_float) + 1e-5;
}

constexpr std::array<Criterion, 4> kCriteria = {{{"allclose(rtol 1e-5, atol 1e-8)", by_default},
                                                 {"allclose(rtol 2e-2, atol 2e-2)", loosely},
                                                 {"NMSE at most 1e-7", by_mean_square},
                                                 {"at most twice LibTorch's error + 1e-5", by_twice_the_error}}};

std::vector<std::int64_t> sizes_of(const Shape& shape) {
    return {shape.begin(), shape.end()};
}

Tensors drawn_inputs(const Example& example) {
    Tensors inputs;
    for (std::size_t i = 0; i < example.inputs.size(); ++i) {
        const std::vector<std::int64_t> sizes = sizes_of(example.shapes.back()[i]);
        const auto range = example.integers.find(example.inputs[i]);
        inputs.push_back(range == example.integers.end()
                             ? at::randn(sizes, at::kFloat)
                             : at::randint(range->second.first, range->second.second + 1, sizes, at::kLong));
    }
    return inputs;
}

// The value, or the gradients, computed in this type.
Tensors right_in(at::ScalarType type, const Example& example, const Tensors& inputs, const at::Tensor& dy) {
    Tensors copies;
    for (const at::Tensor& input : inputs) {
        copies.push_back(input.is_floating_point() ? input.to(type, false, true) : input);
    }
    if (example.gradients == 0) {
        return {example.function(copies)};
    }
    torch::autograd::variable_list sources;
    for (std::size_t i = 0; i < example.gradients; ++i) {
        sources.push_back(copies[i].set_requires_grad(true));
    }
    return torch::autograd::grad({example.function(copies)}, sources, {dy.to(type)});
}

Tensors run(const Example& example, const Variant& variant, const Tensors& inputs, const at::Tensor& y,
            const at::Tensor& dy, const Tensors& like) {
    const Kernel kernel = example.kernel(variant);
    const KernelFunction& function = *kernel.find(DType::float32);
    std::map<std::string, at::Tensor> values = {{"y", y}, {"dy", dy}};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        values[example.inputs[i]] = inputs[i];
    }
    for (const auto& [name, saved] : example.saved) {
        values[name] = saved(inputs);
    }
    Tensors reads, results;
    std::vector<const void*> in;
    std::vector<void*> out;
    for (std::size_t i = 0; i < example.reads.size(); ++i) {
        const at::Tensor& value = values.at(example.reads[i]);
        reads.push_back((function.inputs[i] == DType::int8 ? value.to(at::kChar) : value).contiguous());
        in.push_back(reads.back().data_ptr());
    }
    for (const at::Tensor& one : like) {
        results.push_back(at::zeros(one.sizes(), at::kFloat));
        out.push_back(results.back().data_ptr());
    }
    const std::vector<std::size_t> sizes = example.sizes(example.shapes.back());
    function.run(out.data(), in.data(), sizes.data());
    return results;
}

// Whether each criterion passes the variant, on all of its results.
std::array<bool, kCriteria.size()> passed(const Example& example, const Variant& variant) {
    const Tensors inputs = drawn_inputs(example);
    const at::Tensor y = example.function(inputs), dy = at::randn(y.sizes(), at::kFloat);
    const Tensors exact = right_in(at::kDouble, example, inputs, dy),
                  in_float = right_in(at::kFloat, example, inputs, dy);
    const Tensors ours = run(example, variant, inputs, y, dy, exact);
    std::array<bool, kCriteria.size()> passes{};
    for (std::size_t c = 0; c < kCriteria.size(); ++c) {
        passes[c] = true;
        for (std::size_t r = 0; r < ours.size(); ++r) {
            passes[c] = passes[c] && kCriteria[c].passes(ours[r], in_float[r], exact[r]);
        }
    }
    return passes;
}

}  // namespace

int main() {
    std::array<std::size_t, kCriteria.size()> found{}, refused{};
    std::size_t mistakes = 0, variants = 0;
    const auto count = [&](const Example& example, const Variant& variant, auto& refusals) {
        const std::array<bool, kCriteria.size()> passes = passed(example, variant);
        for (std::size_t c = 0; c < kCriteria.size(); ++c) {
            refusals[c] += passes[c] ? 0 : 1;
        }
    };
    for (const Example& example : examples()) {
        for (const char* mistake : example.mistakes) {
            count(example, {.mistake = mistake}, found);
            ++mistakes;
        }
        for (int order = 0; order < kOrders; ++order) {
            count(example, {.order = order}, refused);
            ++variants;
        }
    }
    for (std::size_t c = 0; c < kCriteria.size(); ++c) {
        std::cout << kCriteria[c].name << ": " << found[c] << " of " << mistakes << " mistakes found, " << refused[c]
                  << " of " << variants << " right kernels refused\n";
    }
}
