#include "manual/pieces.h"

#include <map>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/tensors.h"
#include "manual/panels.h"
#include "manual/simd/kernels.h"
#include "manual/simd/product.h"
#include "manual/simd/targets.h"
#include "manual/softmax_cross_entropy.h"
#include "manual/stepwise.h"
#include "manual/sums.h"
#include "steps/rounded.h"

namespace byhand {
namespace {

using Reads = std::span<const Operand<float>>;

const float* numbers(Reads reads, std::size_t position) {
    return std::get<const float*>(reads[position]);
}

void linear(float* to, const float* x, const float* W, const float* b, std::size_t n, std::size_t in, std::size_t out) {
    PanelMatrix y(n, out), weights(W, in, out), bias(1, out);
    const PanelMatrix read(x, n, in);
    if (b != nullptr) {
        bias = PanelMatrix(b, 1, out);
    }
    for (const Panel& p : y.panels) {
        simd::linear_forward(y.in(p), read.view(), weights.in(p), b != nullptr ? bias.in(p) : nullptr, {0, n}, p);
    }
    y.copy_to(to);
}

void linear_input(float* to, const float* dy, const float* W, std::size_t n, std::size_t in, std::size_t out) {
    PanelMatrix dx(n, in);
    const PanelMatrix read(dy, n, out), weights(W, in, out);
    AlignedVector<float> scratch(padded(out) * kWidestPanel);
    for (const Panel& q : dx.panels) {
        simd::linear_input_backward(dx.in(q), read.view(), weights.view(), scratch.data(), {0, n}, q);
    }
    dx.copy_to(to);
}

void linear_weight(float* to, const float* x, const float* dy, std::size_t n, std::size_t in, std::size_t out) {
    PanelMatrix dW(in, out), gradient(dy, n, out), read(x, n, in);
    for (const Panel& p : dW.panels) {
        for (const Panel& q : read.panels) {
            simd::linear_weight_backward(dW.in(p) + q.from * p.width, read.in(q), q, gradient.in(p), p, n);
        }
    }
    dW.copy_to(to);
}

// The loss, and dlogits where it is wanted.
float cross_entropy(float* to, Reads reads, std::size_t n, std::size_t V) {
    const PanelMatrix logits(numbers(reads, 0), n, V);
    PanelMatrix dlogits(n, V);
    std::vector<float> losses(n);
    simd::cross_entropy_with_gradient(losses.data(), dlogits.data.data(), logits.view(),
                                      std::get<const std::int64_t*>(reads[1]), {0, n});
    if (to != nullptr) {
        dlogits.copy_to(to);
    }
    return sum_along<float>(n, [&](std::size_t i) { return losses[i]; }) / static_cast<float>(n);
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
            linear(y, numbers(r, 0), numbers(r, 1), bias ? numbers(r, 2) : nullptr, n, in, out);
        };
    }
    if (step.function == "linear_input_backward") {
        const Shape& W = shapes.at(step.reads[1]);
        return [n = step.shape[0], in = W[0], out = W[1]](float* dx, Reads r) {
            linear_input(dx, numbers(r, 0), numbers(r, 1), n, in, out);
        };
    }
    if (step.function == "linear_weight_backward") {
        const Shape& x = shapes.at(step.reads[0]);
        return [n = x[0], in = step.shape[0], out = step.shape[1]](float* dW, Reads r) {
            linear_weight(dW, numbers(r, 0), numbers(r, 1), n, in, out);
        };
    }
    if (step.function == "cross_entropy_with_gradient") {
        const Shape& logits = shapes.at(step.reads[0]);
        const std::size_t n = logits[0], V = logits[1];
        if (step.makes == "loss") {
            return [n, V](float* loss, Reads r) { *loss = cross_entropy(nullptr, r, n, V); };
        }
        return [n, V](float* dlogits, Reads r) { cross_entropy(dlogits, r, n, V); };
    }
    return nullptr;
}

const std::string kKernels = "simd::";

std::string kernel_name(const std::string& function) {
    return kKernels + (function == "softmax_exp"      ? "exp_forward"
                       : function == "matmul_forward" ? "linear_forward"
                                                      : function);
}

}  // namespace

StepNetwork<float> with_kernels(StepNetwork<float> network) {
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
    return network;
}

template <class T>
StepNetwork<T> fused_pieces(const NetworkConfig& config, std::size_t rows) {
    StepNetwork<T> network = fused_network<T>(config, rows);
    network.forward.add("counts", {rows, config.vocabulary}, {"norm_logits"}, "softmax_exp", softmax_exp<T>,
                        rows * config.vocabulary);
    if constexpr (std::is_same_v<T, float>) {
        return with_kernels(std::move(network));
    } else {
        return network;
    }
}

StepNetwork<float> fused_pieces_on_all_targets(const NetworkConfig& config, std::size_t rows) {
    StepNetwork<float> all = fused_pieces<float>(config, rows);
    for (StepList<float>* list : {&all.forward, &all.backward}) {
        const std::vector<Step<float>> once = std::move(list->steps());
        list->steps().clear();
        for (const Step<float>& step : once) {
            if (!step.function.starts_with(kKernels)) {
                list->steps().push_back(step);
                continue;
            }
            for (const simd::Target& target : simd::targets()) {
                Step<float>& on_target = list->steps().emplace_back(step);
                on_target.function += " (" + target.name + ")";
                on_target.run = [run = step.run, target](float* out, Reads reads) {
                    const simd::OnTarget while_it_runs(target);
                    run(out, reads);
                };
            }
        }
    }
    return all;
}

template StepNetwork<float> fused_pieces(const NetworkConfig&, std::size_t);
template StepNetwork<double> fused_pieces(const NetworkConfig&, std::size_t);
template StepNetwork<Rounded> fused_pieces(const NetworkConfig&, std::size_t);

}  // namespace byhand
