#include <ATen/ops/gelu.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/threshold_backward.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;

void add(TorchSteps& steps, const Site& site, std::function<Tensor(TensorReads)> apply,
         std::function<Tensor(const Tensor&, const Tensor&)> by_result = nullptr) {
    steps.push_back({site.y(), site.wide(), {site.x()}, std::move(apply), std::move(by_result)});
}

}  // namespace

extern TorchOperation tanh_operation() {
    return {op::kTanh, [](TorchSteps& steps, const Site& site) {
                add(
                    steps, site, [](TensorReads r) { return at::tanh(r[0]); },
                    [](const Tensor& h, const Tensor& dh) { return at::tanh_backward(dh, h); });
            }};
}

extern TorchOperation sigmoid_operation() {
    return {"sigmoid", [](TorchSteps& steps, const Site& site) {
                add(
                    steps, site, [](TensorReads r) { return at::sigmoid(r[0]); },
                    [](const Tensor& h, const Tensor& dh) { return at::sigmoid_backward(dh, h); });
            }};
}

extern TorchOperation relu_operation() {
    return {"relu", [](TorchSteps& steps, const Site& site) {
                add(
                    steps, site, [](TensorReads r) { return at::relu(r[0]); },
                    [](const Tensor& h, const Tensor& dh) { return at::threshold_backward(dh, h, 0); });
            }};
}

extern TorchOperation leaky_relu_operation() {
    return {op::kLeakyRelu, [](TorchSteps& steps, const Site& site) {
                add(steps, site,
                    [slope = site.operation.negative_slope](TensorReads r) { return at::leaky_relu(r[0], slope); });
            }};
}

extern TorchOperation gelu_operation() {
    return {"gelu", [](TorchSteps& steps, const Site& site) {
                add(steps, site, [](TensorReads r) { return at::gelu(r[0], "none"); });
            }};
}

extern TorchOperation gelu_tanh_operation() {
    return {"gelu_tanh", [](TorchSteps& steps, const Site& site) {
                add(steps, site, [](TensorReads r) { return at::gelu(r[0], "tanh"); });
            }};
}

extern TorchOperation silu_operation() {
    return {"silu", [](TorchSteps& steps, const Site& site) {
                add(steps, site, [](TensorReads r) { return at::silu(r[0]); });
            }};
}

}  // namespace byhand::torch_ref
