#include <ATen/ops/log_sigmoid.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {

// −ln σ(−x) = ln(1 + e^x). at::softplus returns x itself above a threshold, which is not exact in double.
extern TorchOperation softplus_operation() {
    return {"softplus", [](TorchSteps& steps, const Site& site) {
                add(steps, site.y(), site.wide(), {site.x()}, [](TensorReads r) { return -at::log_sigmoid(-r[0]); });
            }};
}

}  // namespace byhand::torch_ref
