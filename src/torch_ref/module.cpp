#include "torch_ref/module.h"

#include <c10/core/InferenceMode.h>
#include <torch/nn/functional/loss.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/batch_norm_1d.h"
#include "base/error.h"
#include "base/value.h"
#include "torch_ref/bridge.h"
#include "torch_ref/module_optimizer.h"
#include "torch_ref/network_in_parts.h"
#include "torch_ref/network_module.h"
#include "torch_ref/operations.h"

namespace byhand::torch_ref {
namespace {

// ---- for comparison ----

// The views of what a run has made, between the states before and after it.
std::vector<View> views_of(const Tensors<float>& before, const std::vector<Named>& made, const Tensors<float>& after) {
    if (made.empty()) {
        return {};
    }
    std::vector<View> all = before.views();
    for (const Named& named : made) {
        all.push_back(view(named.name, named.tensor));
    }
    for (View& view : after.views()) {
        view.name = update_of(view.name);
        all.push_back(std::move(view));
    }
    return all;
}

class ModuleImplementation final : public Implementation {
public:
    ModuleImplementation(const NetworkConfig& config, std::size_t rows)
        : rows_(rows),
          context_(config.context),
          order_(backward_order(forward_steps(config, rows))),
          network_(config),
          optimizer_(config.optimizer, network_),
          before_(state(config)),
          after_(state(config)) {}

    void load(const Tensors<float>& from) override { copy_into(before_, from); }

    void run(const Batch& batch, float rate) override {
        if (batch.rows != rows_) {
            throw std::invalid_argument("LibTorch's module was made for batches of another size");
        }
        network_->load(before_);
        optimizer_.load(before_);
        network_->train();
        optimizer_.forget_gradients();

        Record record;
        const torch::Tensor logits = network_->forward(contexts(batch, context_), &record);
        const torch::Tensor loss = record.keep("loss", torch::nn::functional::cross_entropy(logits, targets(batch)));
        loss.backward();

        made_ = record.values();
        for (Named& gradient : module_gradients(record)) {
            made_.push_back(std::move(gradient));
        }
        optimizer_.step(rate);
        network_->save(after_);
        optimizer_.save(after_);
    }

    std::vector<View> views() const override { return views_of(before_, made_, after_); }

private:
    // Before the update. Those of weights are (in, out), like the weights.
    std::vector<Named> module_gradients(const Record& record) const {
        std::vector<Named> parameters;
        for (const NetworkImpl::Slot& slot : network_->slots()) {
            if (slot.tensor.requires_grad()) {
                parameters.push_back({slot.spec.name, slot.tensor});
            }
        }
        std::vector<Named> all = gradients(order_, record.values(), parameters);
        for (const NetworkImpl::Slot& slot : network_->slots()) {
            for (Named& gradient : all) {
                if (slot.transposed && gradient.name == gradient_of(slot.spec.name)) {
                    gradient.tensor = gradient.tensor.t().contiguous();
                }
            }
        }
        return all;
    }

    std::size_t rows_, context_;
    std::vector<std::string> order_;
    Network network_;
    ModuleOptimizer optimizer_;
    Tensors<float> before_;
    Tensors<float> after_;
    std::vector<Named> made_;  // forward values, then gradients
};

class ImplementationInParts final : public Implementation {
public:
    ImplementationInParts(const NetworkConfig& config, std::size_t rows, std::size_t parts, Group& group)
        : network_(config),
          optimizer_(config.optimizer, network_),
          in_parts_(config, network_, rows, parts, group),
          before_(state(config)),
          after_(state(config)) {
        network_->train();
    }

    void load(const Tensors<float>& from) override { copy_into(before_, from); }

    void run(const Batch& batch, float rate) override {
        network_->load(before_);
        optimizer_.load(before_);
        in_parts_.load(before_);
        const float loss = in_parts_.backward(batch);
        made_ = {{"logits", in_parts_.logits()}, {"loss", torch::tensor(loss)}};
        for (const NetworkImpl::Slot& slot : network_->slots()) {
            if (slot.tensor.requires_grad()) {
                const torch::Tensor gradient = slot.transposed ? slot.tensor.grad().t() : slot.tensor.grad();
                made_.push_back({gradient_of(slot.spec.name), gradient.clone(at::MemoryFormat::Contiguous)});
            }
        }
        optimizer_.step(rate);
        network_->save(after_);
        optimizer_.save(after_);
    }

    std::vector<View> views() const override { return views_of(before_, made_, after_); }

private:
    Network network_;
    ModuleOptimizer optimizer_;
    NetworkInParts in_parts_;
    Tensors<float> before_, after_;
    std::vector<Named> made_;
};

// ---- for training ----

// Rows per pass outside training: bounds the memory needed for a whole data set.
constexpr std::size_t kChunk = 4096;

// What training on the whole batch and in parts share: the state, evaluation, and the update.
class ModuleModel : public Model {
public:
    explicit ModuleModel(const NetworkConfig& config)
        : config_(config), network_(config), optimizer_(config.optimizer, network_) {
        network_->train();
    }

    void load(const Tensors<float>& state) override {
        network_->load(state);
        optimizer_.load(state);
    }

    Tensors<float> save() const override {
        Tensors<float> all(state(config_));
        network_->save(all);
        optimizer_.save(all);
        return all;
    }

    void logits(std::span<float> out, std::span<const std::int64_t> X) override {
        const Evaluation evaluation(network_);
        std::size_t done = 0;
        for_each_chunk(X, [&](const torch::Tensor& chunk) {
            const auto rows = static_cast<std::size_t>(chunk.size(0));
            const std::size_t V = config_.vocabulary;
            torch_ref::logits(out.subspan(done * V, rows * V), rows, V).copy_(network_->forward(chunk));
            done += rows;
        });
    }

    void calibrate(std::span<const std::int64_t> X) override {
        const Evaluation evaluation(network_);
        const auto& blocks = network_->blocks();
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            if (blocks[i]->has_norm()) {
                calibrate(X, i);
            }
        }
    }

private:
    // Evaluation mode without autograd, for the lifetime of the object.
    class Evaluation {
    public:
        explicit Evaluation(Network& network) : network_(network) { network_->eval(); }
        ~Evaluation() { network_->train(); }
        Evaluation(const Evaluation&) = delete;
        Evaluation& operator=(const Evaluation&) = delete;

    private:
        Network& network_;
        c10::InferenceMode inference_;
    };

    void for_each_chunk(std::span<const std::int64_t> X, const std::function<void(const torch::Tensor&)>& use) const {
        const std::size_t step = kChunk * config_.context;
        for (std::size_t at = 0; at < X.size(); at += step) {
            use(contexts(X.subspan(at, std::min(step, X.size() - at)), config_.context));
        }
    }

    // The layers below are already calibrated. The sums are in double, and a second pass sums the squared differences
    // from the mean.
    void calibrate(std::span<const std::int64_t> X, std::size_t index) {
        const NormConfig& norm = config_.norm;
        const Block& block = network_->blocks()[index];
        const std::size_t rows = X.size() / config_.context * block->layer.positions;
        const std::size_t divisor = norm.running_divisor == Divisor::n ? rows : rows - std::min<std::size_t>(rows, 1);
        if (divisor == 0) {
            throw InputError("a training part of " + std::to_string(rows) +
                             " examples has no variance to calibrate the norm with: give it more names");
        }
        torch::Tensor sum = torch::zeros(block->running_mean.sizes(), torch::kFloat64);
        for_each_chunk(X, [&](const torch::Tensor& chunk) {
            sum += network_->norm_input(chunk, index).to(torch::kFloat64).sum(0);
        });
        const torch::Tensor mean = sum / static_cast<double>(rows);
        torch::Tensor squares = torch::zeros_like(sum);
        for_each_chunk(X, [&](const torch::Tensor& chunk) {
            squares += (network_->norm_input(chunk, index).to(torch::kFloat64) - mean).square().sum(0);
        });
        block->running_mean.copy_(mean);
        block->running_spread.copy_(running_spread_of(norm, squares / static_cast<double>(divisor)));
    }

protected:
    NetworkConfig config_;
    Network network_;
    ModuleOptimizer optimizer_;
};

class WholeBatchModel final : public ModuleModel {
public:
    using ModuleModel::ModuleModel;

    float train_step(const Batch& batch, float rate) override {
        optimizer_.forget_gradients();
        const torch::Tensor logits = network_->forward(contexts(batch, config_.context));
        const torch::Tensor loss = torch::nn::functional::cross_entropy(logits, targets(batch));
        loss.backward();
        optimizer_.step(rate);
        return loss.item<float>();
    }
};

class ModelInParts final : public ModuleModel {
public:
    ModelInParts(const NetworkConfig& config, std::size_t rows, std::size_t parts, Group& group)
        : ModuleModel(config), in_parts_(config, network_, rows, parts, group) {}

    void load(const Tensors<float>& state) override {
        ModuleModel::load(state);
        in_parts_.load(state);
    }

    float train_step(const Batch& batch, float rate) override {
        const float loss = in_parts_.backward(batch);
        optimizer_.step(rate);
        return loss;
    }

private:
    NetworkInParts in_parts_;
};

// ---- a norm in isolation ----

// `spread` is the module's running_var or running_spread.
template <class Module>
torch::Tensor forward(Module& module, torch::Tensor& spread, const torch::Tensor& x, const NormTensors& given,
                      bool training) {
    module->to(x.scalar_type());
    module->train(training);
    const auto replace = [](torch::Tensor& own, const torch::Tensor& other) { own = other.defined() ? other : own; };
    replace(module->weight, given.gain);
    replace(module->bias, given.bias);
    replace(module->running_mean, given.running_mean);
    replace(spread, given.running_spread);
    return module->forward(x);
}

}  // namespace

std::unique_ptr<Implementation> module_implementation(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    return std::make_unique<ModuleImplementation>(config, rows);
}

std::unique_ptr<Implementation> module_implementation_in_parts(const NetworkConfig& config, std::size_t rows,
                                                               std::size_t parts, Group& group) {
    check_network(config, rows);
    return std::make_unique<ImplementationInParts>(config, rows, parts, group);
}

std::unique_ptr<Model> module_model(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    return std::make_unique<WholeBatchModel>(config);
}

std::unique_ptr<Model> module_model_in_parts(const NetworkConfig& config, std::size_t rows, std::size_t parts,
                                             Group& group) {
    check_network(config, rows);
    return std::make_unique<ModelInParts>(config, rows, parts, group);
}

at::Tensor batch_norm(const at::Tensor& x, const NormTensors& given, NormConfig conventions, bool training) {
    if (is_batch_norm_1d(conventions)) {
        torch::nn::BatchNorm1d module(
            torch::nn::BatchNorm1dOptions(x.size(1)).eps(conventions.epsilon).momentum(conventions.momentum));
        return forward(module, module->running_var, x, given, training);
    }
    conventions.affine = true;
    Norm module(NormOptions{x.size(1), conventions});
    return forward(module, module->running_spread, x, given, training);
}

}  // namespace byhand::torch_ref
