#include <algorithm>
#include <functional>

#include "manual/fused.h"
#include "manual/simd/activations.h"
#include "manual/simd/kernels.h"
#include "manual/simd/norm.h"
#include "manual/simd/product.h"
#include "manual/simd/row_norm.h"
#include "manual/update.h"

namespace byhand {

// From the logits' gradient down, with the updates of all but the embedding.
void Fused::backward(const Batch& batch, float rate) {
    const FusedLayer& last = layers_.back();
    pool_.run(last.out.size() * chunks(last),
              [&](std::size_t task, std::size_t thread) { backward(last, batch, part_of(last, task), thread); });
    backward_across_panels(last, batch);
    for (std::size_t number = layers_.size(); --number > 0;) {
        const FusedLayer& below = layers_[number - 1];
        backward_of_linear(layers_[number], below.result, below.dy, &below, batch, rate);
        backward_across_panels(below, batch);
    }
    if (by_character_) {
        backward_by_character(rate);
    } else {
        backward_of_linear(layers_.front(), embcat_, dembcat_, nullptr, batch, rate);
    }
}

// With dL/d(linear) come the gradients of the layer's weights, and that of what it reads, dx of x, which is the result
// of the layer below, where there is one: neither waits for the other.
void Fused::backward_of_linear(const FusedLayer& l, const float* x, float* dx, const FusedLayer* below,
                               const Batch& batch, float rate) {
    const std::size_t parts = below != nullptr ? chunks(*below) : chunks();
    const std::size_t to_below = l.in.size() / l.in.front().joined * parts, to_weights = l.in.size() * l.out.size();
    pool_.run(to_below + to_weights, [&](std::size_t task, std::size_t thread) {
        if (task < to_below) {
            input_backward(l, dx, task / parts, rows_of_chunk(l.pattern.layer.positions, task % parts, parts), thread);
            if (below != nullptr) {
                backward(*below, batch, part_of(*below, task), thread);
            }
        } else {
            const std::size_t block = task - to_below;
            const Panel &q = l.in[block % l.in.size()], &p = l.out[block / l.in.size()];
            update(l, in_panel(x, l.rows, q), q, in_panel(l.dy, l.rows, p), p, l.rows, rate, thread);
        }
    });
}

// dx = dy·Wᵀ, dy being the gradient of the linear's result: some of the layer's rows, and one panel of what is below,
// all of the panels that it is where rows are joined.
void Fused::input_backward(const FusedLayer& l, float* dx, std::size_t panel, const Rows& rows, std::size_t thread) {
    for (std::size_t k = panel; k < l.in.size(); k += l.in.size() / l.in.front().joined) {
        const Panel& q = l.in[k];
        simd::linear_input_backward(in_panel(dx, l.rows, q), {l.dy, l.rows, l.out},
                                    {l.state[now_].W, l.pattern.layer.inputs, l.out}, transposed_[thread].data(), rows,
                                    q);
    }
}

// From the gradient of the layer's result to that of its linear's, in l.dy: `forward` in mirror order, as far as it
// goes panel by panel.
void Fused::backward(const FusedLayer& l, const Batch& batch, const Part& part, std::size_t thread) {
    const Panel& p = part.panel;
    const FusedPattern& pattern = l.pattern;
    float* const dy = in_panel(l.dy, l.rows, p);
    float* const dgain = l.dgain != nullptr ? l.dgain + p.from : nullptr;
    float* const dbias = l.dbias != nullptr ? l.dbias + p.from : nullptr;
    if (pattern.has_row_norm()) {
        if (pattern.norm.place == NormPlace::before) {
            activation_backward(l, part);
        }
        return;
    }
    if (pattern.is_tanh_joined()) {
        simd::batchnorm_tanh_backward(dy, dgain, dbias, in_panel(l.activated, l.rows, p), norm_of(l, p), pattern.norm);
    } else if (pattern.norm.place == NormPlace::before) {
        activation_backward(l, part);
        simd::batchnorm_backward(dy, dgain, dbias, norm_of(l, p), pattern.norm);
    } else {
        if (pattern.norm.place == NormPlace::after) {
            simd::batchnorm_backward(dy, dgain, dbias, norm_of(l, p), pattern.norm);
        }
        activation_backward(l, part);
    }
    if (goes_by_character(l)) {
        sum_by_character(l, batch, p, thread);
    }
}

// The rest of it, where the layer has a norm of rows: dγ and dβ of all rows, then row by row the norm and what is
// before it.
void Fused::backward_across_panels(const FusedLayer& l, const Batch& batch) {
    if (!l.pattern.has_row_norm()) {
        return;
    }
    if (l.dgain != nullptr) {
        pool_.run(l.out.size(), [&](std::size_t panel, std::size_t) {
            const Panel& p = l.out[panel];
            const float* const dy = in_panel(l.dy, l.rows, p);
            simd::sum_rows_of_product(l.dgain + p.from, dy, in_panel(l.raw, l.rows, p), l.rows, p.width);
            if (l.dbias != nullptr) {
                simd::sum_rows(l.dbias + p.from, dy, l.rows, p.width);
            }
        });
    }
    pool_.run(chunks(), [&](std::size_t chunk, std::size_t) {
        const Rows rows = rows_of_chunk(l.pattern.layer.positions, chunk, chunks());
        simd::row_norm_backward(l.dy, row_norm_of(l), rows);
        for (std::size_t p = 0; l.pattern.norm.place == NormPlace::after && p < l.out.size(); ++p) {
            activation_backward(l, {l.out[p], rows});
        }
    });
    if (goes_by_character(l)) {
        pool_.run(l.out.size(),
                  [&](std::size_t panel, std::size_t thread) { sum_by_character(l, batch, l.out[panel], thread); });
    }
}

void Fused::activation_backward(const FusedLayer& l, const Part& part) {
    if (l.pattern.activation) {
        const auto [from, count] = run_of(l, part);
        const float* const read = l.read != nullptr ? l.read : l.activated;
        simd::activation_backward(l.dy + from, l.dy + from, read + from, count, *l.pattern.activation,
                                  static_cast<float>(l.pattern.negative_slope));
    }
}

// dy_t[v], in panel p of the first layer.
void Fused::sum_by_character(const FusedLayer& l, const Batch& batch, const Panel& p, std::size_t thread) {
    const std::size_t places = l.pattern.joined * config_.vocabulary;
    simd::sum_by_character(in_panel(by_character_->dy.data(), places, p), by_character_->scratch[thread].data(),
                           in_panel(l.dy, l.rows, p), contexts(batch), p.width);
}

// dW_t = Cᵀ·dy_t, with W's update, and dy_t·W_tᵀ.
void Fused::backward_by_character(float rate) {
    const FusedLayer& l = layers_.front();
    const std::size_t V = config_.vocabulary, E = config_.embedding, T = l.pattern.joined, places = T * V;
    float* const sums = by_character_->dy.data();
    const std::vector<Panel>& columns = by_character_->columns;
    const std::size_t blocks = T * columns.size();
    pool_.run(blocks + blocks * l.out.size(), [&](std::size_t task, std::size_t thread) {
        const std::size_t t = task % blocks / columns.size();
        const Panel& c = columns[task % columns.size()];
        const Panel q = {t * E + c.from, c.width, c.used};  // of W's rows
        if (task < blocks) {
            simd::linear_input_backward(in_panel(by_character_->dC.data(), places, c), {sums, places, l.out},
                                        {l.state[now_].W, l.pattern.layer.inputs, l.out}, transposed_[thread].data(),
                                        {t * V, (t + 1) * V}, q);
        } else {
            const Panel& p = l.out[task / blocks - 1];
            update(l, in_panel(by_character_->C.data(), V, c), q, in_panel(sums, places, p) + t * V * p.width, p, V,
                   rate, thread);
        }
    });
}

// dW = xᵀ·dy and new_W = W − rate·dW, for the inputs of panel q and the outputs of panel p, of n rows; with the first
// inputs, all that the outputs have besides.
void Fused::update(const FusedLayer& l, const float* x, const Panel& q, const float* dy, const Panel& p, std::size_t n,
                   float rate, std::size_t thread) {
    const std::size_t from = l.pattern.layer.inputs * p.from + q.from * p.width;
    const bool kept = l.dW != nullptr;
    simd::linear_descend({l.state[1 - now_].W + from, l.state[now_].W + from, rate},
                         kept ? l.dW + from : dW_[thread].data(), kept, x, q, dy, p, n);
    if (q.from == 0) {
        update_vectors(l, p, rate);
    }
}

// db = Σ dy and new_b = b − rate·db; new γ and β; the running statistics.
void Fused::update_vectors(const FusedLayer& l, const Panel& p, float rate) const {
    const Weights& w = l.state[now_];
    const Weights& new_w = l.state[1 - now_];
    const NormConfig& norm = l.pattern.norm;
    const auto descend_to = [&](float* new_v, const float* v, const float* dv) {
        simd::descend(new_v + p.from, v + p.from, dv + p.from, rate, p.width);
    };
    if (l.pattern.layer.has_bias) {
        simd::sum_rows(l.db + p.from, in_panel(l.dy, l.rows, p), l.rows, p.width);
        descend_to(new_w.b, w.b, l.db);
    }
    if (w.gain != nullptr) {
        descend_to(new_w.gain, w.gain, l.dgain);
    }
    if (w.bias != nullptr) {
        descend_to(new_w.bias, w.bias, l.dbias);
    }
    if (w.bnmean_running != nullptr) {
        running_mean_update(new_w.bnmean_running + p.from, w.bnmean_running + p.from, l.mean + p.from, p.used,
                            norm.momentum);
        running_spread_update(new_w.bnvar_running + p.from, w.bnvar_running + p.from, l.var + p.from, p.used, l.rows,
                              norm.batch_divisor, norm.running_divisor, norm.running_spread, norm.momentum);
    }
}

// dC[v] = Σ over the places with X[i, t] = v of demb[i, t], or Σ_t (dy_t·W_tᵀ)[v]; new_C = C − rate·dC
void Fused::update_embedding(const Batch& batch, float rate) const {
    const std::size_t V = config_.vocabulary, E = config_.embedding, size = V * E;
    std::fill_n(dC_, size, 0.0F);
    if (by_character_) {
        for (const Panel& c : by_character_->columns) {
            const std::size_t places = layers_.front().pattern.joined * V;
            const float* from = in_panel(by_character_->dC.data(), places, c);
            for (std::size_t row = 0; row < places; ++row, from += c.width) {
                float* const to = dC_ + row % V * E + c.from;
                std::transform(from, from + c.used, to, to, std::plus());
            }
        }
    } else {
        const simd::Contexts all = contexts(batch);
        simd::embedding_backward(dC_, dembcat_, all.X, all.n, all.T, E, stretches_);
    }
    descend(C_[1 - now_], C_[now_], dC_, &rate, size);
}

}  // namespace byhand
