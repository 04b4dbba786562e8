#include <algorithm>
#include <span>

#include "manual/fused.h"
#include "manual/simd/activations.h"
#include "manual/simd/kernels.h"
#include "manual/simd/norm.h"
#include "manual/simd/product.h"
#include "manual/simd/row_norm.h"

namespace byhand {

// From the gradient of the logits down, with the updates of all parameters but the embedding.
void Fused::backward(const Batch& batch) {
    const FusedLayer& last = layers_.back();
    pool_.run(last.out.size() * chunks(last.backward.front()), [&](std::size_t task, std::size_t thread) {
        backward_from_result(last, batch, part_of(last, last.backward.front(), task), thread);
    });
    other_passes_backward(last, batch);
    for (std::size_t number = layers_.size(); --number > 0;) {
        const FusedLayer& below = layers_[number - 1];
        backward_of_linear(layers_[number], below.result(), below.dy, &below, batch);
        other_passes_backward(below, batch);
    }
    if (by_character_) {
        backward_by_character();
    } else {
        backward_of_linear(layers_.front(), embcat_, dembcat_, nullptr, batch);
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
                backward_from_result(*below, batch, part_of(*below, below->backward.front(), task), thread);
            }
        } else {
            const std::size_t block = task - to_below;
            const Panel &q = l.in[block % l.in.size()], &p = l.out[block / l.in.size()];
            update(l, in_panel(x, l.rows, q), q, in_panel(l.dy, l.rows, p), p, l.rows, thread);
        }
    });
}

// dx = dy·Wᵀ, where dy is the gradient of the linear's result: some rows of the layer, and one panel of the layer
// below, or all the panels that joined rows correspond to.
void Fused::input_backward(const FusedLayer& l, float* dx, std::size_t panel, const Rows& rows, std::size_t thread) {
    for (std::size_t k = panel; k < l.in.size(); k += l.in.size() / l.in.front().joined) {
        const Panel& q = l.in[k];
        simd::linear_input_backward(in_panel(dx, l.rows, q), {l.dy, l.rows, l.out},
                                    {l.W[now_].p, l.pattern.layer.inputs, l.out}, transposed_[thread].data(), rows, q);
    }
}

// Starts from the gradient of the layer's result in l.dy, computed by the layer above: adds those of its other readers
// and runs the first pass.
void Fused::backward_from_result(const FusedLayer& l, const Batch& batch, const Part& part, std::size_t thread) {
    add_others(l, l.steps.back(), part);
    backward(l, l.backward.front(), batch, part, thread);
}

// Continues to the gradient of the linear's result, with a barrier before each pass.
void Fused::other_passes_backward(const FusedLayer& l, const Batch& batch) {
    for (const Pass& pass : std::span(l.backward).subspan(1)) {
        if (!pass.is_by_rows) {
            pool_.run(l.out.size() * chunks(pass), [&](std::size_t task, std::size_t thread) {
                backward(l, pass, batch, part_of(l, pass, task), thread);
            });
            continue;
        }
        const FusedStep& norm = l.steps[pass.last - 1];
        sums_of_row_norm(l, norm);
        pool_.run(chunks(), [&](std::size_t chunk, std::size_t thread) {
            const Rows rows = rows_of_chunk(l.pattern.layer.positions, chunk, chunks());
            simd::row_norm_backward(l.dy, row_norm_of(l, norm), rows);
            for (const Panel& p : l.out) {
                backward(l, pass, batch, {p, rows}, thread);
            }
        });
    }
}

// The reverse of `forward`, for its steps by panel: the gradient of each step's result is replaced by that of its
// input, after the residuals' contributions are added.
void Fused::backward(const FusedLayer& l, const Pass& pass, const Batch& batch, const Part& part, std::size_t thread) {
    for (std::size_t i = pass.last; i-- > pass.first;) {
        backward(l, l.steps[i], batch, part, thread);
        if (i > 0) {
            add_others(l, l.steps[i - 1], part);
        }
    }
}

void Fused::backward(const FusedLayer& l, const FusedStep& step, const Batch& batch, const Part& part,
                     std::size_t thread) {
    const Panel& p = part.panel;
    const auto [from, count] = run_of(l, part);
    const Operation& operation = step.what.operation;
    float *const dy = in_panel(l.dy, l.rows, p), *const dy_here = l.dy + from;
    switch (step.what.kind) {
        case FusedKind::linear:
            if (goes_by_character(l)) {
                sum_by_character(l, batch, p, thread);
            }
            break;
        case FusedKind::batch_norm: {
            float* const dgain = step.dgain != nullptr ? step.dgain + p.from : nullptr;
            float* const dbias = step.dbias != nullptr ? step.dbias + p.from : nullptr;
            const simd::NormPanel norm = norm_of(l, step, p);
            if (step.what.activation) {
                simd::batchnorm_tanh_backward(dy, dgain, dbias, in_panel(step.y, l.rows, p), norm, operation.norm);
            } else {
                simd::batchnorm_backward(dy, dgain, dbias, norm, operation.norm);
            }
            break;
        }
        case FusedKind::activation: {
            const float* const read = is_backward_by_input(*step.what.activation) ? step.x : step.y;
            simd::activation_backward(dy_here, dy_here, read + from, count, *step.what.activation,
                                      static_cast<float>(operation.negative_slope));
            break;
        }
        case FusedKind::residual:
            if (step.is_first_term) {
                std::copy_n(dy_here, count, step.to_added + from);
            } else {
                simd::add(step.to_added + from, step.to_added + from, dy_here, count);
            }
            break;
        case FusedKind::dropout:
            simd::multiply(dy_here, dy_here, step.mask + from, count);
            break;
        case FusedKind::row_norm:  // works by rows, not by panels
            break;
    }
}

// Adds the contributions of residual connections to the gradient of the step's result.
void Fused::add_others(const FusedLayer& l, const FusedStep& step, const Part& part) {
    if (step.others != nullptr) {
        const auto [from, count] = run_of(l, part);
        simd::add(l.dy + from, step.others + from, l.dy + from, count);
    }
}

// dγ and dβ over all rows.
void Fused::sums_of_row_norm(const FusedLayer& l, const FusedStep& step) {
    if (step.dgain == nullptr) {
        return;
    }
    pool_.run(l.out.size(), [&](std::size_t panel, std::size_t) {
        const Panel& p = l.out[panel];
        const float* const dy = in_panel(l.dy, l.rows, p);
        simd::sum_rows_of_product(step.dgain + p.from, dy, in_panel(step.raw, l.rows, p), l.rows, p.width);
        if (step.dbias != nullptr) {
            simd::sum_rows(step.dbias + p.from, dy, l.rows, p.width);
        }
    });
}

// dy_t[v], in panel p of the first layer.
void Fused::sum_by_character(const FusedLayer& l, const Batch& batch, const Panel& p, std::size_t thread) {
    const std::size_t places = l.pattern.joined * config_.vocabulary;
    simd::sum_by_character(in_panel(by_character_->dy.data(), places, p), by_character_->scratch[thread].data(),
                           in_panel(l.dy, l.rows, p), contexts(batch), p.width);
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
            simd::linear_input_backward(in_panel(by_character_->dC.data(), places, c), {sums, places, l.out},
                                        {l.W[now_].p, l.pattern.layer.inputs, l.out}, transposed_[thread].data(),
                                        {t * V, (t + 1) * V}, q);
        } else {
            const Panel& p = l.out[task / blocks - 1];
            update(l, in_panel(by_character_->C.data(), V, c), q, in_panel(sums, places, p) + t * V * p.width, p, V,
                   thread);
        }
    });
}

}  // namespace byhand
