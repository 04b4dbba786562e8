#include <algorithm>
#include <span>

#include "fast/by_columns.h"
#include "fast/fused.h"
#include "fast/simd/kernels.h"
#include "fast/simd/norm.h"

namespace byhand {

// From the gradient of the logits down. With all rows here, the parameters are updated as soon as their gradients are
// known, but for the embedding and a first linear by character.
void Fused::backward(const Batch& batch) {
    const FusedLayer& last = layers_.back();
    pool_.run(last.out.size() * chunks(last.backward.front()), [&](std::size_t task, std::size_t thread) {
        backward_from_result(last, batch, rows_of_task(last, last.backward.front(), task), thread);
    });
    send(last.backward.front().message);
    other_passes_backward(last, batch);
    for (std::size_t number = layers_.size(); --number > 0;) {
        const FusedLayer& below = layers_[number - 1];
        backward_of_linear(layers_[number], below.result(), below.dy, &below, batch);
        other_passes_backward(below, batch);
    }
    if (!by_character_) {
        backward_of_linear(layers_.front(), embcat_, dembcat_, nullptr, batch);
        embedding_backward(batch);
    }
}

// From dL/d(linear): the gradients of the layer's weights, and dx, the gradient of its input, which is the result of
// the layer below, if any. The two are independent of each other.
void Fused::backward_of_linear(const FusedLayer& l, const float* x, float* dx, const FusedLayer* below,
                               const Batch& batch) {
    const std::size_t parts = below != nullptr ? chunks(below->backward.front()) : chunks();
    const std::size_t to_below = l.in.size() / l.in.front().joined * parts, to_weights = l.in.size() * l.out.size();
    pool_.run(to_below + to_weights, [&](std::size_t task, std::size_t thread) {
        if (task < to_below) {
            input_backward(l, dx, task / parts, rows_of_chunk(l.pattern.layer.positions, task % parts, parts), thread);
            if (below != nullptr) {
                backward_from_result(*below, batch, rows_of_task(*below, below->backward.front(), task), thread);
            }
        } else {
            const std::size_t block = task - to_below;
            parameters_backward(l, x, l.in[block % l.in.size()], l.out[block / l.in.size()], thread);
        }
    });
    if (below != nullptr) {
        send(below->backward.front().message);
    }
    if (l.own_message != nullptr) {  // after what the next layer waits for
        group_->start_gather(l.own_message->all, l.own_message->own);
    }
}

// The weights from the inputs of panel q to the outputs of panel p; with the first inputs, also the other parameters of
// these outputs.
void Fused::parameters_backward(const FusedLayer& l, const float* x, const Panel& q, const Panel& p,
                                std::size_t thread) {
    const bool is_whole = has_all_rows() && parts_.own.size() == 1;
    if (is_whole) {
        update(l, in_panel(x, l.rows, q), q, in_panel(l.dy, l.rows, p), p, l.rows, thread);
    } else {
        weight_backward(l, x, q, p, thread);
    }
    if (q.from == 0) {
        bias_backward(l, p, thread);
        if (has_all_rows()) {
            update_vectors(l, p);
        }
    }
}

// dW = xᵀ·dy, as a sum of the parts' shares.
void Fused::weight_backward(const FusedLayer& l, const float* x, const Panel& q, const Panel& p, std::size_t thread) {
    const std::size_t from = l.pattern.layer.inputs * p.from + q.from * p.width, count = q.used * p.width;
    const float *const x_here = in_panel(x, l.rows, q), *const dy_here = in_panel(l.dy, l.rows, p);
    add_parts(l.dW, from, count, l.pattern.layer.positions, thread, [&](float* dW, const RowRange& rows) {
        products_.linear_weight_backward(dW, x_here + rows.first * q.stride(), q, dy_here + rows.first * p.width, p,
                                         rows.last - rows.first);
    });
    if (has_all_rows() && !l.pattern.layer.is_tied) {
        learn(l.W, from, slot(l.dW, from, 0, thread), count);
    }
}

// db = Σdy
void Fused::bias_backward(const FusedLayer& l, const Panel& p, std::size_t thread) {
    if (l.pattern.layer.has_bias) {
        const float* const dy = in_panel(l.dy, l.rows, p);
        add_parts(l.db, p.from, p.width, l.pattern.layer.positions, thread, [&](float* db, const RowRange& rows) {
            simd::sum_rows(db, dy + rows.first * p.width, rows.last - rows.first, p.width);
        });
    }
}

// dx = dy·Wᵀ, where dy is the gradient of the linear's result: some rows of the layer, and one panel of the layer
// below, or all the panels that joined rows correspond to.
void Fused::input_backward(const FusedLayer& l, float* dx, std::size_t panel, const RowRange& rows,
                           std::size_t thread) {
    const std::size_t apart = l.in.size() / l.in.front().joined;
    for (std::size_t k = panel; k < l.in.size(); k += apart) {
        const Panel& q = l.in[k];
        const Panels W = {l.W[now_].p, l.pattern.layer.inputs, l.out};
        float *const to = in_panel(dx, l.rows, q), *const scratch = transposed_[thread].data();
        if (l.dy_by_columns != nullptr) {
            input_backward_by_columns(to, q, l.dy_by_columns, W, scratch, rows, products_);
        } else {
            products_.linear_input_backward(to, {l.dy, l.rows, l.out}, W, scratch, rows, q);
        }
    }
}

// Starts from the gradient of the layer's result in l.dy, computed by the layer above: adds those of its other readers
// and runs the first pass.
void Fused::backward_from_result(const FusedLayer& l, const Batch& batch, const PanelRows& part, std::size_t thread) {
    add_others(l, l.steps.back(), part);
    backward(l, l.backward.front(), batch, part, thread);
}

// Continues to the gradient of the linear's result, with a barrier before each pass.
void Fused::other_passes_backward(const FusedLayer& l, const Batch& batch) {
    for (const Pass& pass : std::span(l.backward).subspan(1)) {
        if (!pass.is_by_rows) {
            pool_.run(l.out.size() * chunks(pass), [&](std::size_t task, std::size_t thread) {
                backward(l, pass, batch, rows_of_task(l, pass, task), thread);
            });
            send(pass.message);
            continue;
        }
        const FusedStep& norm = l.steps[pass.last - 1];
        if (norm.dgain.value != nullptr) {
            pool_.run(l.out.size(),
                      [&](std::size_t panel, std::size_t thread) { sums_of_norm(l, norm, l.out[panel], thread); });
        }
        pool_.run(chunks(), [&](std::size_t chunk, std::size_t thread) {
            const RowRange rows = rows_of_chunk(l.pattern.layer.positions, chunk, chunks());
            simd::row_norm_backward(l.dy, row_norm_of(l, norm), rows);
            for (const Panel& p : l.out) {
                backward(l, pass, batch, {p, rows}, thread);
            }
        });
    }
}

// The reverse of `forward`, for its steps by panel: the gradient of each step's result is replaced by that of its
// input, after the residuals' contributions are added.
void Fused::backward(const FusedLayer& l, const Pass& pass, const Batch& batch, const PanelRows& part,
                     std::size_t thread) {
    for (std::size_t i = pass.last; i-- > pass.first;) {
        backward(l, l.steps[i], batch, part, thread);
        if (i > 0) {
            add_others(l, l.steps[i - 1], part);
        }
    }
    if (pass.first == 0 && l.dy_by_columns != nullptr) {
        to_columns(l.dy_by_columns, {l.dy, l.rows, l.out}, part.panel, part.rows);
    }
}

void Fused::backward(const FusedLayer& l, const FusedStep& step, const Batch& batch, const PanelRows& part,
                     std::size_t thread) {
    const Panel& p = part.panel;
    const auto [from, count] = elements_of(l, part);
    float* const dy = l.dy + from;
    switch (step.what->kind) {
        case FusedKind::linear:
            if (goes_by_character(l)) {
                sum_by_character(l, batch, p, thread);
                bias_backward(l, p, thread);
            }
            break;
        case FusedKind::batch_norm:
            batch_norm_backward(l, step, part, thread);
            break;
        case FusedKind::activation: {
            const float* const read = step.derivative != nullptr ? step.derivative : step.y;
            simd::activation_backward(dy, dy, read + from, count, *step.what->activation);
            break;
        }
        case FusedKind::residual:
            if (step.is_first_term) {
                std::copy_n(dy, count, step.to_added + from);
            } else {
                simd::add(step.to_added + from, step.to_added + from, dy, count);
            }
            break;
        case FusedKind::dropout:
            simd::multiply(dy, dy, step.mask + from, count);
            break;
        case FusedKind::row_norm:  // works by rows, not by panels
            break;
    }
}

// Adds the contributions of residual connections to the gradient of the step's result.
void Fused::add_others(const FusedLayer& l, const FusedStep& step, const PanelRows& part) {
    if (step.others != nullptr) {
        const auto [from, count] = elements_of(l, part);
        simd::add(l.dy + from, step.others + from, l.dy + from, count);
    }
}

void Fused::batch_norm_backward(const FusedLayer& l, const FusedStep& step, const PanelRows& part, std::size_t thread) {
    const Panel& p = part.panel;
    if (step.normalises) {
        sums_of_norm(l, step, p, thread);
    }
    if (step.takes_moments) {
        simd::batchnorm_input_backward(in_panel(l.dy, l.rows, p), step.dgain.value + p.from, step.dbias.value + p.from,
                                       norm_of(l, step, p), step.what->operation.norm);
    }
}

// dγ and dβ, after the backward pass of a tanh that goes with the norm.
void Fused::sums_of_norm(const FusedLayer& l, const FusedStep& step, const Panel& p, std::size_t thread) {
    float* const dy = in_panel(l.dy, l.rows, p);
    const float *const h = in_panel(step.y, l.rows, p), *const raw = in_panel(step.raw, l.rows, p);
    add_parts({&step.dgain, &step.dbias}, p.from, p.width, l.pattern.layer.positions, thread,
              [&](const std::array<float*, 2>& sums, const RowRange& rows) {
                  const auto [dgain, dbias] = sums;
                  const std::size_t from = rows.first * p.width, n = rows.last - rows.first;
                  if (step.what->activation) {
                      simd::tanh_norm_sums(dgain, dbias, dy + from, h + from, raw + from, n, p.width);
                  } else {
                      simd::norm_sums(dgain, dbias, dy + from, raw + from, n, p.width);
                  }
              });
}

// dy_t[v], in panel p of the first layer.
void Fused::sum_by_character(const FusedLayer& l, const Batch& batch, const Panel& p, std::size_t thread) {
    const std::size_t T = l.pattern.joined, places = T * config_.vocabulary;
    const float* const dy = in_panel(l.dy, l.rows, p);
    add_parts(by_character_->sums, places * p.from, places * p.width, l.pattern.layer.positions, thread,
              [&](float* sums, const RowRange& rows) {
                  const simd::Contexts some = {batch.X + rows.first * T, rows.last - rows.first, T, config_.vocabulary};
                  simd::sum_by_character(sums, by_character_->scratch[thread].data(), dy + rows.first * p.width, some,
                                         p.width);
              });
}

// dC[v] = Σ over the places with X[i, t] = v of demb[i, t]
void Fused::embedding_backward(const Batch& batch) {
    const FusedLayer& first = layers_.front();
    const std::size_t T = first.pattern.joined, E = config_.embedding, numbers = config_.vocabulary * E;
    add_parts(dC_sum_, 0, numbers, first.pattern.layer.positions, 0, [&](float* dC, const RowRange& rows) {
        std::fill_n(dC, numbers, 0.0F);
        simd::embedding_backward(dC, dembcat_, batch.X, rows, T, E, stretches_);
    });
}

// dW_t = Cᵀ·dy_t, with W's update, and dy_t·W_tᵀ.
void Fused::backward_by_character() {
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
            products_.linear_input_backward(in_panel(by_character_->dC.data(), places, c), {sums, places, l.out},
                                            {l.W[now_].p, l.pattern.layer.inputs, l.out}, transposed_[thread].data(),
                                            {t * V, (t + 1) * V}, q);
        } else {
            const Panel& p = l.out[task / blocks - 1];
            update(l, in_panel(by_character_->C.data(), V, c), q, in_panel(sums, places, p) + t * V * p.width, p, V,
                   thread);
            if (q.from == 0) {
                update_vectors(l, p);
            }
        }
    });
}

}  // namespace byhand
