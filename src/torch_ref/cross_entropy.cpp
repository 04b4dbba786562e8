#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>

#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

// The mean over the rows. max(1) assigns the gradient of a maximum to the first of equal elements.
void forward(TorchSteps& steps, const Site& site) {
    const Shape wide = {site.rows, site.network.vocabulary}, narrow = {site.rows};
    const auto add = [&steps](std::string makes, Shape shape, std::vector<std::string> reads, auto apply) {
        steps.push_back({std::move(makes), std::move(shape), std::move(reads), apply});
    };
    add("logit_maxes", narrow, {site.x()}, [](TensorReads r) { return std::get<0>(r[0].max(1)); });
    add("norm_logits", wide, {site.x(), "logit_maxes"}, [](TensorReads r) { return r[0] - r[1].unsqueeze(1); });
    add("counts", wide, {"norm_logits"}, [](TensorReads r) { return r[0].exp(); });
    steps.back().by_result = [](const at::Tensor& result, const at::Tensor& gradient) { return gradient * result; };
    add("counts_sum", narrow, {"counts"}, [](TensorReads r) { return r[0].sum(1); });
    add("counts_sum_inv", narrow, {"counts_sum"}, [](TensorReads r) { return r[0].pow(-1); });
    add("probs", wide, {"counts", "counts_sum_inv"}, [](TensorReads r) { return r[0] * r[1].unsqueeze(1); });
    add("logprobs", wide, {"probs"}, [](TensorReads r) { return r[0].log(); });
    add(site.y(), {}, {"logprobs", "Y"}, [](TensorReads r) { return -r[0].gather(1, r[1].unsqueeze(1)).mean(); });
}

// LibTorch's own function.
void collapsed(TorchSteps& steps, const Site& site) {
    steps.push_back({site.y(), {}, {site.x(), "Y"}, [](TensorReads r) { return at::cross_entropy_loss(r[0], r[1]); }});
}

// For the fused network, its exp is included.
std::vector<ReferenceOperation> fused_formulas(const Site& site) {
    return {{"counts", {{"norm_logits", {site.rows, site.network.vocabulary}}}, [](const auto& values) {
                 return values.at("norm_logits").exp();
             }}};
}

}  // namespace

extern TorchOperation cross_entropy_operation() {
    TorchOperation operation{op::kCrossEntropy, forward};
    operation.collapsed = collapsed;
    operation.fused_formulas = fused_formulas;
    return operation;
}

}  // namespace byhand::torch_ref
