#include "manual/pieces.h"

#include <map>

#include "base/tensors.h"
#include "manual/simd/kernels.h"
#include "manual/stepwise.h"

namespace byhand {
namespace {

using Reads = std::span<const Operand<float>>;

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
    return nullptr;
}

std::string kernel_name(const std::string& function) {
    return function == "softmax_exp" ? "exp_forward" : function == "matmul_forward" ? "linear_forward" : function;
}

}  // namespace

StepNetwork<float> fused_pieces(const NetworkConfig& config, std::size_t rows) {
    StepNetwork<float> network = stepwise_network<float>(config, rows);
    std::map<std::string, Shape> shapes;
    for (const TensorSpec& spec : state(config)) {
        shapes[spec.name] = spec.shape;
    }
    for (const Step<float>* step : all_steps(network)) {
        shapes[step->makes] = step->shape;
    }
    for (StepList<float>* list : {&network.forward, &network.backward, &network.update, &network.evaluation}) {
        std::vector<Step<float>> pieces;
        for (Step<float>& step : list->steps()) {
            auto kernel = kernel_of(step, shapes);
            if (kernel && list != &network.evaluation) {
                step.run = std::move(kernel);
                step.function = "simd::" + kernel_name(step.function);
                pieces.push_back(std::move(step));
            }
        }
        list->steps() = std::move(pieces);
    }
    return network;
}

}  // namespace byhand
