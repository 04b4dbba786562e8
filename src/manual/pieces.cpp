#include "manual/pieces.h"

#include <map>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/tensors.h"
#include "manual/simd/kernels.h"
#include "manual/softmax_cross_entropy.h"
#include "manual/stepwise.h"
#include "steps/rounded.h"

namespace byhand {
namespace {

using Reads = std::span<const Operand<float>>;

// What cross_entropy_with_gradient makes, one at a time, by the kernel for exp.
void cross_entropy(float* loss, float* dlogits, Reads reads, std::size_t n, std::size_t V) {
    cross_entropy_with_gradient(loss, dlogits, std::get<const float*>(reads[0]),
                                std::get<const std::int64_t*>(reads[1]), n, V, simd::exp_forward);
}

const float* numbers(Reads reads, std::size_t position) {
    return std::get<const float*>(reads[position]);
}

// The kernel behind a step, or nothing. `shapes` are those of everything by name.
std::function<void(float*, Reads)> kernel_of(const Step<float>& step, const std::map<std::string, Shape>& shapes) {
    const std::size_t elements = count(step.shape);
    if (step.function == "tanh_forward") {
        return [elements](float* out, Reads r) { simd::tanh_forward(out, numbers(r, 0), elements); };
    }
    if (step.function == "softmax_exp") {
        return [elements](float* out, Reads r) { simd::exp_forward(out, numbers(r, 0), elements); };
    }
    if (step.function == "linear_forward" || step.function == "matmul_forward") {
        const Shape& W = shapes.at(step.reads[1]);
        return [n = step.shape[0], in = W[0], out = W[1], bias = step.reads.size() == 3](float* y, Reads r) {
            simd::linear_forward(y, numbers(r, 0), numbers(r, 1), bias ? numbers(r, 2) : nullptr, n, in, out);
        };
    }
    if (step.function == "linear_input_backward") {
        const Shape& W = shapes.at(step.reads[1]);
        return [n = step.shape[0], in = W[0], out = W[1]](float* dx, Reads r) {
            AlignedVector<float> scratch(in * out);
            simd::linear_input_backward(dx, numbers(r, 0), numbers(r, 1), scratch.data(), n, in, out);
        };
    }
    if (step.function == "linear_weight_backward") {
        const Shape& x = shapes.at(step.reads[0]);
        return [n = x[0], in = step.shape[0], out = step.shape[1]](float* dW, Reads r) {
            simd::linear_weight_backward(dW, numbers(r, 0), numbers(r, 1), n, in, out);
        };
    }
    if (step.function == "cross_entropy_with_gradient") {
        const Shape& logits = shapes.at(step.reads[0]);
        const std::size_t n = logits[0], V = logits[1];
        if (step.makes == "loss") {
            return [n, V](float* loss, Reads r) {
                std::vector<float> dlogits(n * V);
                cross_entropy(loss, dlogits.data(), r, n, V);
            };
        }
        return [n, V](float* dlogits, Reads r) {
            float loss = 0;
            cross_entropy(&loss, dlogits, r, n, V);
        };
    }
    return nullptr;
}

std::string kernel_name(const std::string& function) {
    if (function == "cross_entropy_with_gradient") {
        return function;  // of which only exp is a kernel
    }
    return "simd::" + (function == "softmax_exp"      ? "exp_forward"
                       : function == "matmul_forward" ? "linear_forward"
                                                      : function);
}

void use_kernels(StepNetwork<float>& network) {
    std::map<std::string, Shape> shapes;
    for (const TensorSpec& spec : state(network.config)) {
        shapes[spec.name] = spec.shape;
    }
    for (const Step<float>* step : all_steps(network)) {
        shapes[step->makes] = step->shape;
    }
    for (StepList<float>* list : {&network.forward, &network.backward}) {
        for (Step<float>& step : list->steps()) {
            if (auto kernel = kernel_of(step, shapes)) {
                step.run = std::move(kernel);
                step.function = kernel_name(step.function);
            }
        }
    }
}

}  // namespace

template <class T>
StepNetwork<T> fused_pieces(const NetworkConfig& config, std::size_t rows) {
    StepNetwork<T> network = fused_network<T>(config, rows);
    network.forward.add("counts", {rows, config.vocabulary}, {"norm_logits"}, "softmax_exp", softmax_exp<T>,
                        rows * config.vocabulary);
    if constexpr (std::is_same_v<T, float>) {
        use_kernels(network);
    }
    return network;
}

template StepNetwork<float> fused_pieces(const NetworkConfig&, std::size_t);
template StepNetwork<double> fused_pieces(const NetworkConfig&, std::size_t);
template StepNetwork<Rounded> fused_pieces(const NetworkConfig&, std::size_t);

}  // namespace byhand
