#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

// x (B, in), W (in, out), b (out) → (B, out); tied, C (out, in) takes the place of W.
void forward(TorchSteps& steps, const Site& site) {
    const Layer& layer = site.operation.layer;
    if (layer.is_tied) {
        std::vector<std::string> reads = {site.x(), "C"};
        if (layer.has_bias) {
            reads.push_back(layer.b());
        }
        steps.push_back({site.y(), site.wide(), std::move(reads), [](TensorReads r) {
                             return r.size() == 3 ? at::matmul(r[0], r[1].t()) + r[2] : at::matmul(r[0], r[1].t());
                         }});
    } else if (layer.has_bias) {
        steps.push_back({site.y(), site.wide(), {site.x(), layer.W(), layer.b()}, [](TensorReads r) {
                             return at::matmul(r[0], r[1]) + r[2];
                         }});
    } else {
        steps.push_back(
            {site.y(), site.wide(), {site.x(), layer.W()}, [](TensorReads r) { return at::matmul(r[0], r[1]); }});
    }
}

}  // namespace

extern TorchOperation linear_operation() {
    return {op::kLinear, forward};
}

}  // namespace byhand::torch_ref
