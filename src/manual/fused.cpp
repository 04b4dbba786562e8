#include "manual/fused.h"

#include <algorithm>
#include <cmath>
#include <ranges>

#include "manual/batchnorm.h"
#include "manual/embedding.h"
#include "manual/linear.h"
#include "manual/simd/kernels.h"
#include "manual/softmax_cross_entropy.h"
#include "manual/tanh.h"
#include "manual/update.h"

namespace byhand {
namespace {

// What the layer's arrays are called (see FusedLayer). The gradient kept is that of the linear's result.
struct Names {
    std::string linear, tanh, raw, out;
};

Names names_of(const Layer& layer, bool affine) {
    const std::string hprebn = layer.value("hprebn"), hpreact = layer.value("hpreact");
    Names names;
    names.out = layer.is_output ? "logits" : layer.value("h");
    switch (layer.norm) {
        case NormPlace::none:
            names.linear = layer.is_output ? "logits" : hpreact;
            names.tanh = names.out;
            break;
        case NormPlace::before:
            names.linear = hprebn;
            names.tanh = names.out;
            names.raw = affine ? layer.value("bnraw") : (layer.is_output ? names.out : hpreact);
            break;
        case NormPlace::after:
            names.linear = hpreact;
            names.tanh = hprebn;
            names.raw = affine ? layer.value("bnraw") : names.out;
            break;
    }
    return names;
}

// The tensors that a step keeps, in the order in which it makes them.
std::vector<TensorSpec> kept(const NetworkConfig& config, std::size_t n) {
    std::vector<TensorSpec> table;
    const auto keep = [&table](const std::string& name, Shape shape) {
        const bool known = std::ranges::any_of(table, [&](const auto& spec) { return spec.name == name; });
        if (!name.empty() && !known) {
            table.push_back({name, std::move(shape)});
        }
    };
    const std::size_t inputs = config.context * config.embedding;
    const std::vector<Layer> all = layers(config);
    keep("embcat", {n, inputs});
    for (const Layer& layer : all) {
        const std::size_t H = layer.outputs;
        const Names names = names_of(layer, config.norm.affine);
        keep(names.linear, {n, H});
        if (layer.norm == NormPlace::after) {
            keep(names.tanh, {n, H});
        }
        if (layer.norm != NormPlace::none) {
            keep(layer.value("bnmeani"), {H});
            keep(layer.value("bnvar"), {H});
            keep(layer.value("bnvar_inv"), {H});
            keep(names.raw, {n, H});
        }
        keep(names.out, {n, H});
    }
    keep("loss", {});
    for (const Layer& layer : all | std::views::reverse) {
        const std::size_t H = layer.outputs;
        if (layer.norm != NormPlace::none && config.norm.affine) {
            keep("d" + layer.value("bngain"), {H});
            keep("d" + layer.value("bnbias"), {H});
        }
        keep("d" + names_of(layer, config.norm.affine).linear, {n, H});
        keep("d" + layer.W(), {layer.inputs, H});
        if (layer.has_bias) {
            keep("d" + layer.b(), {H});
        }
    }
    keep("dembcat", {n, inputs});
    keep("dC", {config.vocabulary, config.embedding});
    return table;
}

float* place(Tensors<float>& tensors, const std::string& name) {
    return tensors.contains(name) ? tensors[name].data() : nullptr;
}

}  // namespace

Fused::Fused(const NetworkConfig& config, std::size_t rows) : config_(config), rows_(rows) {
    check_network(config, rows);
    states_ = {Tensors<float>(byhand::state(config)), Tensors<float>(byhand::state(config))};
    values_ = Tensors<float>(kept(config, rows));
    embcat_ = place(values_, "embcat");
    loss_ = place(values_, "loss");
    dembcat_ = place(values_, "dembcat");
    dC_ = place(values_, "dC");
    C_ = {place(states_[0], "C"), place(states_[1], "C")};

    const std::vector<Layer> all = layers(config);
    std::size_t largest = 0;
    for (const Layer& layer : all) {
        largest = std::max(largest, layer.inputs * layer.outputs);
    }
    transposed_.resize(largest);

    for (const Layer& layer : all) {
        const Names names = names_of(layer, config.norm.affine);
        const auto value = [&](const std::string& name) { return place(values_, name); };
        // Without suffixes, an output that has no norm would find the hidden layer's under the same names.
        const auto of_norm = [&](Tensors<float>& tensors, const std::string& name) {
            return layer.norm != NormPlace::none ? place(tensors, name) : nullptr;
        };
        const auto weights = [&](Tensors<float>& s) {
            return Weights{place(s, layer.W()),
                           layer.has_bias ? place(s, layer.b()) : nullptr,
                           of_norm(s, layer.value("bngain")),
                           of_norm(s, layer.value("bnbias")),
                           of_norm(s, layer.value("bnmean_running")),
                           of_norm(s, layer.value("bnvar_running"))};
        };
        const FusedLayer l{.layer = layer,
                           .state = {weights(states_[0]), weights(states_[1])},
                           .linear = value(names.linear),
                           .tanh = value(names.tanh),
                           .raw = value(names.raw),
                           .out = value(names.out),
                           .bnmeani = of_norm(values_, layer.value("bnmeani")),
                           .bnvar = of_norm(values_, layer.value("bnvar")),
                           .bnvar_inv = of_norm(values_, layer.value("bnvar_inv")),
                           .dy = value("d" + names.linear),
                           .dW = value("d" + layer.W()),
                           .db = value("d" + layer.b()),
                           .dbngain = of_norm(values_, "d" + layer.value("bngain")),
                           .dbnbias = of_norm(values_, "d" + layer.value("bnbias"))};
        layers_.push_back(l);
    }
}

float Fused::run(const Batch& batch, float rate) {
    const std::size_t characters = rows_ * config_.context;
    embedding_forward(embcat_, C_[now_], batch.X, characters, config_.embedding);
    const float* x = embcat_;
    for (const FusedLayer& l : layers_) {
        forward(l, x);
        x = l.out;
    }
    cross_entropy_with_gradient(loss_, layers_.back().dy, layers_.back().out, batch.Y, rows_, config_.vocabulary,
                                simd::exp_forward);
    for (std::size_t l = layers_.size(); l-- > 0;) {
        l > 0 ? backward(layers_[l], layers_[l - 1].out, layers_[l - 1].dy) : backward(layers_[l], embcat_, dembcat_);
    }
    embedding_backward(dC_, dembcat_, batch.X, characters, config_.vocabulary, config_.embedding);
    update(rate);
    return *loss_;
}

// before: linear → norm → tanh;   after: linear → tanh → norm;   none: linear → tanh.   The output has no tanh.
void Fused::forward(const FusedLayer& l, const float* x) const {
    const Weights& w = l.state[now_];
    const std::size_t H = l.layer.outputs;
    simd::linear_forward(l.linear, x, w.W, w.b, rows_, l.layer.inputs, H);
    const float* before_tanh = l.linear;
    if (l.layer.norm == NormPlace::before) {
        norm_forward(l, l.linear, l.out);
        before_tanh = l.out;
    }
    if (!l.layer.is_output) {
        simd::tanh_forward(l.tanh, before_tanh, rows_ * H);
    }
    if (l.layer.norm == NormPlace::after) {
        norm_forward(l, l.tanh, l.out);
    }
}

// y = γ·x̂ + β with x̂ = (x − mean)·bnvar_inv; without γ and β y = x̂.
void Fused::norm_forward(const FusedLayer& l, const float* x, float* y) const {
    const Weights& w = l.state[now_];
    const NormConfig& norm = config_.norm;
    const std::size_t H = l.layer.outputs;
    batchnorm_mean(l.bnmeani, x, rows_, H);
    batchnorm_difference(l.raw, x, l.bnmeani, rows_, H);
    batchnorm_variance_of_differences(l.bnvar, l.raw, rows_, H, norm.batch_divisor);
    batchnorm_inverse_deviation(l.bnvar_inv, l.bnvar, H, norm.epsilon, norm.epsilon_place);
    batchnorm_normalise(l.raw, l.raw, l.bnvar_inv, rows_, H);
    if (norm.affine) {
        batchnorm_scale_shift(y, l.raw, w.bngain, w.bnbias, rows_, H);
    } else if (y != l.raw) {
        std::copy_n(l.raw, rows_ * H, y);
    }
}

// From dL/d(out) in l.dy to dL/d(linear) there, then the linear's own gradients, and dx.
void Fused::backward(const FusedLayer& l, const float* x, float* dx) {
    const std::size_t in = l.layer.inputs, H = l.layer.outputs;
    if (l.layer.norm == NormPlace::after) {
        norm_backward(l);
    }
    if (!l.layer.is_output) {
        tanh_backward(l.dy, l.dy, l.tanh, rows_ * H);
    }
    if (l.layer.norm == NormPlace::before) {
        norm_backward(l);
    }
    simd::linear_weight_backward(l.dW, x, l.dy, rows_, in, H);
    if (l.layer.has_bias) {
        linear_bias_backward(l.db, l.dy, rows_, H);
    }
    simd::linear_input_backward(dx, l.dy, l.state[now_].W, transposed_.data(), rows_, in, H);
}

// From the gradient of the norm's result to that of its input, in l.dy.
void Fused::norm_backward(const FusedLayer& l) const {
    const NormConfig& norm = config_.norm;
    const std::size_t H = l.layer.outputs;
    if (norm.affine) {
        batchnorm_gain_backward(l.dbngain, l.dy, l.raw, rows_, H);
        batchnorm_bias_backward(l.dbnbias, l.dy, rows_, H);
        batchnorm_affine_backward(l.dy, l.dy, l.dbngain, l.dbnbias, l.raw, l.state[now_].bngain, l.bnvar_inv, l.bnvar,
                                  rows_, H, norm.batch_divisor, norm.epsilon, norm.epsilon_place);
    } else {
        batchnorm_backward(l.dy, l.dy, l.raw, l.bnvar_inv, l.bnvar, rows_, H, norm.batch_divisor, norm.epsilon,
                           norm.epsilon_place);
    }
}

// new_p = p − rate·dp, and the running figures of each norm.
void Fused::update(float rate) {
    const NormConfig& norm = config_.norm;
    const std::size_t next = 1 - now_;
    const auto descend_to = [&](float* new_p, const float* p, const float* dp, std::size_t count) {
        if (p != nullptr) {
            descend(new_p, p, dp, &rate, count);
        }
    };
    descend_to(C_[next], C_[now_], dC_, config_.vocabulary * config_.embedding);
    for (const FusedLayer& l : layers_) {
        const Weights& w = l.state[now_];
        const Weights& new_w = l.state[next];
        const std::size_t H = l.layer.outputs;
        descend_to(new_w.W, w.W, l.dW, l.layer.inputs * H);
        descend_to(new_w.b, w.b, l.db, H);
        descend_to(new_w.bngain, w.bngain, l.dbngain, H);
        descend_to(new_w.bnbias, w.bnbias, l.dbnbias, H);
        if (l.layer.norm != NormPlace::none) {
            running_mean_update(new_w.bnmean_running, w.bnmean_running, l.bnmeani, H, norm.momentum);
            running_spread_update(new_w.bnvar_running, w.bnvar_running, l.bnvar, H, rows_, norm.batch_divisor,
                                  norm.running_divisor, norm.running_spread, norm.momentum);
        }
    }
}

std::vector<View> Fused::views() const {
    std::vector<View> all = states_[now_].views();
    for (View& view : values_.views()) {
        all.push_back(std::move(view));
    }
    for (View& view : states_[1 - now_].views()) {
        view.name = "new_" + view.name;
        all.push_back(std::move(view));
    }
    return all;
}

}  // namespace byhand
