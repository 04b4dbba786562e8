#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

void exponentials(TorchSteps& steps, const Site& site) {
    add(steps, "counts", {site.rows, site.network.vocabulary}, {"norm_logits"},
        [](TensorReads r) { return r[0].exp(); });
}

// The mean over the rows. max(1) assigns the gradient of a maximum to the first of equal elements.
void forward(TorchSteps& steps, const Site& site) {
    const Shape wide = {site.rows, site.network.vocabulary}, narrow = {site.rows};
    add(steps, "logit_maxes", narrow, {site.x()}, [](TensorReads r) { return std::get<0>(r[0].max(1)); });
    add(steps, "norm_logits", wide, {site.x(), "logit_maxes"}, [](TensorReads r) { return r[0] - r[1].unsqueeze(1); });
    exponentials(steps, site);
    steps.back().by_result = [](const at::Tensor& result, const at::Tensor& gradient) { return gradient * result; };
    add(steps, "counts_sum", narrow, {"counts"}, [](TensorReads r) { return r[0].sum(1); });
    add(steps, "counts_sum_inv", narrow, {"counts_sum"}, [](TensorReads r) { return r[0].pow(-1); });
    add(steps, "probs", wide, {"counts", "counts_sum_inv"}, [](TensorReads r) { return r[0] * r[1].unsqueeze(1); });
    add(steps, "logprobs", wide, {"probs"}, [](TensorReads r) { return r[0].log(); });
    add(steps, site.y(), {}, {"logprobs", "Y"},
        [](TensorReads r) { return -r[0].gather(1, r[1].unsqueeze(1)).mean(); });
}

// LibTorch's own function.
void collapsed(TorchSteps& steps, const Site& site) {
    add(steps, site.y(), {}, {site.x(), "Y"}, [](TensorReads r) { return at::cross_entropy_loss(r[0], r[1]); });
}

}  // namespace

extern TorchOperation cross_entropy_operation() {
    // For the fused network, its exp is included.
    return {.op = op::kCrossEntropy, .forward = forward, .collapsed = collapsed, .fused_formulas = exponentials};
}

}  // namespace byhand::torch_ref
