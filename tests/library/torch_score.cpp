// What other criteria say of the mistakes in the example kernels: allclose at two tolerances, the normalised mean
// square error, and twice the error of LibTorch in float (docs/library.md).
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "library/kernels.h"
#include "library/torch_references.h"

using namespace byhand;
using namespace byhand::example;

namespace {

using Tensors = std::vector<at::Tensor>;

struct Example {
    std::function<Kernel(const Variant&)> kernel;
    std::function<at::Tensor(const Tensors&)> function;
    std::function<Tensors()> inputs;  // of the function, in float
    bool gradients = false;           // of all inputs that the kernel has results for
    // What the kernel reads, and its sizes.
    std::function<Tensors(const Tensors& inputs, const at::Tensor& y, const at::Tensor& dy)> reads;
    std::vector<std::size_t> sizes;
    std::vector<const char*> mistakes;
};

// The value, or the gradients of the first `results` inputs.
Tensors right(const Example& one, Tensors inputs, const at::Tensor& dy, std::size_t results) {
    if (!one.gradients) {
        return {one.function(inputs)};
    }
    torch::autograd::variable_list sources;
    for (std::size_t i = 0; i < results; ++i) {
        sources.push_back(inputs[i].set_requires_grad(true));
    }
    const at::Tensor y = one.function(inputs);
    return torch::autograd::grad({y}, sources, {dy.to(y.scalar_type())});
}

Tensors copies_of(const Tensors& tensors, at::ScalarType type) {
    Tensors copies;
    for (const at::Tensor& tensor : tensors) {
        copies.push_back(tensor.is_floating_point() ? tensor.detach().to(type, false, true) : tensor);
    }
    return copies;
}

Tensors run(const Kernel& kernel, const Tensors& reads, const Tensors& like, const std::vector<std::size_t>& sizes) {
    Tensors results;
    std::vector<float*> out;
    std::vector<const void*> in;
    for (const at::Tensor& one : like) {
        results.push_back(at::zeros(one.sizes(), at::kFloat));
        out.push_back(results.back().data_ptr<float>());
    }
    Tensors kept;
    for (std::size_t i = 0; i < reads.size(); ++i) {
        kept.push_back((kernel.integers[i] == 1 ? reads[i].to(at::kChar) : reads[i]).detach().contiguous());
        in.push_back(kept.back().data_ptr());
    }
    kernel.in_float(out.data(), in.data(), sizes.data());
    return results;
}

struct Criterion {
    const char* name;
    bool (*passes)(const at::Tensor& ours, const at::Tensor& in_float, const at::Tensor& exact);
};

const Criterion kCriteria[] = {
    {"allclose(rtol 1e-5, atol 1e-8)", [](const at::Tensor& ours, const at::Tensor& in_float,
                                          const at::Tensor&) { return at::allclose(ours, in_float); }},
    {"allclose(rtol 2e-2, atol 2e-2)", [](const at::Tensor& ours, const at::Tensor& in_float,
                                          const at::Tensor&) { return at::allclose(ours, in_float, 2e-2, 2e-2); }},
    {"NMSE at most 1e-7",
     [](const at::Tensor& ours, const at::Tensor& in_float, const at::Tensor&) {
         const double error = (ours - in_float).square().sum().item<double>(),
                      size = in_float.square().sum().item<double>();
         return !(error / size > 1e-7);
     }},
    {"at most twice LibTorch's error", [](const at::Tensor& ours, const at::Tensor& in_float, const at::Tensor& exact) {
         const auto error = [&](const at::Tensor& x) { return (x.to(at::kDouble) - exact).abs().max().item<double>(); };
         return error(ours) <= 2 * error(in_float) + 1e-5;
     }}};

at::Tensor dy_of(const at::Tensor& y) {
    return at::randn(y.sizes(), at::kFloat);
}

std::vector<Example> examples() {
    const auto only_inputs = [](const Tensors& inputs, const at::Tensor&, const at::Tensor&) { return inputs; };
    const auto norm = [](const Tensors& in) { return reference::layernorm(in[0], in[1], in[2]); };
    const auto norm_inputs = [] { return Tensors{at::randn({33, 100}), at::randn({100}), at::randn({100})}; };
    const auto attention = [](const Tensors& in) { return reference::causal_softmax(in[0]); };
    const auto gelu = [](const Tensors& in) { return reference::linear_gelu(in[0], in[1], in[2]); };
    const auto gelu_inputs = [] { return Tensors{at::randn({33, 17}), at::randn({17, 9}), at::randn({9})}; };
    return {
        {[](const Variant& v) { return KERNEL(layernorm, v); },
         norm,
         norm_inputs,
         false,
         only_inputs,
         {33, 100},
         listed(kLayernormMistakes)},
        {[](const Variant& v) { return KERNEL(layernorm_backward, v); },
         norm,
         norm_inputs,
         true,
         [](const Tensors& in, const at::Tensor&, const at::Tensor& dy) {
             return Tensors{dy, in[0], in[1], reference::mean_of(in[0], in[1], in[2]),
                            reference::inverse_of(in[0], in[1], in[2])};
         },
         {33, 100},
         listed(kLayernormBackwardMistakes)},
        {[](const Variant& v) { return KERNEL(causal_softmax, v); },
         attention,
         [] { return Tensors{at::randn({33, 33})}; },
         false,
         only_inputs,
         {33},
         listed(kSoftmaxMistakes)},
        {[](const Variant& v) { return KERNEL(causal_softmax_backward, v); },
         attention,
         [] { return Tensors{at::randn({33, 33})}; },
         true,
         [](const Tensors&, const at::Tensor& y, const at::Tensor& dy) { return Tensors{dy, y}; },
         {33},
         listed(kSoftmaxBackwardMistakes)},
        {[](const Variant& v) { return KERNEL(rotary_backward, v); },
         [](const Tensors& in) { return reference::rotary(in[0]); },
         [] { return Tensors{at::randn({33, 50})}; },
         true,
         [](const Tensors&, const at::Tensor&, const at::Tensor& dy) { return Tensors{dy}; },
         {33, 50},
         listed(kRotaryMistakes)},
        {[](const Variant& v) { return KERNEL(linear_gelu, v); },
         gelu,
         gelu_inputs,
         false,
         only_inputs,
         {33, 17, 9},
         listed(kGeluMistakes)},
        {[](const Variant& v) { return KERNEL(linear_gelu_backward, v); },
         gelu,
         gelu_inputs,
         true,
         [](const Tensors& in, const at::Tensor&, const at::Tensor& dy) { return Tensors{dy, in[0], in[1], in[2]}; },
         {33, 17, 9},
         listed(kGeluBackwardMistakes)},
        {[](const Variant& v) { return KERNEL(int8_matmul, v); },
         [](const Tensors& in) { return reference::int8_matmul(in[0], in[1], in[2], in[3]); },
         [] {
             return Tensors{at::randn({33, 17}), at::randint(-128, 128, {17, 9}, at::kLong), at::randn({9}),
                            at::randint(-9, 12, {9}, at::kLong)};
         },
         false,
         only_inputs,
         {33, 17, 9},
         listed(kInt8Mistakes)}};
}

}  // namespace

int main() {
    std::vector<std::size_t> missed(std::size(kCriteria)), refused(std::size(kCriteria));
    std::size_t mistakes = 0, variants = 0;
    const auto judge = [&](const Example& one, const Variant& v, std::vector<std::size_t>& counts, bool counts_passes) {
        const Kernel kernel = one.kernel(v);
        const Tensors inputs = one.inputs();
        const at::Tensor y = one.function(inputs), dy = dy_of(y);
        const Tensors exact = right(one, copies_of(inputs, at::kDouble), dy, kernel.results);
        const Tensors floats = right(one, copies_of(inputs, at::kFloat), dy, kernel.results);
        const Tensors ours = run(kernel, one.reads(inputs, y, dy), exact, one.sizes);
        for (std::size_t c = 0; c < std::size(kCriteria); ++c) {
            bool passes = true;
            for (std::size_t r = 0; r < ours.size(); ++r) {
                passes = passes && kCriteria[c].passes(ours[r], floats[r].detach(), exact[r].detach());
            }
            counts[c] += passes == counts_passes ? 1 : 0;
        }
    };
    for (const Example& one : examples()) {
        for (const char* mistake : one.mistakes) {
            judge(one, {.mistake = mistake}, missed, true);
            ++mistakes;
        }
        for (int order = 0; order < kOrders; ++order) {
            judge(one, {.order = order}, refused, false);
            ++variants;
        }
    }
    for (std::size_t c = 0; c < std::size(kCriteria); ++c) {
        std::cout << kCriteria[c].name << ": " << mistakes - missed[c] << " of " << mistakes << " mistakes found, "
                  << refused[c] << " of " << variants << " right kernels refused\n";
    }
}
