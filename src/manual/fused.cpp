#include "manual/fused.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/value.h"
#include "manual/fused_tensors.h"
#include "manual/simd/activations.h"
#include "manual/simd/kernels.h"
#include "manual/simd/norm.h"
#include "manual/simd/product.h"
#include "manual/sums.h"
#include "manual/update.h"

namespace byhand {
namespace {

float* find(Tensors<float>& tensors, const std::string& name) {
    return tensors.contains(name) ? tensors[name].data() : nullptr;
}

// Rows of a panel that a thread takes at a time where nothing wants them all.
constexpr std::size_t kTogether = 128;

}  // namespace

Fused::Fused(const NetworkConfig& config, std::size_t rows, Keep keep, std::size_t threads)
    : config_(config), rows_(rows), pool_(threads) {
    check_network(config, rows);
    states_ = {Tensors<float>(with_padding(byhand::state(config))),
               Tensors<float>(with_padding(byhand::state(config)))};
    names_ = kept_names(config, rows, keep);
    values_ = Tensors<float>(with_padding(names_));
    embcat_ = find(values_, "embcat");
    loss_ = find(values_, "loss");
    dembcat_ = find(values_, "dembcat");
    dC_ = find(values_, "dC");
    C_ = {find(states_[0], "C"), find(states_[1], "C")};
    losses_.resize(rows);

    std::size_t widest = 0;
    for (const FusedPattern& pattern : fused_patterns(config)) {
        const Layer& layer = pattern.layer;
        const bool is_first = layers_.empty();
        widest = std::max(widest, padded(layer.outputs));
        const NormNames names = norm_names(pattern);
        const bool is_batch_norm = pattern.has_norm(NormKind::batch);
        const auto value = [&](const std::string& name) { return find(values_, name); };
        const auto gradient = [&](const std::string& name) {
            return name.empty() ? nullptr : value(gradient_of(name));
        };
        const auto weights = [&](Tensors<float>& s) {
            return Weights{find(s, layer.W()),
                           layer.has_bias ? find(s, layer.b()) : nullptr,
                           find(s, names.gain),
                           find(s, names.bias),
                           is_batch_norm ? find(s, layer.value("bnmean_running")) : nullptr,
                           is_batch_norm ? find(s, layer.value("bnvar_running")) : nullptr};
        };
        layers_.push_back(FusedLayer{.pattern = pattern,
                                     .rows = rows * layer.positions,
                                     .in = is_first
                                               ? panels_of(layer.inputs)
                                               : joined_panels(layers_.back().pattern.layer.outputs, pattern.joined),
                                     .out = panels_of(layer.outputs),
                                     .state = {weights(states_[0]), weights(states_[1])},
                                     .linear = value(normalised_in_place(pattern, keep) ? pattern.raw : pattern.linear),
                                     .activated = value(pattern.activated),
                                     .raw = value(pattern.raw),
                                     .read = value(pattern.read),
                                     .result = value(pattern.result),
                                     .mean = value(names.mean),
                                     .var = value(names.var),
                                     .inv = value(names.inv),
                                     .dy = value(gradient_of(pattern.linear)),
                                     .dW = value(gradient_of(layer.W())),
                                     .db = layer.has_bias ? value(gradient_of(layer.b())) : nullptr,
                                     .dgain = gradient(names.gain),
                                     .dbias = gradient(names.bias)});
    }
    transposed_.assign(threads, AlignedVector<float>(widest * kWidestPanel));
    dW_.assign(threads, AlignedVector<float>(kWidestPanel * kWidestPanel));
    const FusedLayer& first = layers_.front();
    const std::size_t T = first.pattern.layer.inputs / config.embedding;
    stretches_ = stretches_of(first.rows, T, config.embedding);
    if (pays_by_character(config, rows)) {
        const std::size_t V = config.vocabulary, E = padded(config.embedding), places = T * V;
        by_character_ = ByCharacter{
            .T = T,
            .columns = panels_of(config.embedding),
            .C = AlignedVector<float>(V * E),
            .dy = AlignedVector<float>(places * padded(first.pattern.layer.outputs)),
            .dC = AlignedVector<float>(places * E),
            .scratch = std::vector<AlignedVector<float>>(threads, AlignedVector<float>(places * kWidestPanel))};
    }
}

void Fused::load(const Tensors<float>& state) {
    values_.clear();
    states_[1 - now_].clear();
    put(states_[now_], state);
}

Tensors<float> Fused::state() const {
    const std::vector<TensorSpec> table = byhand::state(config_);
    Tensors<float> outside(table);
    take(outside, "", states_[now_], table);
    return outside;
}

Tensors<float> Fused::kept() const {
    const std::vector<TensorSpec> state = byhand::state(config_);
    std::vector<TensorSpec> all = state;
    all.insert(all.end(), names_.begin(), names_.end());
    for (const TensorSpec& spec : state) {
        all.push_back({update_of(spec.name), spec.shape});
    }
    Tensors<float> outside(std::move(all));
    take(outside, "", states_[now_], state);
    take(outside, "", values_, names_);
    take(outside, "new_", states_[1 - now_], state);
    return outside;
}

float Fused::run(const Batch& batch, float rate) {
    if (by_character_) {
        embedding_to_panels();
    } else {
        const simd::Contexts all = contexts(batch);
        simd::embedding_forward(embcat_, C_[now_], all.X, all.n, all.T, config_.embedding, stretches_);
    }
    const float* x = embcat_;
    for (const FusedLayer& l : layers_) {
        pool_.run(l.out.size() * chunks(l), [&](std::size_t task, std::size_t thread) {
            forward(l, {x, l.rows, l.in}, batch, part_of(l, task), thread);
        });
        if (l.pattern.has_row_norm()) {
            pool_.run(chunks(), [&](std::size_t chunk, std::size_t) {
                row_norm_forward(l, rows_of_chunk(l.pattern.layer.positions, chunk, chunks()));
            });
        }
        x = l.result;
    }
    loss(batch);

    const FusedLayer& last = layers_.back();
    pool_.run(last.out.size() * chunks(last),
              [&](std::size_t task, std::size_t thread) { backward(last, batch, part_of(last, task), thread); });
    backward_across_panels(last, batch);
    for (std::size_t number = layers_.size(); number-- > (by_character_ ? 1 : 0);) {
        // With dL/d(linear) come the gradients of the layer's weights, and that of what it reads, which is the result
        // of the layer below: neither waits for the other.
        const FusedLayer& l = layers_[number];
        const FusedLayer* below = number > 0 ? &layers_[number - 1] : nullptr;
        float* const read = below != nullptr ? below->result : embcat_;
        const std::size_t parts = below != nullptr ? chunks(*below) : chunks();
        const std::size_t to_below = l.in.size() / l.in.front().joined * parts;
        const std::size_t to_weights = l.in.size() * l.out.size();
        pool_.run(to_below + to_weights, [&](std::size_t task, std::size_t thread) {
            if (task < to_below) {
                input_backward(l, below != nullptr ? below->dy : dembcat_, task / parts,
                               rows_of_chunk(l.pattern.layer.positions, task % parts, parts), thread);
                if (below != nullptr) {
                    backward(*below, batch, part_of(*below, task), thread);
                }
            } else {
                const std::size_t block = task - to_below;
                const Panel &q = l.in[block % l.in.size()], &p = l.out[block / l.in.size()];
                update(l, in_panel(read, l.rows, q), q, in_panel(l.dy, l.rows, p), p, l.rows, rate, thread);
            }
        });
        if (below != nullptr) {
            backward_across_panels(*below, batch);
        }
    }
    if (by_character_) {
        backward_by_character(rate);
    }
    update_embedding(batch, rate);
    return *loss_;
}

// Parts of a panel's rows: a batch norm wants them all, and so does what goes by character.
std::size_t Fused::chunks(const FusedLayer& l) const {
    return l.pattern.has_norm(NormKind::batch) || goes_by_character(l) ? 1 : chunks();
}
std::size_t Fused::chunks() const {
    return (rows_ + kTogether - 1) / kTogether;
}

// Rows of the batch stay together: of each there are so many positions.
Rows Fused::rows_of_chunk(std::size_t positions, std::size_t chunk, std::size_t chunks) const {
    return {rows_ * chunk / chunks * positions, rows_ * (chunk + 1) / chunks * positions};
}

// Where the part begins in a matrix of what the layer makes, and how many numbers it has there.
Fused::Run Fused::run_of(const FusedLayer& l, const Part& part) {
    const auto [panel, rows] = part;
    return {l.rows * panel.from + rows.first * panel.width, (rows.last - rows.first) * panel.width};
}

Fused::Part Fused::part_of(const FusedLayer& l, std::size_t task) const {
    const std::size_t parts = chunks(l);
    return {l.out[task / parts], rows_of_chunk(l.pattern.layer.positions, task % parts, parts)};
}

// What the first linear reads.
simd::Contexts Fused::contexts(const Batch& batch) const {
    const FusedLayer& first = layers_.front();
    return {batch.X, first.rows, first.pattern.layer.inputs / config_.embedding, config_.vocabulary};
}

void Fused::embedding_to_panels() {
    const std::size_t V = config_.vocabulary, E = config_.embedding;
    for (const Panel& q : by_character_->columns) {
        float* to = in_panel(by_character_->C.data(), V, q);
        for (std::size_t v = 0; v < V; ++v, to += q.width) {
            std::copy_n(C_[now_] + v * E + q.from, q.used, to);
        }
    }
}

// y[i] = Σ_t (C·W_t)[X[i, t]] + b, in panel p of the first layer.
void Fused::linear_by_character(const Batch& batch, const Panel& p, std::size_t thread) {
    const FusedLayer& l = layers_.front();
    const Weights& w = l.state[now_];
    const std::size_t V = config_.vocabulary, T = by_character_->T, E = config_.embedding;
    const Panels C = {by_character_->C.data(), V, by_character_->columns};
    float* const products = by_character_->scratch[thread].data();
    for (std::size_t t = 0; t < T; ++t) {
        const float* const W_t = in_panel(w.W, l.pattern.layer.inputs, p) + t * E * p.width;
        simd::linear_forward(products + t * V * p.width, C, W_t, nullptr, {0, V}, p);
    }
    simd::look_up_by_character(in_panel(l.linear, l.rows, p), products, contexts(batch),
                               w.b != nullptr ? w.b + p.from : nullptr, p.width);
}

// before: linear → norm → activation;   after: linear → activation → norm;   none: linear → activation, which may be
// missing everywhere. What comes after a norm of rows is row_norm_forward's, and so is that norm.
void Fused::forward(const FusedLayer& l, const Panels& x, const Batch& batch, const Part& part, std::size_t thread) {
    const Panel& p = part.panel;
    const Weights& w = l.state[now_];
    const FusedPattern& pattern = l.pattern;
    const auto in_here = [&](float* matrix) { return in_panel(matrix, l.rows, p); };
    if (goes_by_character(l)) {
        linear_by_character(batch, p, thread);
    } else {
        simd::linear_forward(in_here(l.linear), x, in_panel(w.W, pattern.layer.inputs, p),
                             w.b != nullptr ? w.b + p.from : nullptr, part.rows, p);
    }
    if (pattern.is_tanh_joined()) {
        simd::batchnorm_tanh_forward(in_here(l.result), in_here(l.linear), norm_of(l, p), pattern.norm);
        return;
    }
    const bool has_norm = pattern.has_norm(NormKind::batch);
    if (has_norm && pattern.norm.place == NormPlace::before) {
        simd::batchnorm_forward(in_here(norm_result(l)), in_here(l.linear), norm_of(l, p), pattern.norm);
    }
    if (!pattern.has_row_norm() || pattern.norm.place == NormPlace::after) {
        activation_forward(l, part);
    }
    if (has_norm && pattern.norm.place == NormPlace::after) {
        simd::batchnorm_forward(in_here(l.result), in_here(l.activated), norm_of(l, p), pattern.norm);
    }
}

// What the norm makes: where an activation follows it works there, unless its backward wants what it read.
float* Fused::norm_result(const FusedLayer& l) {
    if (l.pattern.norm.place == NormPlace::before && l.read != nullptr) {
        return l.read;
    }
    return l.pattern.norm.affine ? l.result : l.raw;
}

// A norm of rows, and the activation behind it.
void Fused::row_norm_forward(const FusedLayer& l, const Rows& rows) const {
    const bool is_before = l.pattern.norm.place == NormPlace::before;
    simd::row_norm_forward(norm_result(l), is_before ? l.linear : l.activated, row_norm_of(l), rows);
    for (std::size_t p = 0; is_before && p < l.out.size(); ++p) {
        activation_forward(l, {l.out[p], rows});
    }
}

void Fused::activation_forward(const FusedLayer& l, const Part& part) const {
    if (l.pattern.activation) {
        const auto [from, count] = run_of(l, part);
        const float* const x = l.pattern.norm.place == NormPlace::before ? norm_result(l) : l.linear;
        simd::activation_forward(l.activated + from, x + from, count, *l.pattern.activation,
                                 static_cast<float>(l.pattern.negative_slope));
    }
}

// A layer's batch norm in one panel.
simd::NormPanel Fused::norm_of(const FusedLayer& l, const Panel& p) const {
    const Weights& w = l.state[now_];
    return {l.rows,
            p.width,
            l.mean + p.from,
            l.var + p.from,
            l.inv + p.from,
            in_panel(l.raw, l.rows, p),
            w.gain != nullptr ? w.gain + p.from : nullptr,
            w.bias != nullptr ? w.bias + p.from : nullptr};
}

// A layer's norm of rows.
simd::RowNorm Fused::row_norm_of(const FusedLayer& l) const {
    const Weights& w = l.state[now_];
    return {l.rows, l.out, l.mean, l.var, l.inv, l.raw, w.gain, w.bias, static_cast<float>(l.pattern.norm.epsilon)};
}

// The loss, and the gradient of the logits in the last layer's dy.
void Fused::loss(const Batch& batch) {
    const FusedLayer& last = layers_.back();
    const std::size_t parts = chunks();
    pool_.run(parts, [&](std::size_t part, std::size_t) {
        simd::cross_entropy_with_gradient(losses_.data(), last.dy, {last.result, rows_, last.out}, batch.Y,
                                          {rows_ * part / parts, rows_ * (part + 1) / parts});
    });
    *loss_ = sum_along<float>(rows_, [&](std::size_t i) { return losses_[i]; }) / static_cast<float>(rows_);
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

void Fused::activation_backward(const FusedLayer& l, const Part& part) const {
    if (l.pattern.activation) {
        const auto [from, count] = run_of(l, part);
        const float* const read = l.read != nullptr ? l.read : l.activated;
        simd::activation_backward(l.dy + from, l.dy + from, read + from, count, *l.pattern.activation,
                                  static_cast<float>(l.pattern.negative_slope));
    }
}

// dy_t[v], in panel p of the first layer.
void Fused::sum_by_character(const FusedLayer& l, const Batch& batch, const Panel& p, std::size_t thread) {
    const std::size_t places = by_character_->T * config_.vocabulary;
    simd::sum_by_character(in_panel(by_character_->dy.data(), places, p), by_character_->scratch[thread].data(),
                           in_panel(l.dy, l.rows, p), contexts(batch), p.width);
}

// dW_t = Cᵀ·dy_t, with W's update, and dy_t·W_tᵀ.
void Fused::backward_by_character(float rate) {
    const FusedLayer& l = layers_.front();
    const std::size_t V = config_.vocabulary, E = config_.embedding, T = by_character_->T, places = T * V;
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
            const std::size_t places = by_character_->T * V;
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
