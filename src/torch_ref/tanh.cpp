#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

void forward(TorchSteps& steps, const Site& site) {
    steps.push_back({site.y(), site.wide(), {site.x()}, [](TensorReads r) { return at::tanh(r[0]); }});
    steps.back().by_result = [](const at::Tensor& result, const at::Tensor& gradient) {
        return at::tanh_backward(gradient, result);
    };
}

}  // namespace

TorchOperation tanh_operation() {
    return {op::kTanh, forward};
}

}  // namespace byhand::torch_ref
