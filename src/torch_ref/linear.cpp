#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

// x (B, in), W (in, out), b (out) → (B, out).
void forward(TorchSteps& steps, const Site& site) {
    const Layer& layer = site.operation.layer;
    if (layer.has_bias) {
        steps.push_back({site.y(), site.wide(), {site.x(), layer.W(), layer.b()}, [](TensorReads r) {
                             return at::matmul(r[0], r[1]) + r[2];
                         }});
    } else {
        steps.push_back(
            {site.y(), site.wide(), {site.x(), layer.W()}, [](TensorReads r) { return at::matmul(r[0], r[1]); }});
    }
}

}  // namespace

TorchOperation linear_operation() {
    return {op::kLinear, forward};
}

}  // namespace byhand::torch_ref
