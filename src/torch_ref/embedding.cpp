#include <ATen/ops/embedding.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

void embedding(TorchSteps& steps, const Site& site) {
    add(steps, site.y(), {site.rows, site.network.context, site.network.embedding}, {"C", site.x()},
        [](TensorReads r) { return at::embedding(r[0], r[1]); });
}

void flatten(TorchSteps& steps, const Site& site) {
    const std::size_t width = site.operation.joined * site.operation.width;
    add(steps, site.y(), {site.rows, width}, {site.x()},
        [width = static_cast<std::int64_t>(width)](TensorReads r) { return r[0].view({-1, width}); });
}

}  // namespace

extern TorchOperation embedding_operation() {
    return {op::kEmbedding, embedding};
}

extern TorchOperation flatten_operation() {
    return {op::kFlatten, flatten};
}

}  // namespace byhand::torch_ref
