#include <ATen/TensorOperators.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

// x and the earlier value, (rows, width) both.
void sum(TorchSteps& steps, const Site& site) {
    add(steps, site.y(), site.wide(), {site.x(), site.operation.added}, [](TensorReads r) { return r[0] + r[1]; });
}

}  // namespace

extern TorchOperation residual_operation() {
    return {.op = op::kResidual, .forward = sum, .module = sum};
}

}  // namespace byhand::torch_ref
