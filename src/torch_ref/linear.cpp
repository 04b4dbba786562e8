#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

// x (B, in), W (in, out), b (out) → (B, out); tied, C (out, in) takes the place of W.
void forward(TorchSteps& steps, const Site& site) {
    const Layer& layer = site.operation.layer;
    std::vector<std::string> reads = {site.x(), layer.is_tied ? "C" : layer.W()};
    if (layer.has_bias) {
        reads.push_back(layer.b());
    }
    add(steps, site.y(), site.wide(), std::move(reads), [is_tied = layer.is_tied](TensorReads r) {
        const at::Tensor product = at::matmul(r[0], is_tied ? r[1].t() : r[1]);
        return r.size() == 3 ? product + r[2] : product;
    });
}

}  // namespace

extern TorchOperation linear_operation() {
    return {op::kLinear, forward};
}

}  // namespace byhand::torch_ref
