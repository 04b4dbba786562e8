#include <algorithm>

#include "manual/fused.h"
#include "manual/simd/activations.h"
#include "manual/simd/kernels.h"
#include "manual/simd/norm.h"
#include "manual/simd/product.h"
#include "manual/simd/row_norm.h"
#include "manual/sums.h"

namespace byhand {

// Layer by layer, up to the logits.
void Fused::forward(const Batch& batch) {
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
    const std::size_t V = config_.vocabulary, T = l.pattern.joined, E = config_.embedding;
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

void Fused::activation_forward(const FusedLayer& l, const Part& part) {
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

}  // namespace byhand
