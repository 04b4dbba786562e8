#include "torch_ref/parts.h"

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

namespace byhand::torch_ref {
namespace {

namespace autograd = torch::autograd;

at::Tensor total_of(SumOverParts sum, const Shares& shares) {
    const c10::NoGradGuard no_grad;
    const c10::IntArrayRef sizes = shares.front().sizes();
    for (std::size_t k = 0; k < shares.size(); ++k) {
        at::from_blob(sum.share(k).data(), sizes).copy_(shares[k]);
    }
    // Only read: at::Tensor has no view of constants.
    return at::from_blob(const_cast<float*>(sum.total().data()), sizes).clone();
}

// With x̄ₖ the mean and nₖ the number of a part's rows,
//
//   mean = Σ sₖ        var = Σ vₖ + Σ nₖ(x̄ₖ − mean)²/D,  x̄ₖ = sₖ·n/nₖ
//
// so dsₖ = dmean + 2(x̄ₖ − mean)·n/D·dvar and dvₖ = dvar, where dmean and dvar are the sums of those of all parts.
class BackwardOfMoments final : public autograd::Node {
public:
    // `slopes`: 2(x̄ₖ − mean)·n/D for each share.
    BackwardOfMoments(autograd::edge_list&& next, std::vector<at::Tensor> slopes, std::size_t parts, Group& group)
        : Node(std::move(next)), slopes_(std::move(slopes)), parts_(parts), group_(group) {}

private:
    autograd::variable_list apply(autograd::variable_list&& gradients) override {
        const at::Tensor sum = total(gradients, parts_, group_);
        std::vector<at::Tensor> all;
        for (const at::Tensor& slope : slopes_) {
            all.push_back(at::stack({sum[0] + slope * sum[1], sum[1]}));
        }
        return all;
    }

    std::vector<at::Tensor> slopes_;
    std::size_t parts_;
    Group& group_;
};

}  // namespace

at::Tensor total(const Shares& shares, std::size_t parts, Group& group) {
    return total_of(SumOverParts(group, parts, static_cast<std::size_t>(shares.front().numel())), shares);
}

std::vector<at::Tensor> totals(const Shares& shares, const std::vector<std::size_t>& rows, std::size_t parts,
                               const Moments& moments, Group& group) {
    const auto columns = static_cast<std::size_t>(shares.front().size(1));
    const at::Tensor both = total_of(SumOverParts(group, parts, columns, moments), shares);
    std::vector<at::Tensor> all, slopes;
    for (std::size_t k = 0; k < shares.size(); ++k) {
        const auto n = static_cast<double>(moments.batch * moments.positions);
        // A rank without parts has a share of no rows.
        const auto parts_in_n =
            static_cast<double>(moments.batch) / static_cast<double>(std::max<std::size_t>(rows[k], 1));
        slopes.push_back((shares[k][0].detach() * parts_in_n - both[0]) * (2 * n / moments.divisor));
        all.push_back(both.clone());  // autograd tells results apart by their place
    }
    const std::shared_ptr<autograd::Node> backward(
        new BackwardOfMoments(autograd::collect_next_edges(shares), std::move(slopes), parts, group),
        autograd::deleteNode);
    autograd::set_history(all, backward);
    return all;
}

}  // namespace byhand::torch_ref
