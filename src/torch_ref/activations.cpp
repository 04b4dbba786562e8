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

TorchOperation elementwise(std::string op, decltype(TorchStep::apply) apply,
                           decltype(TorchStep::by_result) by_result = nullptr) {
    return {std::move(op), [=](TorchSteps& steps, const Site& site) {
                add(steps, site.y(), site.wide(), {site.x()}, apply).by_result = by_result;
            }};
}

}  // namespace

extern TorchOperation tanh_operation() {
    return elementwise(
        op::kTanh, [](TensorReads r) { return at::tanh(r[0]); },
        [](const Tensor& h, const Tensor& dh) { return at::tanh_backward(dh, h); });
}

extern TorchOperation sigmoid_operation() {
    return elementwise(
        "sigmoid", [](TensorReads r) { return at::sigmoid(r[0]); },
        [](const Tensor& h, const Tensor& dh) { return at::sigmoid_backward(dh, h); });
}

extern TorchOperation relu_operation() {
    return elementwise(
        "relu", [](TensorReads r) { return at::relu(r[0]); },
        [](const Tensor& h, const Tensor& dh) { return at::threshold_backward(dh, h, 0); });
}

extern TorchOperation leaky_relu_operation() {
    return {op::kLeakyRelu, [](TorchSteps& steps, const Site& site) {
                add(steps, site.y(), site.wide(), {site.x()},
                    [slope = site.operation.negative_slope](TensorReads r) { return at::leaky_relu(r[0], slope); });
            }};
}

extern TorchOperation gelu_operation() {
    return elementwise("gelu", [](TensorReads r) { return at::gelu(r[0], "none"); });
}

extern TorchOperation gelu_tanh_operation() {
    return elementwise("gelu_tanh", [](TensorReads r) { return at::gelu(r[0], "tanh"); });
}

extern TorchOperation silu_operation() {
    return elementwise("silu", [](TensorReads r) { return at::silu(r[0]); });
}

}  // namespace byhand::torch_ref
