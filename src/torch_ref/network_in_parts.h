// The network with the rows of each batch in parts: every part has a network and a graph of its own, and what sums over
// the rows of the batch sums over the parts (parts.h). Only module.cpp includes this, like network_module.h.
#pragma once

#include <torch/nn/functional/loss.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "base/parts.h"
#include "torch_ref/bridge.h"
#include "torch_ref/network_module.h"
#include "torch_ref/parts.h"

namespace byhand::torch_ref {

inline std::vector<torch::Tensor> parameters_of(const Network& network) {
    std::vector<torch::Tensor> all;
    for (const NetworkImpl::Slot& slot : network->slots()) {
        if (slot.tensor.requires_grad()) {
            all.push_back(slot.tensor);
        }
    }
    return all;
}

class NetworkInParts {
public:
    // The networks of the parts have the parameters of `whole`, and the first part's has all its state: they share
    // their memory. `group` must outlive the object. Precondition: 0 < parts ≤ rows.
    NetworkInParts(const NetworkConfig& config, const Network& whole, std::size_t rows, std::size_t parts, Group& group)
        : context_(config.context), count_(parts), group_(group), whole_(whole) {
        for (const BatchPart& place : places(rows)) {
            const Network network(config, place);
            for (std::size_t i = 0; i < whole->slots().size(); ++i) {
                const torch::Tensor& tensor = network->slots()[i].tensor;
                if (tensor.requires_grad() || parts_.empty()) {
                    tensor.set_data(whole->slots()[i].tensor.detach());
                }
            }
            parts_.push_back({place, network});
        }
    }

    void load(const Tensors<float>& state) const {
        for (const NetworkPart& part : parts_) {
            part.network->load(state);
        }
    }

    // Forward and backward. Returns the mean loss over the rows of the batch, and sets the gradients of the whole
    // network's parameters.
    float backward(const Batch& batch) {
        namespace F = torch::nn::functional;
        const std::vector<torch::Tensor> logits = forward(batch);
        std::vector<torch::Tensor> losses;
        for (std::size_t k = 0; k < parts_.size(); ++k) {
            const auto sum = F::CrossEntropyFuncOptions().reduction(torch::kSum);
            losses.push_back(F::cross_entropy(logits[k], targets(rows_of(batch, parts_[k].place)), sum) /
                             static_cast<double>(batch.rows));
        }
        torch::stack(losses).sum().backward();
        logits_ = torch::cat(logits).detach();
        return gather(losses);
    }

    // Of the rows of this rank, in the last pass.
    const torch::Tensor& logits() const { return logits_; }

private:
    struct NetworkPart {
        BatchPart place;
        Network network;
    };

    // Those of this rank. One without any has a part without rows, so that it takes part in every sum in both passes.
    std::vector<BatchPart> places(std::size_t rows) const {
        const std::vector<BatchPart> all = parts_of(rows, count_);
        const PartsOfRank own = parts_of_rank(count_, group_.rank(), group_.size());
        std::vector<BatchPart> its;
        for (std::size_t k = own.first; k < own.last; ++k) {
            its.push_back(all[k]);
        }
        return its.empty() ? std::vector{BatchPart{.first = 0, .rows = 0, .batch = rows}} : its;
    }

    Batch rows_of(const Batch& batch, const BatchPart& part) const {
        return {part.rows, batch.X + part.first * context_, batch.Y + part.first};
    }

    // The logits of each part. All parts finish an operation before the next begins.
    std::vector<torch::Tensor> forward(const Batch& batch) {
        std::vector<torch::Tensor> x;
        for (NetworkPart& part : parts_) {
            x.push_back(part.network->embedded(contexts(rows_of(batch, part.place), context_), nullptr));
        }
        std::vector<Values> earlier(parts_.size());
        for (std::size_t block = 0; block < whole_->blocks().size(); ++block) {
            for (std::size_t i = 0; i < whole_->blocks()[block]->operations(); ++i) {
                apply(block, i, x, earlier);
            }
        }
        return x;
    }

    void apply(std::size_t block, std::size_t i, std::vector<torch::Tensor>& x, std::vector<Values>& earlier) const {
        const bool is_norm = whole_->blocks()[block]->is_batch_norm(i);
        if (is_norm) {
            normalise(block, x);
        }
        for (std::size_t k = 0; k < parts_.size(); ++k) {
            const Network& network = parts_[k].network;
            Block its = network->blocks()[block];
            Values* const before = network->has_residual() ? &earlier[k] : nullptr;
            x[k] = is_norm ? its->kept(i, x[k], nullptr, before) : its->apply(i, x[k], nullptr, before);
        }
    }

    // The batch norm of a block, by the mean and the variance of the whole batch.
    void normalise(std::size_t block, std::vector<torch::Tensor>& x) const {
        const auto norm = [&](std::size_t k) { return parts_[k].network->blocks()[block]->norm(); };
        const std::size_t batch = parts_.front().place.batch, positions = whole_->blocks()[block]->layer.positions;
        const std::int64_t n = as_int(batch * positions);
        const Moments moments = {batch, positions, norm(0)->batch_divisor(n)};
        Shares shares;
        std::vector<std::size_t> rows;
        for (std::size_t k = 0; k < parts_.size(); ++k) {
            const torch::Tensor sum = x[k].sum(0),
                                own_mean = sum / static_cast<double>(std::max<std::int64_t>(x[k].size(0), 1));
            shares.push_back(
                torch::stack({sum / static_cast<double>(n), (x[k] - own_mean).square().sum(0) / moments.divisor}));
            rows.push_back(parts_[k].place.rows);
        }
        const std::vector<torch::Tensor> all = totals(shares, rows, count_, moments, group_);
        for (std::size_t k = 0; k < parts_.size(); ++k) {
            x[k] = norm(k)->forward(x[k] - all[k][0], all[k][0], all[k][1], n);
        }
    }

    // The sums of the losses and, in the same message, of the gradients.
    float gather(const std::vector<torch::Tensor>& losses) {
        Shares shares;
        for (std::size_t k = 0; k < parts_.size(); ++k) {
            std::vector<torch::Tensor> pieces = {losses[k].detach().reshape(1)};
            for (torch::Tensor& parameter : parameters_of(parts_[k].network)) {
                pieces.push_back(parameter.grad().reshape(-1));
                parameter.mutable_grad().reset();
            }
            shares.push_back(torch::cat(pieces));
        }
        const torch::Tensor sum = total(shares, count_, group_);
        std::int64_t at = 1;
        for (torch::Tensor& parameter : parameters_of(whole_)) {
            parameter.mutable_grad() = sum.narrow(0, at, parameter.numel()).view(parameter.sizes());
            at += parameter.numel();
        }
        return sum[0].item<float>();
    }

    std::size_t context_, count_;
    Group& group_;
    Network whole_;
    std::vector<NetworkPart> parts_;
    torch::Tensor logits_;
};

}  // namespace byhand::torch_ref
