#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "base/tensors.h"
#include "bench/operations.h"
#include "fast/by_columns.h"
#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/simd/norm.h"
#include "fast/simd/product.h"
#include "manual/batchnorm/formulas.h"
#include "manual/optimizer/formulas.h"
#include "manual/sums.h"

namespace byhand::bench {
namespace {

using Floats = AlignedVector<float>;

constexpr double kMomentum = 0.1;
constexpr double kEpsilon = 1e-5;

NormConfig batch_norm_1d() {
    NormConfig norm;
    norm.batch_divisor = Divisor::n;
    norm.epsilon = kEpsilon;
    norm.epsilon_place = EpsilonPlace::inside;
    return norm;
}

// The inputs in the layout of the fused step, in panels, and memory for the results.
struct Operands {
    std::size_t n, in, out;
    PanelMatrix x, W, dy;    // (n, in), (in, out), (n, out)
    PanelMatrix gain, bias;  // (1, out)
    std::vector<std::int64_t> indices;
    PanelMatrix result;
    Floats scratch;
    PanelMatrix raw;
    Floats mean, variance, inverse_deviation, running_mean, running_spread, dgain, dbias;  // of the norm's columns
    Floats losses;                                                                         // (n)
    float loss = 0;
    const simd::Products& products = simd::products();

    explicit Operands(const OperationInput& q)
        : n(q.shape.n),
          in(q.shape.in),
          out(q.shape.out),
          x(matrix(q.x, n, in)),
          W(matrix(q.W, in, out)),
          dy(matrix(q.dy, n, out)),
          gain(matrix(q.gain, 1, out)),
          bias(matrix(q.bias, 1, out)),
          indices(q.indices) {}

    // Empty if the inputs are.
    static PanelMatrix matrix(const std::vector<float>& values, std::size_t rows, std::size_t columns) {
        return values.empty() ? PanelMatrix() : PanelMatrix(values.data(), rows, columns);
    }
};

simd::NormPanel norm_panel(Operands& o, const Panel& p) {
    return {o.n,
            o.n,
            p.width,
            o.mean.data() + p.from,
            o.variance.data() + p.from,
            o.inverse_deviation.data() + p.from,
            o.raw.in(p),
            o.gain.in(p),
            o.bias.in(p)};
}

void norm_forward(Operands& o) {
    const NormConfig norm = batch_norm_1d();
    for (const Panel& p : o.x.panels) {
        simd::batchnorm_forward(o.result.in(p), o.x.in(p), norm_panel(o, p), norm);
    }
    running_mean_update(o.running_mean.data(), o.running_mean.data(), o.mean.data(), o.in, kMomentum);
    running_spread_update(o.running_spread.data(), o.running_spread.data(), o.variance.data(), o.in, o.n, Divisor::n,
                          Divisor::n_minus_1, RunningSpread::variance, kMomentum);
}

// Replaces dy, of which each run copies the original: in a step it is recomputed each time.
void norm_backward(Operands& o) {
    const NormConfig norm = batch_norm_1d();
    for (const Panel& p : o.dy.panels) {
        std::copy_n(o.dy.in(p), o.n * p.width, o.result.in(p));
        simd::batchnorm_backward(o.result.in(p), o.dgain.data() + p.from, o.dbias.data() + p.from, norm_panel(o, p),
                                 norm);
    }
}

std::function<void()> norm(const std::shared_ptr<Operands>& o, TimedOperation operation) {
    for (Floats* columns :
         {&o->mean, &o->variance, &o->inverse_deviation, &o->running_mean, &o->running_spread, &o->dgain, &o->dbias}) {
        columns->resize(padded(o->in));
    }
    o->raw = PanelMatrix(o->n, o->in);
    o->result = PanelMatrix(o->n, o->in);
    if (operation == TimedOperation::norm_forward) {
        return [o] { norm_forward(*o); };
    }
    norm_forward(*o);
    return [o] { norm_backward(*o); };
}

// As in the fused step.
void input_backward_by_columns(Operands& o) {
    float *const dy = o.scratch.data(), *const scratch = dy + padded(o.n) * padded(o.out);
    for (const Panel& p : o.dy.panels) {
        to_columns(dy, o.dy.view(), p, {0, o.n});
    }
    for (const Panel& q : o.result.panels) {
        byhand::input_backward_by_columns(o.result.in(q), q, dy, o.W.view(), scratch, {0, o.n}, o.products);
    }
}

std::function<void()> linear(const std::shared_ptr<Operands>& o, const OperationShape& shape) {
    switch (shape.operation) {
        case TimedOperation::linear_forward:
            o->result = PanelMatrix(o->n, o->out);
            return [o, has_bias = shape.bias] {
                for (const Panel& p : o->result.panels) {
                    o->products.linear_forward(o->result.in(p), o->x.view(), o->W.in(p),
                                               has_bias ? o->bias.in(p) : nullptr, {0, o->n}, p);
                }
            };
        case TimedOperation::linear_weight_backward:
            o->result = PanelMatrix(o->in, o->out);
            return [o] {
                for (const Panel& p : o->result.panels) {
                    for (const Panel& q : o->x.panels) {
                        o->products.linear_weight_backward(o->result.in(p) + q.from * p.width, o->x.in(q), q,
                                                           o->dy.in(p), p, o->n);
                    }
                }
            };
        default:
            o->result = PanelMatrix(o->n, o->in);
            if (pays_by_columns(o->n, o->in, o->out, o->products.prefetches_weights())) {
                o->scratch.resize(padded(o->n) * padded(o->out) + kWidestPanel * kWidestPanel);
                return [o] { input_backward_by_columns(*o); };
            }
            o->scratch.resize(padded(o->out) * kWidestPanel);
            return [o] {
                for (const Panel& q : o->result.panels) {
                    o->products.linear_input_backward(o->result.in(q), o->dy.view(), o->W.view(), o->scratch.data(),
                                                      {0, o->n}, q);
                }
            };
    }
}

std::function<void()> layernorm(const std::shared_ptr<Operands>& o, TimedOperation operation) {
    for (Floats* of_rows : {&o->mean, &o->variance, &o->inverse_deviation}) {
        of_rows->resize(o->n);
    }
    for (Floats* columns : {&o->dgain, &o->dbias}) {
        columns->resize(padded(o->in));
    }
    o->raw = PanelMatrix(o->n, o->in);
    o->result = PanelMatrix(o->n, o->in);
    const simd::RowNorm norm = {o->n,
                                o->x.panels,
                                o->mean.data(),
                                o->variance.data(),
                                o->inverse_deviation.data(),
                                o->raw.data.data(),
                                o->gain.data.data(),
                                o->bias.data.data(),
                                static_cast<float>(kEpsilon)};
    auto forward = [o, norm] { simd::row_norm_forward(o->result.data.data(), o->x.data.data(), norm, {0, o->n}); };
    if (operation == TimedOperation::layernorm_forward) {
        return forward;
    }
    forward();
    return [o, norm] {  // replaces dy, as norm_backward
        for (const Panel& p : o->dy.panels) {
            simd::norm_sums(o->dgain.data() + p.from, o->dbias.data() + p.from, o->dy.in(p), o->raw.in(p), o->n,
                            p.width);
        }
        std::ranges::copy(o->dy.data, o->result.data.begin());
        simd::row_norm_backward(o->result.data.data(), norm, {0, o->n});
    };
}

// As in the fused step, which keeps the derivative or else reads the result again.
std::function<void()> activation(const std::shared_ptr<Operands>& o, const OperationShape& shape) {
    const simd::Activation f = simd::activation_of(shape.activation).value();
    const std::size_t count = o->x.data.size();
    o->result = PanelMatrix(o->n, o->in);
    o->raw = PanelMatrix(o->n, o->in);
    auto forward = [o, f, count] {
        simd::activation_forward(o->result.data.data(), o->raw.data.data(), o->x.data.data(), count, f, kNegativeSlope);
    };
    if (shape.operation == TimedOperation::activation_forward) {
        return forward;
    }
    forward();
    return [o, count, f, read = simd::stores_derivative(f) ? o->raw.data : o->result.data] {
        simd::activation_backward(o->result.data.data(), o->dy.data.data(), read.data(), count, f);
    };
}

std::function<void()> exponential(const std::shared_ptr<Operands>& o) {
    o->result = PanelMatrix(o->n, o->in);
    return [o] { simd::exp_forward(o->result.data.data(), o->x.data.data(), o->x.data.size()); };
}

std::function<void()> cross_entropy(const std::shared_ptr<Operands>& o) {
    o->result = PanelMatrix(o->n, o->in);
    o->losses.resize(o->n);
    return [o] {
        simd::cross_entropy_with_gradient(o->losses.data(), o->result.data.data(), o->x.view(), o->indices.data(), o->n,
                                          {0, o->n});
        o->loss = sum_along<float>(o->n, [&](std::size_t i) { return o->losses[i]; }) / static_cast<float>(o->n);
    };
}

// For rows of one character each: C is W, row by row.
std::function<void()> embedding(const std::shared_ptr<Operands>& o, const OperationInput& input) {
    const std::vector<Stretch> stretches = stretches_of(o->n, 1, o->out);
    if (input.shape.operation == TimedOperation::embedding_forward) {
        o->result = PanelMatrix(o->n, o->out);
        return [o, stretches, C = Floats(input.W.begin(), input.W.end())] {
            simd::embedding_forward(o->result.data.data(), C.data(), o->indices.data(), o->n, 1, o->out, stretches);
        };
    }
    o->scratch.resize(o->in * o->out);
    return [o, stretches] {
        std::ranges::fill(o->scratch, 0.0F);
        simd::embedding_backward(o->scratch.data(), o->dy.data.data(), o->indices.data(), {0, o->n}, 1, o->out,
                                 stretches);
    };
}

std::function<void()> run_of(const std::shared_ptr<Operands>& o, const OperationInput& input) {
    const TimedOperation operation = input.shape.operation;
    switch (operation) {
        case TimedOperation::linear_forward:
        case TimedOperation::linear_weight_backward:
        case TimedOperation::linear_input_backward:
            return linear(o, input.shape);
        case TimedOperation::norm_forward:
        case TimedOperation::norm_backward:
            return norm(o, operation);
        case TimedOperation::layernorm_forward:
        case TimedOperation::layernorm_backward:
            return layernorm(o, operation);
        case TimedOperation::activation_forward:
        case TimedOperation::activation_backward:
            return activation(o, input.shape);
        case TimedOperation::exp_forward:
            return exponential(o);
        case TimedOperation::cross_entropy:
            return cross_entropy(o);
        case TimedOperation::embedding_forward:
        case TimedOperation::embedding_backward:
            return embedding(o, input);
        case TimedOperation::update:
            o->result = o->W;
            return [o] {
                float* const W = o->result.data.data();
                simd::descend(W, W, o->dy.data.data(), kUpdateRate, o->result.data.size());
            };
    }
    throw std::invalid_argument("no such operation");
}

}  // namespace

PreparedOperation by_hand(const OperationInput& input) {
    const auto o = std::make_shared<Operands>(input);
    const std::function<void()> run = run_of(o, input);
    const TimedOperation operation = input.shape.operation;
    return {run, [o, run, operation] {
                if (operation == TimedOperation::update) {
                    o->result = o->W;
                }
                run();
                if (operation == TimedOperation::embedding_backward) {
                    return std::vector<float>(o->scratch.begin(), o->scratch.end());
                }
                std::vector<float> result(o->result.rows * o->result.columns);
                o->result.copy_to(result.data());
                return result;
            }};
}

}  // namespace byhand::bench
