#include "torch_ref/operations.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>

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

// The layers one after another, each in training or in evaluation mode.
class Layers {
public:
    // `prefix` stands before the name of everything that is made.
    Layers(const NetworkConfig& config, std::size_t rows, std::string prefix)
        : config_(config), rows_(rows), prefix_(std::move(prefix)) {}

    std::vector<Operation> all(bool training) {
        std::string input = "embcat";
        for (const Layer& layer : layers(config_)) {
            input = append(layer, input, training);
        }
        return std::move(operations_);
    }

private:
    // Returns the name of the layer's result.
    std::string append(const Layer& layer, const std::string& input, bool training) {
        const std::string hprebn = prefix_ + layer.value("hprebn");
        const std::string hpreact = prefix_ + layer.value("hpreact");
        const std::string result = prefix_ + (layer.is_output ? "logits" : layer.value("h"));
        const auto norm = [&](const std::string& name) {
            training ? normalise(layer, hprebn, name) : evaluate(layer, hprebn, name);
        };
        if (layer.is_output) {
            linear(layer, input, layer.norm == NormPlace::none ? result : hprebn);
            if (layer.norm != NormPlace::none) {
                norm(result);
            }
            return result;
        }
        switch (layer.norm) {
            case NormPlace::before:
                linear(layer, input, hprebn);
                norm(hpreact);
                activate(layer, hpreact, result);
                break;
            case NormPlace::after:
                linear(layer, input, hpreact);
                activate(layer, hpreact, hprebn);
                norm(result);
                break;
            case NormPlace::none:
                linear(layer, input, hpreact);
                activate(layer, hpreact, result);
                break;
        }
        return result;
    }

    void add(std::string makes, Shape shape, std::vector<std::string> reads, std::function<Tensor(Reads)> apply) {
        operations_.push_back({std::move(makes), std::move(shape), std::move(reads), std::move(apply)});
    }

    // input (B, in), W (in, out), b (out) → (B, out).
    void linear(const Layer& layer, const std::string& input, const std::string& name) {
        if (layer.has_bias) {
            add(name, {rows_, layer.outputs}, {input, layer.W(), layer.b()},
                [](Reads r) { return at::matmul(r[0], r[1]) + r[2]; });
        } else {
            add(name, {rows_, layer.outputs}, {input, layer.W()}, [](Reads r) { return at::matmul(r[0], r[1]); });
        }
    }

    void activate(const Layer& layer, const std::string& input, const std::string& name) {
        add(name, {rows_, layer.outputs}, {input}, [](Reads r) { return at::tanh(r[0]); });
        operations_.back().by_result = [](const Tensor& result, const Tensor& gradient) {
            return at::tanh_backward(gradient, result);
        };
    }

    // hprebn (B, H) → the norm's result (B, H), which is called `name`.
    void normalise(const Layer& layer, const std::string& hprebn, const std::string& name) {
        const NormConfig& norm = config_.norm;
        const Shape wide = {rows_, layer.outputs}, narrow = {layer.outputs};
        const auto value = [&layer](const char* of) { return layer.value(of); };
        const auto n = static_cast<double>(rows_);
        add(value("bnmeani"), narrow, {hprebn}, [n](Reads r) { return r[0].sum(0) / n; });
        add(value("bndiff"), wide, {hprebn, value("bnmeani")}, [](Reads r) { return r[0] - r[1]; });
        add(value("bndiff2"), wide, {value("bndiff")}, [](Reads r) { return r[0] * r[0]; });
        add(value("bnvar"), narrow, {value("bndiff2")},
            [divisor = divisor_of(norm.batch_divisor, rows_)](Reads r) { return r[0].sum(0) / divisor; });
        add(value("bnvar_inv"), narrow, {value("bnvar")}, [norm](Reads r) { return inverse_deviation(r[0], norm); });
        const std::string raw = norm.affine ? value("bnraw") : name;
        add(raw, wide, {value("bndiff"), value("bnvar_inv")}, [](Reads r) { return r[0] * r[1]; });
        if (norm.affine) {
            add(name, wide, {raw, value("bngain"), value("bnbias")}, [](Reads r) { return r[1] * r[0] + r[2]; });
            operations_.back().first_read_last = true;
        }
    }

    // The same by the running statistics.
    void evaluate(const Layer& layer, const std::string& hprebn, const std::string& name) {
        const NormConfig norm = config_.norm;
        std::vector<std::string> reads = {hprebn, layer.value("bnmean_running"), layer.value("bnvar_running")};
        if (norm.affine) {
            reads.push_back(layer.value("bngain"));
            reads.push_back(layer.value("bnbias"));
        }
        add(name, {rows_, layer.outputs}, std::move(reads), [norm](Reads r) {
            const Tensor variance = norm.running_spread == RunningSpread::deviation ? r[2] * r[2] : r[2];
            const Tensor raw = (r[0] - r[1]) * inverse_deviation(variance, norm);
            return norm.affine ? r[3] * raw + r[4] : raw;
        });
    }

    const NetworkConfig& config_;
    std::size_t rows_;
    std::string prefix_;
    std::vector<Operation> operations_;
};

}  // namespace

std::vector<Operation> forward_operations(const NetworkConfig& config, std::size_t rows) {
    const std::size_t V = config.vocabulary;
    std::vector<Operation> all;
    const auto add = [&all](std::string makes, Shape shape, std::vector<std::string> reads, auto apply) {
        all.push_back({std::move(makes), std::move(shape), std::move(reads), apply});
    };
    const auto B = static_cast<std::int64_t>(rows);
    add("emb", {rows, config.context, config.embedding}, {"C", "X"}, [](Reads r) { return at::embedding(r[0], r[1]); });
    add("embcat", {rows, config.context * config.embedding}, {"emb"}, [B](Reads r) { return r[0].view({B, -1}); });
    for (Operation& operation : Layers(config, rows, "").all(true)) {
        all.push_back(std::move(operation));
    }
    // Cross-entropy, the mean over the rows. max(1) gives the gradient of a maximum to the first of equals.
    add("logit_maxes", {rows}, {"logits"}, [](Reads r) { return std::get<0>(r[0].max(1)); });
    add("norm_logits", {rows, V}, {"logits", "logit_maxes"}, [](Reads r) { return r[0] - r[1].unsqueeze(1); });
    add("counts", {rows, V}, {"norm_logits"}, [](Reads r) { return r[0].exp(); });
    all.back().by_result = [](const Tensor& result, const Tensor& gradient) { return gradient * result; };
    add("counts_sum", {rows}, {"counts"}, [](Reads r) { return r[0].sum(1); });
    add("counts_sum_inv", {rows}, {"counts_sum"}, [](Reads r) { return r[0].pow(-1); });
    add("probs", {rows, V}, {"counts", "counts_sum_inv"}, [](Reads r) { return r[0] * r[1].unsqueeze(1); });
    add("logprobs", {rows, V}, {"probs"}, [](Reads r) { return r[0].log(); });
    add("loss", {}, {"logprobs", "Y"}, [](Reads r) { return -r[0].gather(1, r[1].unsqueeze(1)).mean(); });
    return all;
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
    for (const Layer& layer : layers(config)) {
        if (layer.norm == NormPlace::none) {
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
    return running_figures(config).empty() ? std::vector<Operation>() : Layers(config, rows, "eval_").all(false);
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
