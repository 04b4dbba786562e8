#include "torch_ref/module.h"

#include <c10/core/InferenceMode.h>
#include <torch/nn/functional/loss.h>
#include <torch/optim/sgd.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/batch_norm_1d.h"
#include "base/error.h"
#include "base/value.h"
#include "torch_ref/bridge.h"
#include "torch_ref/network_module.h"
#include "torch_ref/operations.h"

namespace byhand::torch_ref {
namespace {

// ---- in a comparison ----

class ModuleSide final : public Side {
public:
    ModuleSide(const NetworkConfig& config, std::size_t rows)
        : rows_(rows),
          context_(config.context),
          order_(backward_order(forward_steps(config, rows))),
          network_(config),
          before_(state(config)),
          after_(state(config)) {}

    void load(const Tensors<float>& from) override { copy_into(before_, from); }

    void run(const Batch& batch, float rate) override {
        if (batch.rows != rows_) {
            throw std::invalid_argument("LibTorch's module was made for batches of another size");
        }
        network_->load(before_);
        network_->train();
        network_->zero_grad(/*set_to_none=*/true);
        torch::optim::SGD sgd(network_->parameters(), torch::optim::SGDOptions(static_cast<double>(rate)));

        Record record;
        const torch::Tensor logits = network_->forward(contexts(batch, context_), &record);
        const torch::Tensor loss = record.keep("loss", torch::nn::functional::cross_entropy(logits, targets(batch)));
        loss.backward();

        made_ = record.values();
        for (Named& gradient : module_gradients(record)) {
            made_.push_back(std::move(gradient));
        }
        sgd.step();
        network_->save(after_);
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

private:
    // Before the update. Those of weights lie (in, out), as the weights do.
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
    Tensors<float> before_;
    Tensors<float> after_;
    std::vector<Named> made_;  // forward values, then gradients
};

// ---- to train ----

// Rows that pass through the network at a time outside training: bounds the memory of a whole data set's passage.
constexpr std::size_t kChunk = 4096;

class ModuleModel final : public Model {
public:
    explicit ModuleModel(const NetworkConfig& config)
        : config_(config), network_(config), sgd_(network_->parameters(), torch::optim::SGDOptions(/*lr=*/0.1)) {
        network_->train();
    }

    void load(const Tensors<float>& state) override { network_->load(state); }

    Tensors<float> save() const override {
        Tensors<float> all(state(config_));
        network_->save(all);
        return all;
    }

    float train_step(const Batch& batch, float rate) override {
        sgd_.param_groups().front().options().set_lr(static_cast<double>(rate));
        forget_gradients();
        const torch::Tensor logits = network_->forward(contexts(batch, config_.context));
        const torch::Tensor loss = torch::nn::functional::cross_entropy(logits, targets(batch));
        loss.backward();
        sgd_.step();
        return loss.item<float>();
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
    // What zero_grad(set_to_none = true) does. The module's own looks up every name for it, and the optimizer's of
    // LibTorch 1.13 can't.
    void forget_gradients() {
        for (torch::Tensor& parameter : sgd_.param_groups().front().params()) {
            parameter.mutable_grad().reset();
        }
    }

    // Evaluation mode without autograd, for as long as it lives.
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

    // The layers below are calibrated already. The sums are in double, and the squares are of what lies around the
    // mean: a second pass.
    void calibrate(std::span<const std::int64_t> X, std::size_t index) {
        const NormConfig& norm = config_.norm;
        const std::size_t rows = X.size() / config_.context;
        const std::size_t divisor = norm.running_divisor == Divisor::n ? rows : rows - std::min<std::size_t>(rows, 1);
        if (divisor == 0) {
            throw InputError("a training part of " + std::to_string(rows) +
                             " examples has no spread to calibrate the norm by: give it more names");
        }
        const Block& block = network_->blocks()[index];
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

    NetworkConfig config_;
    Network network_;
    torch::optim::SGD sgd_;
};

// ---- a norm by itself ----

torch::Tensor rows_of(const std::vector<double>& values, const NormQuestion& question, const Shape& shape) {
    return copy_of({"", shape, DType::float64, values.data()}).to(scalar_type(question.dtype));
}

torch::Tensor matrix(const std::vector<double>& values, const NormQuestion& question) {
    return rows_of(values, question, {question.rows, question.columns});
}

torch::Tensor vector(const std::vector<double>& values, const NormQuestion& question) {
    return rows_of(values, question, {question.columns});
}

std::vector<double> values_of(const torch::Tensor& tensor) {
    const torch::Tensor values = tensor.detach().to(torch::kFloat64).contiguous();
    const double* data = values.data_ptr<double>();
    return {data, data + values.numel()};
}

// What is asked of any norm, once y has been made of x, gain and bias.
NormAnswer backward(const NormQuestion& question, const torch::Tensor& y, const torch::Tensor& x,
                    const torch::Tensor& gain, const torch::Tensor& bias) {
    y.backward(matrix(question.dy, question));
    NormAnswer answer;
    answer.y = values_of(y);
    answer.dx = values_of(x.grad());
    answer.dgain = values_of(gain.grad());
    answer.dbias = values_of(bias.grad());
    return answer;
}

// The module's own tensors are given their values; `spread` is running_var or running_spread.
template <class Module>
NormAnswer ask(Module& module, const torch::Tensor& running_mean, const torch::Tensor& spread,
               const NormQuestion& question) {
    module->to(scalar_type(question.dtype));
    {
        const torch::NoGradGuard no_grad;
        module->weight.copy_(vector(question.gain, question));
        module->bias.copy_(vector(question.bias, question));
        running_mean.copy_(vector(question.running_mean, question));
        spread.copy_(vector(question.running_spread, question));
    }
    const torch::Tensor x = matrix(question.x, question).requires_grad_();
    NormAnswer answer = backward(question, module->forward(x), x, module->weight, module->bias);
    answer.running_mean = values_of(running_mean);
    answer.running_spread = values_of(spread);
    module->eval();
    answer.evaluated = values_of(module->forward(x));
    return answer;
}

}  // namespace

std::unique_ptr<Side> module_side(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    return std::make_unique<ModuleSide>(config, rows);
}

std::unique_ptr<Model> module_model(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    return std::make_unique<ModuleModel>(config);
}

NormAnswer batch_norm(const NormQuestion& question, const NormConfig& conventions) {
    const auto features = static_cast<std::int64_t>(question.columns);
    if (is_batch_norm_1d(conventions)) {
        torch::nn::BatchNorm1d module(
            torch::nn::BatchNorm1dOptions(features).eps(conventions.epsilon).momentum(conventions.momentum));
        return ask(module, module->running_mean, module->running_var, question);
    }
    NormConfig with_gain = conventions;
    with_gain.affine = true;
    Norm module(NormOptions{features, with_gain});
    return ask(module, module->running_mean, module->running_spread, question);
}

NormAnswer layer_norm(const NormQuestion& question, double epsilon) {
    const torch::Tensor x = matrix(question.x, question).requires_grad_();
    const torch::Tensor gain = vector(question.gain, question).requires_grad_();
    const torch::Tensor bias = vector(question.bias, question).requires_grad_();
    const torch::Tensor y = torch::layer_norm(x, {static_cast<std::int64_t>(question.columns)}, gain, bias, epsilon);
    return backward(question, y, x, gain, bias);
}

}  // namespace byhand::torch_ref
