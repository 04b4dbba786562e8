// The layers between norms and activations: the embedding, the linear one and the sum with an earlier value.
#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/matmul.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

void embedding(TorchSteps& steps, const Site& site) {
    const Shape shape = {site.rows, site.network.context, site.network.embedding};
    add(steps, site.y(), shape, {"C", site.x()}, [](TensorReads r) { return at::embedding(r[0], r[1]); });
}

void flatten(TorchSteps& steps, const Site& site) {
    const std::size_t width = site.operation.joined * site.operation.width;
    const auto columns = static_cast<std::int64_t>(width);
    add(steps, site.y(), {site.rows, width}, {site.x()}, [=](TensorReads r) { return r[0].view({-1, columns}); });
}

// x (B, in), W (in, out), b (out) → (B, out); tied, C (out, in) takes the place of W.
void linear(TorchSteps& steps, const Site& site) {
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

// x and the earlier value, (rows, width) both.
void sum(TorchSteps& steps, const Site& site) {
    add(steps, site.y(), site.wide(), {site.x(), site.operation.added}, [](TensorReads r) { return r[0] + r[1]; });
}

}  // namespace

extern TorchOperation embedding_operation() {
    return {op::kEmbedding, embedding};
}

extern TorchOperation flatten_operation() {
    return {op::kFlatten, flatten};
}

extern TorchOperation linear_operation() {
    return {op::kLinear, linear};
}

extern TorchOperation residual_operation() {
    return {.op = op::kResidual, .forward = sum, .module = sum};
}

}  // namespace byhand::torch_ref
