#include "torch_ref/module.h"

#include <c10/core/InferenceMode.h>
#include <torch/nn/functional/loss.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/network.h"
#include "base/value.h"
#include "torch_ref/bridge.h"
#include "torch_ref/module_optimizer.h"
#include "torch_ref/network_in_parts.h"
#include "torch_ref/network_module.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

// Rows per pass outside training: bounds the memory needed for a whole data set.
constexpr std::size_t kChunk = 4096;

class ModuleModel final : public Trainable {
public:
    ModuleModel(const NetworkConfig& config, std::size_t rows, Keep keep, const Division& division)
        : config_(config), rows_(rows), keep_(keep), network_(config), optimizer_(config.optimizer, network_) {
        if (division.group != nullptr) {
            in_parts_.emplace(config, network_, rows, division.parts, *division.group);
        }
        if (keep_ == Keep::all) {
            order_ = backward_order(forward_steps(config, rows));
            before_ = after_ = Tensors<float>(state(config));
        }
        network_->train();
    }

    void load(const Tensors<float>& state) override {
        network_->load(state);
        optimizer_.load(state);
        if (in_parts_) {
            in_parts_->load(state);
        }
    }

    Tensors<float> save() const override {
        Tensors<float> all(state(config_));
        save(all);
        return all;
    }

    // LibTorch's optimizer updates the parameters in place; they are put back.
    void run(const Batch& batch, float rate) override {
        save(before_);
        loss_ = train(batch, rate);
        save(after_);
        load(before_);
    }

    float train_step(const Batch& batch, float rate) override {
        if (keep_ == Keep::needed) {
            return train(batch, rate);
        }
        run(batch, rate);
        load(after_);
        return loss_;
    }

    std::vector<View> views() const override {
        if (made_.empty()) {
            return {};
        }
        std::vector<View> all = before_.views();
        for (const Named& named : made_) {
            all.push_back(view(named.name, named.tensor));
        }
        for (View& view : after_.views()) {
            view.name = update_of(view.name);
            all.push_back(std::move(view));
        }
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

    // One step. Returns the loss.
    float train(const Batch& batch, float rate) {
        if (batch.rows != rows_) {
            throw std::invalid_argument("LibTorch's module was made for batches of another size");
        }
        optimizer_.forget_gradients();
        const float loss = in_parts_ ? backward_in_parts(batch) : backward(batch);
        optimizer_.step(rate);
        return loss;
    }

    float backward(const Batch& batch) {
        made_.clear();
        Record* const kept = keep_ == Keep::all ? &made_ : nullptr;
        const torch::Tensor logits = network_->forward(contexts(batch, config_.context), kept);
        const torch::Tensor loss = keep(kept, "loss", torch::nn::functional::cross_entropy(logits, targets(batch)));
        loss.backward();
        if (kept != nullptr) {
            std::ranges::move(module_gradients(), std::back_inserter(made_));
        }
        return loss.item<float>();
    }

    // Keeps the logits of this rank's rows.
    float backward_in_parts(const Batch& batch) {
        const float loss = in_parts_->backward(batch);
        if (keep_ == Keep::all) {
            made_ = {{"logits", in_parts_->logits()}, {"loss", torch::tensor(loss)}};
            for (const NetworkImpl::Slot& slot : network_->slots()) {
                if (slot.tensor.requires_grad()) {
                    const torch::Tensor gradient = slot.transposed ? slot.tensor.grad().t() : slot.tensor.grad();
                    made_.push_back({gradient_of(slot.spec.name), gradient.clone(at::MemoryFormat::Contiguous)});
                }
            }
        }
        return loss;
    }

    // Before the update. Those of weights are (in, out), like the weights.
    std::vector<Named> module_gradients() const {
        Record values = made_;
        for (const NetworkImpl::Slot& slot : network_->slots()) {
            values.push_back({slot.spec.name, slot.tensor});
        }
        std::vector<Named> all = gradients(order_, values);
        for (const NetworkImpl::Slot& slot : network_->slots()) {
            for (Named& gradient : all) {
                if (slot.transposed && gradient.name == gradient_of(slot.spec.name)) {
                    gradient.tensor = gradient.tensor.t().contiguous();
                }
            }
        }
        return all;
    }

    void save(Tensors<float>& all) const {
        network_->save(all);
        optimizer_.save(all);
    }

    NetworkConfig config_;
    std::size_t rows_;
    Keep keep_;
    std::vector<std::string> order_;
    Network network_;
    ModuleOptimizer optimizer_;
    std::optional<NetworkInParts> in_parts_;
    // Of the last run.
    float loss_ = 0;
    Tensors<float> before_, after_;
    Record made_;  // forward values, then gradients
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

std::unique_ptr<Trainable> module_model(const NetworkConfig& config, std::size_t rows, Keep keep,
                                        const Division& division) {
    check_network(config, rows);
    return std::make_unique<ModuleModel>(config, rows, keep, division);
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
