#include "torch_ref/stepwise.h"

#include <torch/torch.h>

#include <cmath>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "torch_ref/bridge.h"
#include "torch_ref/record.h"

namespace byhand::torch_ref {
namespace {

using torch::Tensor;
using State = std::map<std::string, Tensor>;

double divisor_of(Divisor divisor, std::int64_t rows) {
    return static_cast<double>(divisor == Divisor::n ? rows : rows - 1);
}

// The forward pass: every value is kept in `record`, and what the norms' running figures become in `running`.
struct Forward {
    const NetworkConfig& config;
    const State& state;
    Record record;
    State running;

    Tensor keep(const std::string& name, const Tensor& value) { return record.keep(name, value); }

    // inputs (B, in), W (in, out), b (out) → (B, out).
    Tensor linear(const Layer& layer, const std::string& name, const Tensor& input) {
        const Tensor product = torch::matmul(input, state.at(layer.W()));
        return keep(name, layer.has_bias ? product + state.at(layer.b()) : product);
    }

    // hprebn (B, H) → the norm's result (B, H), which is called `name`.
    Tensor norm(const Layer& layer, const std::string& name, const Tensor& hprebn) {
        const NormConfig& norm = config.norm;
        const std::int64_t n = hprebn.size(0);
        const double divisor = divisor_of(norm.batch_divisor, n);

        const Tensor bnmeani = keep(layer.value("bnmeani"), hprebn.sum(0) / static_cast<double>(n));
        const Tensor bndiff = keep(layer.value("bndiff"), hprebn - bnmeani);
        const Tensor bndiff2 = keep(layer.value("bndiff2"), bndiff * bndiff);
        const Tensor bnvar = keep(layer.value("bnvar"), bndiff2.sum(0) / divisor);
        const Tensor bnvar_inv = keep(layer.value("bnvar_inv"), norm.epsilon_place == EpsilonPlace::inside
                                                                    ? (bnvar + norm.epsilon).pow(-0.5)
                                                                    : (bnvar.sqrt() + norm.epsilon).pow(-1));
        update_running(layer, bnmeani.detach(), bnvar.detach() * (divisor / divisor_of(norm.running_divisor, n)));
        if (!norm.affine) {
            return keep(name, bndiff * bnvar_inv);
        }
        const Tensor bnraw = keep(layer.value("bnraw"), bndiff * bnvar_inv);
        return keep(name, state.at(layer.value("bngain")) * bnraw + state.at(layer.value("bnbias")));
    }

    // `variance` has the running figure's divisor.
    void update_running(const Layer& layer, const Tensor& mean, const Tensor& variance) {
        const bool deviation = config.norm.running_spread == RunningSpread::deviation;
        blend(layer.value("bnmean_running"), mean);
        blend(layer.value("bnvar_running"), deviation ? variance.sqrt() : variance);
    }

    void blend(const std::string& name, const Tensor& batch) {
        const double momentum = config.norm.momentum;
        running[name] = (1 - momentum) * state.at(name) + momentum * batch;
    }

    // What lies between the input of a layer and its result: h, or logits.
    Tensor layer(const Layer& layer, const Tensor& input) {
        if (layer.is_output) {
            if (layer.norm == NormPlace::none) {
                return linear(layer, "logits", input);
            }
            const Tensor hprebn = linear(layer, layer.value("hprebn"), input);
            return norm(layer, "logits", hprebn);
        }
        if (layer.norm == NormPlace::before) {
            const Tensor hprebn = linear(layer, layer.value("hprebn"), input);
            const Tensor hpreact = norm(layer, layer.value("hpreact"), hprebn);
            return keep(layer.value("h"), torch::tanh(hpreact));
        }
        const Tensor hpreact = linear(layer, layer.value("hpreact"), input);
        if (layer.norm == NormPlace::none) {
            return keep(layer.value("h"), torch::tanh(hpreact));
        }
        const Tensor hprebn = keep(layer.value("hprebn"), torch::tanh(hpreact));
        return norm(layer, layer.value("h"), hprebn);
    }

    // X (B, T) → logits (B, V).
    Tensor network(const Tensor& X) {
        const Tensor emb = keep("emb", torch::embedding(state.at("C"), X));
        Tensor values = keep("embcat", emb.view({X.size(0), -1}));
        for (const Layer& each : layers(config)) {
            values = layer(each, values);
        }
        return values;
    }

    // Cross-entropy, the mean over the rows: logits (B, V), Y (B) → a scalar. max(1) gives the gradient of a maximum
    // to the first of equals.
    Tensor loss(const Tensor& logits, const Tensor& Y) {
        const Tensor logit_maxes = keep("logit_maxes", std::get<0>(logits.max(1)));
        const Tensor norm_logits = keep("norm_logits", logits - logit_maxes.unsqueeze(1));
        const Tensor counts = keep("counts", norm_logits.exp());
        const Tensor counts_sum = keep("counts_sum", counts.sum(1));
        const Tensor counts_sum_inv = keep("counts_sum_inv", counts_sum.pow(-1));
        const Tensor probs = keep("probs", counts * counts_sum_inv.unsqueeze(1));
        const Tensor logprobs = keep("logprobs", probs.log());
        return keep("loss", -logprobs.gather(1, Y.unsqueeze(1)).mean());
    }
};

class Stepwise final : public Side {
public:
    Stepwise(const NetworkConfig& config, std::size_t rows, DType dtype)
        : config_(config), rows_(rows), dtype_(dtype) {}

    void load(const Tensors<float>& from) override {
        state_.clear();
        for (const TensorSpec& spec : state(config_)) {
            state_[spec.name] = tensor(from, spec, dtype_);
        }
    }

    void run(const Batch& batch, float rate) override {
        if (batch.rows != rows_) {
            throw std::invalid_argument("LibTorch's stepwise side was made for batches of another size");
        }
        const std::vector<Named> parameters = fresh_parameters();
        Forward forward{config_, state_, {}, {}};
        const Tensor logits = forward.network(contexts(batch, config_.context));
        const Tensor loss = forward.loss(logits, targets(batch));
        loss.backward();

        const torch::NoGradGuard no_grad;
        shown_.clear();
        for (const TensorSpec& spec : state(config_)) {
            shown_.push_back({spec.name, state_.at(spec.name)});
        }
        for (const Named& value : forward.record.values()) {
            shown_.push_back(value);
        }
        for (Named& gradient : gradients(config_, forward.record.values(), parameters)) {
            shown_.push_back(std::move(gradient));
        }
        for (const Named& parameter : parameters) {
            const Tensor& X = parameter.tensor;
            shown_.push_back({"new_" + parameter.name, X - static_cast<double>(rate) * X.grad()});
        }
        for (const TensorSpec& spec : running_figures(config_)) {
            shown_.push_back({"new_" + spec.name, forward.running.at(spec.name)});
        }
    }

    std::vector<View> views() const override {
        std::vector<View> all;
        for (const Named& named : shown_) {
            all.push_back(view(named.name, named.tensor));
        }
        return all;
    }

private:
    // The parameters as leaves without a gradient.
    std::vector<Named> fresh_parameters() {
        std::vector<Named> all;
        for (const TensorSpec& spec : parameters(config_)) {
            Tensor& parameter = state_.at(spec.name);
            parameter = parameter.detach().requires_grad_();
            all.push_back({spec.name, parameter});
        }
        return all;
    }

    NetworkConfig config_;
    std::size_t rows_;
    DType dtype_;
    State state_;
    std::vector<Named> shown_;
};

}  // namespace

std::unique_ptr<Side> stepwise(const NetworkConfig& config, std::size_t rows, DType dtype) {
    check_network(config, rows);
    return std::make_unique<Stepwise>(config, rows, dtype);
}

}  // namespace byhand::torch_ref
