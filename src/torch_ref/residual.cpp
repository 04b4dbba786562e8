#include <ATen/TensorOperators.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

// x and the earlier value, (rows, width) both.
TorchStep sum(const Site& site) {
    return {site.y(), site.wide(), {site.x(), site.operation.added}, [](TensorReads r) { return r[0] + r[1]; }};
}

void forward(TorchSteps& steps, const Site& site) {
    steps.push_back(sum(site));
}

}  // namespace

extern TorchOperation residual_operation() {
    return {.op = op::kResidual, .forward = forward, .module = sum};
}

}  // namespace byhand::torch_ref
