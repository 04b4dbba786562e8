// The parameter update of the fused step.
#include <algorithm>
#include <functional>

#include "fast/fused.h"
#include "fast/simd/kernels.h"
#include "fast/simd/norm.h"
#include "manual/batchnorm/formulas.h"
#include "manual/dropout/formulas.h"
#include "manual/optimizer/formulas.h"

namespace byhand {

// Values common to all parameters.
void Fused::begin_update(float rate) {
    optimizer_.rate = rate;
    if (optimizer_.config.kind == OptimizerKind::adamw) {
        float* const t = step_count_[1 - now_];
        step_counted(t, step_count_[now_]);
        bias_correction(&optimizer_.mean_correction, t, optimizer_.config.beta1);
        bias_correction(&optimizer_.square_correction, t, optimizer_.config.beta2);
    }
}

// A parameter's elements from `from` on.
void Fused::learn(const std::array<simd::ParameterState, 2>& parameter, std::size_t from, const float* gradient,
                  std::size_t count) const {
    simd::optimizer_step(parameter[1 - now_], parameter[now_], from, gradient, count, optimizer_);
}

// dW = xᵀ·dy and new_W, for the inputs of panel q and the outputs of panel p, of n rows. A tied linear's dW is added to
// dC.
void Fused::update(const FusedLayer& l, const float* x, const Panel& q, const float* dy, const Panel& p, std::size_t n,
                   std::size_t thread) {
    const std::size_t from = l.pattern.layer.inputs * p.from + q.from * p.width;
    float* const dW = slot(l.dW, from, 0, thread);
    if (is_plain(optimizer_.config) && !l.pattern.layer.is_tied) {
        products_.linear_descend({l.W[1 - now_].p + from, l.W[now_].p + from, optimizer_.rate}, dW,
                                 l.dW.value != nullptr, x, q, dy, p, n);
    } else {
        products_.linear_weight_backward(dW, x, q, dy, p, n);
        if (!l.pattern.layer.is_tied) {
            learn(l.W, from, dW, q.used * p.width);
        }
    }
}

// What the backward pass has left to update.
void Fused::update() {
    for (const FusedLayer& l : layers_) {
        if (!has_all_rows() && !goes_by_character(l)) {
            pool_.run(l.out.size(), [&](std::size_t panel, std::size_t) {
                const Panel& p = l.out[panel];
                const std::size_t inputs = l.pattern.layer.inputs;
                if (!l.pattern.layer.is_tied) {
                    learn(l.W, inputs * p.from, l.dW.value + inputs * p.from, inputs * p.width);
                }
                update_vectors(l, p);
            });
        }
    }
    if (by_character_) {
        backward_by_character();
    }
    update_embedding();
}

// In this panel new_b, new γ and β, the running statistics; the keys of the next masks.
void Fused::update_vectors(const FusedLayer& l, const Panel& p) const {
    if (l.pattern.layer.has_bias) {
        learn(l.b, p.from, l.db.value + p.from, p.width);
    }
    for (const FusedStep& step : l.steps) {
        if (!step.normalises) {
            continue;  // a later step of the same norm does
        }
        if (step.gain[now_].p != nullptr) {
            learn(step.gain, p.from, step.dgain.value + p.from, p.width);
        }
        if (step.bias[now_].p != nullptr) {
            learn(step.bias, p.from, step.dbias.value + p.from, p.width);
        }
        if (step.what->kind == FusedKind::batch_norm) {
            const NormConfig& norm = step.what->operation.norm;
            running_mean_update(step.running_mean[1 - now_] + p.from, step.running_mean[now_] + p.from,
                                step.mean.value + p.from, p.used, norm.momentum);
            running_spread_update(step.running_spread[1 - now_] + p.from, step.running_spread[now_] + p.from,
                                  step.var.value + p.from, p.used, own_.batch * l.pattern.layer.positions,
                                  norm.batch_divisor, norm.running_divisor, norm.running_spread, norm.momentum);
        } else if (step.what->kind == FusedKind::dropout && p.from == 0) {
            dropout_key_update(step.key[1 - now_], step.key[now_]);
        }
    }
}

// By character dC[v] = Σ_t (dy_t·W_tᵀ)[v]; a tied linear's dW[·, v]; new_C
void Fused::update_embedding() {
    const std::size_t V = config_.vocabulary, E = config_.embedding;
    if (by_character_) {
        std::fill_n(dC_, V * E, 0.0F);
        for (const Panel& c : by_character_->columns) {
            const std::size_t places = layers_.front().pattern.joined * V;
            const float* from = in_panel(by_character_->dC.data(), places, c);
            for (std::size_t row = 0; row < places; ++row, from += c.width) {
                float* const to = dC_ + row % V * E + c.from;
                std::transform(from, from + c.used, to, to, std::plus());
            }
        }
    }
    if (!tied_dW_.empty()) {
        for (const Panel& p : layers_.back().out) {
            const float* const dW = in_panel(tied_dW_.data(), E, p);
            for (std::size_t v = 0; v < p.used; ++v) {
                for (std::size_t e = 0; e < E; ++e) {
                    dC_[(p.from + v) * E + e] += dW[e * p.width + v];
                }
            }
        }
    }
    learn(C_, 0, dC_, V * E);
}

}  // namespace byhand
