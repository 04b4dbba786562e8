#include <algorithm>
#include <span>
#include <utility>

#include "fast/fused.h"
#include "fast/simd/kernels.h"
#include "fast/simd/norm.h"
#include "manual/sums.h"

namespace byhand {

// Layer by layer, up to the logits.
void Fused::forward(const Batch& batch) {
    if (by_character_) {
        embedding_to_panels();
    } else {
        const simd::Contexts all = contexts(batch);
        simd::embedding_forward(embcat_, C_[now_].p, all.X, all.n, all.T, config_.embedding, stretches_);
    }
    if (!tied_W_.empty()) {
        transpose_embedding();
    }
    const float* x = embcat_;
    for (const FusedLayer& l : layers_) {
        for (const Pass& pass : l.forward) {
            forward(l, pass, {x, l.rows, l.in}, batch);
        }
        x = l.result();
    }
}

void Fused::forward(const FusedLayer& l, const Pass& pass, const Panels& x, const Batch& batch) {
    const std::span<const FusedStep> steps = std::span(l.steps).subspan(pass.first, pass.last - pass.first);
    if (!pass.is_by_rows) {
        pool_.run(l.out.size() * chunks(pass), [&](std::size_t task, std::size_t thread) {
            const PanelRows part = rows_of_task(l, pass, task);
            for (const FusedStep& step : steps) {
                forward(l, step, x, batch, part, thread);
            }
        });
        send(pass.message);
        return;
    }
    pool_.run(chunks(), [&](std::size_t chunk, std::size_t thread) {
        const RowRange rows = rows_of_chunk(l.pattern.layer.positions, chunk, chunks());
        simd::row_norm_forward(steps.front().y, steps.front().x, row_norm_of(l, steps.front()), rows);
        for (const FusedStep& step : steps.subspan(1)) {
            for (const Panel& p : l.out) {
                forward(l, step, x, batch, {p, rows}, thread);
            }
        }
    });
}

void Fused::forward(const FusedLayer& l, const FusedStep& step, const Panels& x, const Batch& batch,
                    const PanelRows& part, std::size_t thread) {
    const auto [from, count] = elements_of(l, part);
    switch (step.what->kind) {
        case FusedKind::linear:
            linear_forward(l, x, batch, part, thread);
            break;
        case FusedKind::batch_norm:
            batch_norm_forward(l, step, part, thread);
            break;
        case FusedKind::activation: {
            float* const derivative = step.derivative != nullptr ? step.derivative + from : nullptr;
            simd::activation_forward(step.y + from, derivative, step.x + from, count, *step.what->activation,
                                     static_cast<float>(step.what->operation.negative_slope));
            break;
        }
        case FusedKind::residual:
            simd::add(step.y + from, step.x + from, step.added + from, count);
            break;
        case FusedKind::dropout:
            dropout_mask(l, step, part);
            simd::multiply(step.y + from, step.mask + from, step.x + from, count);
            break;
        case FusedKind::row_norm:  // works by rows, not by panels
            break;
    }
}

void Fused::linear_forward(const FusedLayer& l, const Panels& x, const Batch& batch, const PanelRows& part,
                           std::size_t thread) {
    const Panel& p = part.panel;
    if (goes_by_character(l)) {
        linear_by_character(batch, p, thread);
    } else {
        const float* const b = l.b[now_].p;
        products_.linear_forward(in_panel(l.steps.front().y, l.rows, p) + part.rows.first * p.width, x,
                                 in_panel(l.W[now_].p, l.pattern.layer.inputs, p), b != nullptr ? b + p.from : nullptr,
                                 part.rows, p);
    }
}

void Fused::batch_norm_forward(const FusedLayer& l, const FusedStep& step, const PanelRows& part, std::size_t thread) {
    const Panel& p = part.panel;
    if (step.takes_moments) {
        add_moments(l, step, p, thread);
    }
    if (step.normalises) {
        const auto kernel = step.what->activation ? simd::batchnorm_tanh_normalise : simd::batchnorm_normalise;
        kernel(in_panel(step.y, l.rows, p), in_panel(step.x, l.rows, p), norm_of(l, step, p),
               step.what->operation.norm);
    }
}

// The mean and the variance of a batch norm's input, in panel p. The parts' variances are about their own means.
void Fused::add_moments(const FusedLayer& l, const FusedStep& step, const Panel& p, std::size_t thread) {
    const std::size_t positions = l.pattern.layer.positions;
    const simd::NormPanel panel = norm_of(l, step, p);
    const float* const x = in_panel(step.x, l.rows, p);
    const auto slots = [&](std::size_t number) {
        return std::pair(slot(step.mean, p.from, number, thread), slot(step.var, p.from, number, thread));
    };
    for (const OwnPart& part : parts_.own) {
        const std::size_t first = (part.rows.first - own_.first) * positions, rows = part.rows.rows * positions;
        const auto [mean, var] = slots(part.slot);
        simd::batchnorm_moments(mean, var, x + first * p.width, panel.rows({first, first + rows}),
                                step.what->operation.norm);
        for (const Addition& addition : part.additions) {
            const auto [mean_to, var_to] = slots(addition.to);
            const auto [mean_from, var_from] = slots(addition.from);
            add_between(var_to, mean_to, mean_from, p.width, moments_of(l, step), addition);
            simd::add(var_to, var_to, var_from, p.width);
            simd::add(mean_to, mean_to, mean_from, p.width);
        }
    }
}

Moments Fused::moments_of(const FusedLayer& l, const FusedStep& step) const {
    const std::size_t positions = l.pattern.layer.positions, n = own_.batch * positions;
    const bool by_n = step.what->operation.norm.batch_divisor == Divisor::n;
    return {own_.batch, positions, static_cast<double>(by_n ? n : n - 1)};
}

void Fused::embedding_to_panels() {
    const std::size_t V = config_.vocabulary, E = config_.embedding;
    for (const Panel& q : by_character_->columns) {
        float* to = in_panel(by_character_->C.data(), V, q);
        for (std::size_t v = 0; v < V; ++v, to += q.width) {
            std::copy_n(C_[now_].p + v * E + q.from, q.used, to);
        }
    }
}

// Cᵀ (E, V) in panels.
void Fused::transpose_embedding() {
    const std::size_t E = config_.embedding;
    for (const Panel& p : layers_.back().out) {
        float* const to = in_panel(tied_W_.data(), E, p);
        for (std::size_t v = 0; v < p.used; ++v) {
            for (std::size_t e = 0; e < E; ++e) {
                to[e * p.width + v] = C_[now_].p[(p.from + v) * E + e];
            }
        }
    }
}

// y[i] = Σ_t (C·W_t)[X[i, t]] + b, in panel p of the first layer.
void Fused::linear_by_character(const Batch& batch, const Panel& p, std::size_t thread) {
    const FusedLayer& l = layers_.front();
    const float* const b = l.b[now_].p;
    const std::size_t V = config_.vocabulary, T = l.pattern.joined, E = config_.embedding;
    const Panels C = {by_character_->C.data(), V, by_character_->columns};
    float* const products = by_character_->scratch[thread].data();
    for (std::size_t t = 0; t < T; ++t) {
        const float* const W_t = in_panel(l.W[now_].p, l.pattern.layer.inputs, p) + t * E * p.width;
        products_.linear_forward(products + t * V * p.width, C, W_t, nullptr, {0, V}, p);
    }
    simd::look_up_by_character(in_panel(l.steps.front().y, l.rows, p), products, contexts(batch),
                               b != nullptr ? b + p.from : nullptr, p.width);
}

// A row of the mask belongs to a row of the batch, whatever the parts.
void Fused::dropout_mask(const FusedLayer& l, const FusedStep& step, const PanelRows& part) const {
    const auto& [p, rows] = part;
    const std::size_t before = own_.first * l.pattern.layer.positions;
    simd::dropout_mask(in_panel(step.mask, l.rows, p) + rows.first * p.width, step.key[now_],
                       {before + rows.first, before + rows.last}, l.pattern.layer.outputs, p, step.what->operation.p);
}

// A batch norm in one panel.
simd::NormPanel Fused::norm_of(const FusedLayer& l, const FusedStep& step, const Panel& p) const {
    const float *const gain = step.gain[now_].p, *const bias = step.bias[now_].p;
    return {l.rows,
            own_.batch * l.pattern.layer.positions,
            p.width,
            step.mean.value + p.from,
            step.var.value + p.from,
            step.inv + p.from,
            in_panel(step.raw, l.rows, p),
            gain != nullptr ? gain + p.from : nullptr,
            bias != nullptr ? bias + p.from : nullptr};
}

// A norm of rows.
simd::RowNorm Fused::row_norm_of(const FusedLayer& l, const FusedStep& step) const {
    return {l.rows,
            l.out,
            step.mean.value,
            step.var.value,
            step.inv,
            step.raw,
            step.gain[now_].p,
            step.bias[now_].p,
            static_cast<float>(step.what->operation.norm.epsilon)};
}

// The loss, and the gradient of the logits in the last layer's dy.
void Fused::loss(const Batch& batch) {
    const FusedLayer& last = layers_.back();
    const std::size_t parts = chunks();
    pool_.run(parts, [&](std::size_t part, std::size_t) {
        simd::cross_entropy_with_gradient(losses_.data(), last.dy, {last.result(), own_.rows, last.out}, batch.Y,
                                          own_.batch, rows_of_chunk(1, part, parts));
    });
    add_parts(loss_sum_, 0, 1, 1, 0, [&](float* loss, const RowRange& rows) {
        const float* const losses = losses_.data() + rows.first;
        *loss = sum_along<float>(rows.last - rows.first, [&](std::size_t i) { return losses[i]; }) /
                static_cast<float>(own_.batch);
    });
}

}  // namespace byhand
