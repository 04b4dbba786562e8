#include "torch_ref/parts.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <memory>
#include <span>
#include <utility>

#include "base/part_sums.h"

namespace byhand::torch_ref {
namespace {

namespace autograd = torch::autograd;

// One for each share: autograd tells results apart by their place.
std::vector<at::Tensor> copies(const Shares& shares, std::size_t parts, Group& group) {
    const at::Tensor sum = total(shares, parts, group);
    std::vector<at::Tensor> all = {sum};
    while (all.size() < shares.size()) {
        all.push_back(sum.clone());
    }
    return all;
}

class BackwardOfTotals final : public autograd::Node {
public:
    BackwardOfTotals(autograd::edge_list&& next, std::size_t parts, Group& group)
        : Node(std::move(next)), parts_(parts), group_(group) {}

private:
    autograd::variable_list apply(autograd::variable_list&& gradients) override {
        return copies(gradients, parts_, group_);
    }

    std::size_t parts_;
    Group& group_;
};

}  // namespace

at::Tensor total(const Shares& shares, std::size_t parts, Group& group) {
    const c10::NoGradGuard no_grad;
    const c10::IntArrayRef sizes = shares.front().sizes();
    SumOverParts sum(group, parts, static_cast<std::size_t>(shares.front().numel()));
    for (std::size_t k = 0; k < shares.size(); ++k) {
        at::from_blob(sum.share(k).data(), sizes).copy_(shares[k]);
    }
    // Only read: at::Tensor has no view of constants.
    return at::from_blob(const_cast<float*>(sum.total().data()), sizes).clone();
}

std::vector<at::Tensor> totals(const Shares& shares, std::size_t parts, Group& group) {
    std::vector<at::Tensor> all = copies(shares, parts, group);
    const std::shared_ptr<autograd::Node> backward(
        new BackwardOfTotals(autograd::collect_next_edges(shares), parts, group), autograd::deleteNode);
    autograd::set_history(all, backward);
    return all;
}

}  // namespace byhand::torch_ref
