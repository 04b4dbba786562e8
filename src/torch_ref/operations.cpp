#include "torch_ref/operations.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/value.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;
using Reads = const std::vector<Tensor>&;

double divisor_of(Divisor divisor, std::size_t rows) {
    return static_cast<double>(divisor == Divisor::n ? rows : rows - 1);
}

Tensor inverse_deviation(const Tensor& variance, const NormConfig& norm) {
    return norm.epsilon_place == EpsilonPlace::inside ? (variance + norm.epsilon).pow(-0.5)
                                                      : (variance.sqrt() + norm.epsilon).pow(-1);
}

// The network's operations one after another, in training or in evaluation mode.
class List {
public:
    List(const NetworkConfig& config, std::size_t rows, bool training)
        : config_(config), rows_(rows), training_(training) {}

    // Throws InputError where LibTorch's side has no such operation.
    void append(const byhand::Operation& one) {
        const auto known = std::ranges::find(kOperations, one.op, &Known::op);
        if (known == std::end(kOperations)) {
            throw InputError("LibTorch's side has no operation called \"" + one.op + "\"");
        }
        (this->*known->append)(one);
    }

    std::vector<Operation> take() { return std::move(operations_); }

private:
    struct Known {
        std::string_view op;
        void (List::*append)(const byhand::Operation& one);
    };
    static const std::array<Known, 6> kOperations;

    void add(std::string makes, Shape shape, std::vector<std::string> reads, std::function<Tensor(Reads)> apply) {
        operations_.push_back({std::move(makes), std::move(shape), std::move(reads), std::move(apply)});
    }

    void embedding(const byhand::Operation& one) {
        add(one.output, {rows_, config_.context, config_.embedding}, {"C", one.input},
            [](Reads r) { return at::embedding(r[0], r[1]); });
    }

    void flatten(const byhand::Operation& one) {
        add(one.output, {rows_, config_.context * config_.embedding}, {one.input},
            [B = static_cast<std::int64_t>(rows_)](Reads r) { return r[0].view({B, -1}); });
    }

    // input (B, in), W (in, out), b (out) → (B, out).
    void linear(const byhand::Operation& one) {
        const Layer& layer = one.layer;
        if (layer.has_bias) {
            add(one.output, {rows_, layer.outputs}, {one.input, layer.W(), layer.b()},
                [](Reads r) { return at::matmul(r[0], r[1]) + r[2]; });
        } else {
            add(one.output, {rows_, layer.outputs}, {one.input, layer.W()},
                [](Reads r) { return at::matmul(r[0], r[1]); });
        }
    }

    void activate(const byhand::Operation& one) {
        add(one.output, {rows_, one.layer.outputs}, {one.input}, [](Reads r) { return at::tanh(r[0]); });
        operations_.back().by_result = [](const Tensor& result, const Tensor& gradient) {
            return at::tanh_backward(gradient, result);
        };
    }

    // (B, H) → (B, H).
    void batchnorm(const byhand::Operation& one) { training_ ? normalise(one) : evaluate(one); }

    void normalise(const byhand::Operation& one) {
        const NormConfig& norm = config_.norm;
        const Shape wide = {rows_, one.layer.outputs}, narrow = {one.layer.outputs};
        const auto value = [&one](const char* of) { return one.layer.value(of); };
        const auto n = static_cast<double>(rows_);
        add(value("bnmeani"), narrow, {one.input}, [n](Reads r) { return r[0].sum(0) / n; });
        add(value("bndiff"), wide, {one.input, value("bnmeani")}, [](Reads r) { return r[0] - r[1]; });
        add(value("bndiff2"), wide, {value("bndiff")}, [](Reads r) { return r[0] * r[0]; });
        add(value("bnvar"), narrow, {value("bndiff2")},
            [divisor = divisor_of(norm.batch_divisor, rows_)](Reads r) { return r[0].sum(0) / divisor; });
        add(value("bnvar_inv"), narrow, {value("bnvar")}, [norm](Reads r) { return inverse_deviation(r[0], norm); });
        const std::string raw = norm.affine ? value("bnraw") : one.output;
        add(raw, wide, {value("bndiff"), value("bnvar_inv")}, [](Reads r) { return r[0] * r[1]; });
        if (norm.affine) {
            add(one.output, wide, {raw, value("bngain"), value("bnbias")}, [](Reads r) { return r[1] * r[0] + r[2]; });
            operations_.back().first_read_last = true;
        }
    }

    // The same by the running statistics.
    void evaluate(const byhand::Operation& one) {
        const NormConfig norm = config_.norm;
        const Layer& layer = one.layer;
        std::vector<std::string> reads = {one.input, layer.value("bnmean_running"), layer.value("bnvar_running")};
        if (norm.affine) {
            reads.push_back(layer.value("bngain"));
            reads.push_back(layer.value("bnbias"));
        }
        add(one.output, {rows_, layer.outputs}, std::move(reads), [norm](Reads r) {
            const Tensor variance = norm.running_spread == RunningSpread::deviation ? r[2] * r[2] : r[2];
            const Tensor raw = (r[0] - r[1]) * inverse_deviation(variance, norm);
            return norm.affine ? r[3] * raw + r[4] : raw;
        });
    }

    // The mean over the rows. max(1) gives the gradient of a maximum to the first of equals.
    void cross_entropy(const byhand::Operation& one) {
        const Shape wide = {rows_, config_.vocabulary}, narrow = {rows_};
        add("logit_maxes", narrow, {one.input}, [](Reads r) { return std::get<0>(r[0].max(1)); });
        add("norm_logits", wide, {one.input, "logit_maxes"}, [](Reads r) { return r[0] - r[1].unsqueeze(1); });
        add("counts", wide, {"norm_logits"}, [](Reads r) { return r[0].exp(); });
        operations_.back().by_result = [](const Tensor& result, const Tensor& gradient) { return gradient * result; };
        add("counts_sum", narrow, {"counts"}, [](Reads r) { return r[0].sum(1); });
        add("counts_sum_inv", narrow, {"counts_sum"}, [](Reads r) { return r[0].pow(-1); });
        add("probs", wide, {"counts", "counts_sum_inv"}, [](Reads r) { return r[0] * r[1].unsqueeze(1); });
        add("logprobs", wide, {"probs"}, [](Reads r) { return r[0].log(); });
        add(one.output, {}, {"logprobs", "Y"}, [](Reads r) { return -r[0].gather(1, r[1].unsqueeze(1)).mean(); });
    }

    const NetworkConfig& config_;
    std::size_t rows_;
    bool training_;
    std::vector<Operation> operations_;
};

const std::array<List::Known, 6> List::kOperations = {{{op::kEmbedding, &List::embedding},
                                                       {op::kFlatten, &List::flatten},
                                                       {op::kLinear, &List::linear},
                                                       {op::kBatchnorm, &List::batchnorm},
                                                       {op::kTanh, &List::activate},
                                                       {op::kCrossEntropy, &List::cross_entropy}}};

}  // namespace

std::vector<Operation> forward_operations(const NetworkConfig& config, std::size_t rows) {
    List list(config, rows, true);
    for (const byhand::Operation& one : operations(config)) {
        list.append(one);
    }
    return list.take();
}

std::vector<Operation> update_operations(const NetworkConfig& config, std::size_t rows) {
    std::vector<Operation> all;
    for (const TensorSpec& spec : parameters(config)) {
        all.push_back({update_of(spec.name), spec.shape, {spec.name, gradient_of(spec.name), "rate"}, [](Reads r) {
                           return r[0] - r[2] * r[1];
                       }});
    }
    const NormConfig norm = config.norm;
    const double factor = divisor_of(norm.batch_divisor, rows) / divisor_of(norm.running_divisor, rows);
    for (const auto& [op, layer, input, output] : operations(config)) {
        if (op != op::kBatchnorm) {
            continue;
        }
        const std::string mean = layer.value("bnmean_running"), spread = layer.value("bnvar_running");
        all.push_back({update_of(mean), {layer.outputs}, {mean, layer.value("bnmeani")}, [norm](Reads r) {
                           return (1 - norm.momentum) * r[0] + norm.momentum * r[1];
                       }});
        all.push_back({update_of(spread), {layer.outputs}, {spread, layer.value("bnvar")}, [norm, factor](Reads r) {
                           const Tensor variance = r[1] * factor;
                           const bool deviation = norm.running_spread == RunningSpread::deviation;
                           return (1 - norm.momentum) * r[0] + norm.momentum * (deviation ? variance.sqrt() : variance);
                       }});
    }
    return all;
}

std::vector<Operation> evaluation_operations(const NetworkConfig& config, std::size_t rows) {
    List list(config, rows, false);
    for (const byhand::Operation& one : evaluated_operations(config)) {
        list.append(one);
    }
    return list.take();
}

std::vector<std::string> backward_order(const std::vector<Operation>& forward) {
    std::vector<std::string> order;
    std::set<std::string> read = {"X", "Y"};  // which have no gradient
    for (const Operation& operation : forward) {
        std::vector<std::string> first_read;
        std::ranges::copy_if(operation.reads, std::back_inserter(first_read),
                             [&](const std::string& name) { return read.insert(name).second; });
        if (operation.first_read_last) {
            std::ranges::stable_partition(first_read,
                                          [&](const std::string& name) { return name != operation.reads.front(); });
        }
        order.insert(order.begin(), first_read.begin(), first_read.end());
    }
    return order;
}

Operation cross_entropy_operation() {
    return {"loss", {}, {"logits", "Y"}, [](Reads r) { return at::cross_entropy_loss(r[0], r[1]); }};
}

}  // namespace byhand::torch_ref
