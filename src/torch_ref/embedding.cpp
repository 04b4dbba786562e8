#include <ATen/ops/embedding.h>

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

}  // namespace

extern TorchOperation embedding_operation() {
    return {op::kEmbedding, embedding};
}

extern TorchOperation flatten_operation() {
    return {op::kFlatten, flatten};
}

}  // namespace byhand::torch_ref
