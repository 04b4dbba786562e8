// The network as a torch::nn module, of LibTorch's own layers where they exist. Only module.cpp includes this, and the
// functions are defined in their classes: LibTorch's module headers take ten seconds to compile.
#pragma once

#include <torch/nn/functional/linear.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/model.h"
#include "base/network.h"
#include "base/tensors.h"
#include "torch_ref/bridge.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {

inline std::int64_t as_int(std::size_t extent) {
    return static_cast<std::int64_t>(extent);
}

// The running statistic for a variance that has its divisor: the variance, or its root.
inline torch::Tensor running_spread_of(const NormConfig& conventions, const torch::Tensor& variance) {
    return conventions.running_spread == RunningSpread::deviation ? variance.sqrt() : variance;
}

struct NormOptions {
    std::int64_t features = 0;
    NormConfig conventions;  // without the position of the norm, which does not matter here
};

// Batch normalisation with every convention of NormConfig; torch::nn::BatchNorm1d implements one of them. In training
// it normalises by the batch statistics and updates the running statistics, in evaluation it normalises by the running
// statistics. The position of epsilon is the same in both; a running deviation d represents a variance of d².
class NormImpl : public torch::nn::Module {
public:
    explicit NormImpl(const NormOptions& options) : conventions_(options.conventions) {
        if (conventions_.affine) {
            weight = register_parameter("weight", torch::ones(options.features));
            bias = register_parameter("bias", torch::zeros(options.features));
        }
        running_mean = register_buffer("running_mean", torch::zeros(options.features));
        running_spread = register_buffer("running_spread", torch::ones(options.features));
    }

    // (rows, features) → (rows, features).
    torch::Tensor forward(const torch::Tensor& x) {
        torch::Tensor mean = running_mean;
        torch::Tensor variance = running_spread;
        if (is_training()) {
            const std::vector<std::int64_t> over_rows = {0};
            const bool unbiased = conventions_.batch_divisor == Divisor::n_minus_1;
            std::tie(variance, mean) = torch::var_mean(x, over_rows, unbiased);
            return forward(x - mean, mean, variance, x.size(0));
        }
        if (conventions_.running_spread == RunningSpread::deviation) {
            variance = running_spread.square();
        }
        return normalised(x - mean, variance);
    }

    // In training, by the mean and the variance of `rows` rows, of which `difference`, x − mean, may be a part.
    torch::Tensor forward(const torch::Tensor& difference, const torch::Tensor& mean, const torch::Tensor& variance,
                          std::int64_t rows) {
        update_running(mean, variance, rows);
        return normalised(difference, variance);
    }

    // Of the sum of squares over `rows` rows.
    double batch_divisor(std::int64_t rows) const { return divided_by(conventions_.batch_divisor, rows); }

    // All (features).
    torch::Tensor weight;  // like bias, undefined without γ and β
    torch::Tensor bias;
    torch::Tensor running_mean;
    torch::Tensor running_spread;

private:
    torch::Tensor normalised(const torch::Tensor& difference, const torch::Tensor& variance) const {
        const bool inside = conventions_.epsilon_place == EpsilonPlace::inside;
        const torch::Tensor spread =
            inside ? (variance + conventions_.epsilon).sqrt() : variance.sqrt() + conventions_.epsilon;
        const torch::Tensor result = difference / spread;
        return conventions_.affine ? torch::addcmul(bias, result, weight) : result;
    }

    static double divided_by(Divisor divisor, std::int64_t rows) {
        return static_cast<double>(divisor == Divisor::n ? rows : rows - 1);
    }

    void update_running(const torch::Tensor& mean, const torch::Tensor& variance, std::int64_t rows) {
        const torch::NoGradGuard no_grad;
        const double factor = batch_divisor(rows) / divided_by(conventions_.running_divisor, rows);
        const double momentum = conventions_.momentum;
        running_mean.mul_(1 - momentum).add_(mean, momentum);
        running_spread.mul_(1 - momentum).add_(running_spread_of(conventions_, variance * factor), momentum);
    }

    NormConfig conventions_;
};
TORCH_MODULE(Norm);

// One linear and the operations after it: a batch norm (BatchNorm1d if the conventions are its own, else Norm), tanh,
// and others in one step each.
class BlockImpl : public torch::nn::Module {
public:
    // `C` is the embedding's weight, the weight of a tied linear. With a part of the batch, a batch norm is a Norm,
    // because BatchNorm1d would take the statistics of the part.
    BlockImpl(const byhand::Operation& of, const torch::Tensor& C, const std::optional<BatchPart>& part)
        : layer(of.layer), output_(of.output), part_(part) {
        const std::int64_t inputs = as_int(layer.inputs), outputs = as_int(layer.outputs);
        if (layer.is_tied) {
            weight = C;
            linear_bias = layer.has_bias ? register_parameter("bias", torch::zeros(outputs)) : torch::Tensor();
        } else {
            linear_ = register_module(
                "linear", torch::nn::Linear(torch::nn::LinearOptions(inputs, outputs).bias(layer.has_bias)));
            weight = linear_->weight;
            linear_bias = linear_->bias;
        }
    }

    // Throws InputError if LibTorch's implementation has no such operation.
    void append(const NetworkConfig& config, const byhand::Operation& operation) {
        behind_.push_back({operation, {}, {}, {}});
        if (operation.op == op::kBatchnorm) {
            add_norm(operation.norm);
        } else if (operation.op == op::kDropout) {
            behind_.back().key = key = register_buffer("key", torch::zeros({}));
        } else if (operation.op != op::kTanh) {
            behind_.back().apply = in_one_step(config, operation).apply;
            for (const TensorSpec& spec : state_of(config, operation).parameters) {
                const std::string name = "parameter" + std::to_string(others.size());
                others[spec.name] = register_parameter(name, torch::zeros(as_int(count(spec.shape))));
                behind_.back().parameters.push_back(others[spec.name]);
            }
        }
    }

    // (rows, inputs) → (rows, outputs). If `record` and `earlier` are set, it stores each operation's result in them;
    // residuals read theirs from `earlier`.
    torch::Tensor forward(torch::Tensor x, Record* record, Values* earlier) {
        for (std::size_t i = 0; i < operations(); ++i) {
            x = apply(i, x, record, earlier);
        }
        return x;
    }

    bool has_norm() const { return running_mean.defined(); }

    // The input of the norm. Precondition: the block has one.
    torch::Tensor norm_input(torch::Tensor x, Values* earlier) {
        for (std::size_t i = 0; !is_batch_norm(i); ++i) {
            x = apply(i, x, nullptr, earlier);
        }
        return x;
    }

    // The linear, 0, and those after it.
    std::size_t operations() const { return 1 + behind_.size(); }
    bool is_batch_norm(std::size_t i) const { return i > 0 && behind_[i - 1].operation.op == op::kBatchnorm; }

    // The batch norm of a part of the batch. Precondition: the block has one.
    Norm norm() const { return norm_; }

    // The result of one operation, kept.
    torch::Tensor apply(std::size_t i, const torch::Tensor& x, Record* record, Values* earlier) {
        return kept(i, i == 0 ? linear(x) : result(behind_[i - 1], x, record, earlier), record, earlier);
    }

    // Stores the result of an operation in `record` and `earlier`, if they are set, and returns it.
    torch::Tensor kept(std::size_t i, torch::Tensor value, Record* record, Values* earlier) const {
        const std::string& name = i == 0 ? output_ : behind_[i - 1].operation.output;
        value = keep(record, name, std::move(value));
        if (earlier != nullptr) {
            (*earlier)[name] = value;
        }
        return value;
    }

    const Layer layer;
    torch::Tensor weight, linear_bias;  // (outputs, inputs); (outputs), undefined without a bias
    // The tensors of the norm, of either kind; (H) each, undefined if the layer has none.
    torch::Tensor gain, bias, running_mean, running_spread;
    torch::Tensor key;  // of the dropout's mask; undefined without one
    // Parameters of the layer's other operations, vectors by name.
    std::map<std::string, torch::Tensor> others;

private:
    struct Behind {
        byhand::Operation operation;
        decltype(TorchStep::apply) apply;  // empty for a batch norm, tanh and a dropout
        std::vector<torch::Tensor> parameters;
        torch::Tensor key;  // of a dropout
    };

    torch::Tensor linear(const torch::Tensor& x) {
        return linear_.is_empty() ? torch::nn::functional::linear(x, weight, linear_bias) : linear_->forward(x);
    }

    torch::Tensor result(const Behind& it, torch::Tensor x, Record* record, const Values* earlier) {
        if (it.operation.op == op::kBatchnorm) {
            return norm_.is_empty() ? batch_norm_1d_->forward(x) : norm_->forward(x);
        }
        if (it.key.defined()) {
            return dropped(x, it.operation, it.key, record);
        }
        if (it.apply) {
            std::vector<torch::Tensor> reads = {x};
            reads.insert(reads.end(), it.parameters.begin(), it.parameters.end());
            if (!it.operation.added.empty()) {
                reads.push_back(earlier->at(it.operation.added));
            }
            return it.apply(reads);
        }
        // In place where its input is not kept: neither a linear nor a norm needs its result in the backward pass.
        return record != nullptr || earlier != nullptr ? torch::tanh(x) : x.tanh_();
    }

    // In training with the next mask, in evaluation x itself.
    torch::Tensor dropped(const torch::Tensor& x, const byhand::Operation& operation, torch::Tensor its_key,
                          Record* record) const {
        if (!is_training()) {
            return x;
        }
        const torch::NoGradGuard no_grad;
        const Shape shape = {static_cast<std::size_t>(x.size(0)), static_cast<std::size_t>(x.size(1))};
        const std::size_t rows_before = part_ ? part_->first * operation.positions : 0;
        const torch::Tensor mask = dropout_mask(its_key, shape, operation.p, rows_before);
        keep(record, layer.value("keepmask"), mask);
        its_key.copy_(next_dropout_key(its_key));
        const torch::AutoGradMode with_grad(true);
        return x * mask;
    }

    void add_norm(const NormConfig& norm) {
        const std::int64_t features = as_int(layer.outputs);
        const auto take = [this](const auto& module, const torch::Tensor& spread) {
            gain = module->weight;
            bias = module->bias;
            running_mean = module->running_mean;
            running_spread = spread;
        };
        if (is_batch_norm_1d(norm) && !part_) {
            const auto options =
                torch::nn::BatchNorm1dOptions(features).eps(norm.epsilon).momentum(norm.momentum).affine(norm.affine);
            batch_norm_1d_ = register_module("norm", torch::nn::BatchNorm1d(options));
            take(batch_norm_1d_, batch_norm_1d_->running_var);
        } else {
            norm_ = register_module("norm", Norm(NormOptions{features, norm}));
            take(norm_, norm_->running_spread);
        }
    }

    std::string output_;  // of the linear
    std::optional<BatchPart> part_;
    torch::nn::Linear linear_{nullptr};  // empty if it is tied
    std::vector<Behind> behind_;
    torch::nn::BatchNorm1d batch_norm_1d_{nullptr};
    Norm norm_{nullptr};
};
TORCH_MODULE(Block);

class NetworkImpl : public torch::nn::Module {
public:
    // For the whole batch, or a part of it.
    explicit NetworkImpl(const NetworkConfig& config, const std::optional<BatchPart>& part = std::nullopt)
        : config_(config), C_(torch::nn::EmbeddingOptions(as_int(config.vocabulary), as_int(config.embedding))) {
        register_module("C", C_);
        for (const byhand::Operation& operation : operations(config)) {
            if (operation.op == op::kLinear) {
                blocks_.push_back(register_module("layer" + std::to_string(operation.layer.number),
                                                  Block(operation, C_->weight, part)));
            } else if (operation.layer.number > 0 && operation.op != op::kCrossEntropy) {
                blocks_.back()->append(config, operation);
                has_residual_ = has_residual_ || !operation.added.empty();
            }
        }
        slots_ = find_slots();
    }

    // X (rows, T) → logits (rows, V). If `record` is set, it receives emb, embcat, the result of each operation of a
    // layer, and logits.
    torch::Tensor forward(const torch::Tensor& X, Record* record = nullptr) {
        Values earlier;
        torch::Tensor x = embedded(X, record);
        for (Block& block : blocks_) {
            x = block->forward(x, record, has_residual_ ? &earlier : nullptr);
        }
        return x;
    }

    // The input (rows, H) of the norm of block `index`, which must have one. X is (rows, T).
    torch::Tensor norm_input(const torch::Tensor& X, std::size_t index) {
        Values made;
        Values* const earlier = has_residual_ ? &made : nullptr;
        torch::Tensor x = embedded(X, nullptr);
        for (std::size_t i = 0; i < index; ++i) {
            x = blocks_[i]->forward(x, nullptr, earlier);
        }
        return blocks_[index]->norm_input(x, earlier);
    }

    const std::vector<Block>& blocks() const { return blocks_; }

    // Whether an operation adds a result from before its input, so that results have to be kept.
    bool has_residual() const { return has_residual_; }

    // X (rows, T) → embcat, the input of the first block.
    torch::Tensor embedded(const torch::Tensor& X, Record* record) {
        const torch::Tensor emb = keep(record, "emb", C_->forward(X));
        return keep(record, "embcat", emb.view({-1, as_int(blocks_.front()->layer.inputs)}));
    }

    // The tensor of a parameter or a running statistic. Linear stores its weight as (out, in), hence the transposition.
    struct Slot {
        TensorSpec spec;
        torch::Tensor tensor;
        bool transposed = false;
    };
    // Parameters, running statistics, then keys.
    const std::vector<Slot>& slots() const { return slots_; }

    void load(const Tensors<float>& state) const {
        for (const Slot& slot : slots_) {
            torch_ref::load(slot.tensor, slot.transposed, state, slot.spec);
        }
    }

    void save(Tensors<float>& state) const {
        for (const Slot& slot : slots_) {
            torch_ref::save(state, slot.spec, slot.tensor, slot.transposed);
        }
    }

private:
    std::vector<Slot> find_slots() const {
        std::map<std::string, torch::Tensor> tensors = {{"C", C_->weight}};
        std::set<std::string> transposed;
        for (const Block& block : blocks_) {
            const Layer& layer = block->layer;
            tensors[layer.W()] = block->weight;
            transposed.insert(layer.W());
            tensors[layer.b()] = block->linear_bias;
            tensors.insert(block->others.begin(), block->others.end());
            if (block->key.defined()) {  // names without suffixes belong to a single layer
                tensors[layer.value("maskkey")] = block->key;
            }
            if (!block->has_norm()) {
                continue;
            }
            tensors[layer.value("bngain")] = block->gain;
            tensors[layer.value("bnbias")] = block->bias;
            tensors[layer.value("bnmean_running")] = block->running_mean;
            tensors[layer.value("bnvar_running")] = block->running_spread;
        }
        std::vector<Slot> slots;
        for (const std::vector<TensorSpec>& specs :
             {byhand::parameters(config_), running_figures(config_), keys(config_)}) {
            for (const TensorSpec& spec : specs) {
                slots.push_back({spec, tensors.at(spec.name), transposed.count(spec.name) > 0});
            }
        }
        return slots;
    }

    NetworkConfig config_;
    torch::nn::Embedding C_;
    std::vector<Block> blocks_;
    bool has_residual_ = false;
    std::vector<Slot> slots_;
};
TORCH_MODULE(Network);

}  // namespace byhand::torch_ref
