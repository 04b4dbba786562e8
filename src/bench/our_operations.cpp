#include "bench/our_operations.h"

#include <cmath>
#include <memory>
#include <stdexcept>

#include "base/tensors.h"
#include "manual/batchnorm.h"
#include "manual/embedding.h"
#include "manual/simd/kernels.h"
#include "manual/softmax_cross_entropy.h"
#include "manual/tanh.h"
#include "manual/update.h"

namespace byhand::bench {
namespace {

using Floats = AlignedVector<float>;

constexpr double kMomentum = 0.1, kEpsilon = 1e-5;

// The question on cache lines, and room for what the operation makes.
struct Operands {
    std::size_t n, in, out;
    Floats x, W, gain, bias, dy;
    std::vector<std::int64_t> indices;
    Floats result, scratch;
    // Of the norm, (in) each but raw and h, (n, in).
    Floats raw, mean, variance, inverse_deviation, running_mean, running_spread, dgain, dbias;
    Floats h;
    float loss = 0;

    explicit Operands(const OperationQuestion& q)
        : n(q.shape.n),
          in(q.shape.in),
          out(q.shape.out),
          x(q.x.begin(), q.x.end()),
          W(q.W.begin(), q.W.end()),
          gain(q.gain.begin(), q.gain.end()),
          bias(q.bias.begin(), q.bias.end()),
          dy(q.dy.begin(), q.dy.end()),
          indices(q.indices) {}
};

void norm_forward(Operands& o) {
    batchnorm_mean(o.mean.data(), o.x.data(), o.n, o.in);
    batchnorm_difference(o.raw.data(), o.x.data(), o.mean.data(), o.n, o.in);
    batchnorm_variance_of_differences(o.variance.data(), o.raw.data(), o.n, o.in, Divisor::n);
    batchnorm_inverse_deviation(o.inverse_deviation.data(), o.variance.data(), o.in, kEpsilon, EpsilonPlace::inside);
    batchnorm_normalise(o.raw.data(), o.raw.data(), o.inverse_deviation.data(), o.n, o.in);
    batchnorm_scale_shift(o.result.data(), o.raw.data(), o.gain.data(), o.bias.data(), o.n, o.in);
    running_mean_update(o.running_mean.data(), o.running_mean.data(), o.mean.data(), o.in, kMomentum);
    running_spread_update(o.running_spread.data(), o.running_spread.data(), o.variance.data(), o.in, o.n, Divisor::n,
                          Divisor::n_minus_1, RunningSpread::variance, kMomentum);
}

void norm_backward(Operands& o) {
    batchnorm_gain_backward(o.dgain.data(), o.dy.data(), o.raw.data(), o.n, o.in);
    batchnorm_bias_backward(o.dbias.data(), o.dy.data(), o.n, o.in);
    batchnorm_affine_backward(o.result.data(), o.dy.data(), o.dgain.data(), o.dbias.data(), o.raw.data(), o.gain.data(),
                              o.inverse_deviation.data(), o.variance.data(), o.n, o.in, Divisor::n, kEpsilon,
                              EpsilonPlace::inside);
}

std::function<void()> norm(const std::shared_ptr<Operands>& o, Operation operation) {
    for (Floats* columns :
         {&o->mean, &o->variance, &o->inverse_deviation, &o->running_mean, &o->running_spread, &o->dgain, &o->dbias}) {
        columns->resize(o->in);
    }
    o->raw.resize(o->n * o->in);
    o->result.resize(o->n * o->in);
    if (operation == Operation::norm_forward) {
        return [o] { norm_forward(*o); };
    }
    norm_forward(*o);
    return [o] { norm_backward(*o); };
}

std::function<void()> linear(const std::shared_ptr<Operands>& o, const OperationShape& shape) {
    switch (shape.operation) {
        case Operation::linear_forward:
            o->result.resize(o->n * o->out);
            return [o, b = shape.bias ? o->bias.data() : nullptr] {
                simd::linear_forward(o->result.data(), o->x.data(), o->W.data(), b, o->n, o->in, o->out);
            };
        case Operation::linear_weight_backward:
            o->result.resize(o->in * o->out);
            return
                [o] { simd::linear_weight_backward(o->result.data(), o->x.data(), o->dy.data(), o->n, o->in, o->out); };
        default:
            o->result.resize(o->n * o->in);
            o->scratch.resize(o->in * o->out);
            return [o] {
                simd::linear_input_backward(o->result.data(), o->dy.data(), o->W.data(), o->scratch.data(), o->n, o->in,
                                            o->out);
            };
    }
}

std::function<void()> backward_of_tanh(const std::shared_ptr<Operands>& o) {
    o->result.resize(o->x.size());
    o->h.resize(o->x.size());
    simd::tanh_forward(o->h.data(), o->x.data(), o->x.size());
    return [o] { tanh_backward(o->result.data(), o->dy.data(), o->h.data(), o->x.size()); };
}

std::function<void()> run_of(const std::shared_ptr<Operands>& o, const OperationShape& shape) {
    switch (shape.operation) {
        case Operation::linear_forward:
        case Operation::linear_weight_backward:
        case Operation::linear_input_backward:
            return linear(o, shape);
        case Operation::norm_forward:
        case Operation::norm_backward:
            return norm(o, shape.operation);
        case Operation::tanh_forward:
            o->result.resize(o->x.size());
            return [o] { simd::tanh_forward(o->result.data(), o->x.data(), o->x.size()); };
        case Operation::tanh_backward:
            return backward_of_tanh(o);
        case Operation::exp_forward:
            o->result.resize(o->x.size());
            return [o] { simd::exp_forward(o->result.data(), o->x.data(), o->x.size()); };
        case Operation::cross_entropy:
            o->result.resize(o->x.size());
            return [o] {
                cross_entropy_with_gradient(&o->loss, o->result.data(), o->x.data(), o->indices.data(), o->n, o->in,
                                            simd::exp_forward);
            };
        case Operation::embedding_forward:
            o->result.resize(o->dy.size());
            return [o] { embedding_forward(o->result.data(), o->W.data(), o->indices.data(), o->n, o->out); };
        case Operation::embedding_backward:
            o->result.resize(o->W.size());
            return [o] { embedding_backward(o->result.data(), o->dy.data(), o->indices.data(), o->n, o->in, o->out); };
        case Operation::update:
            o->result = o->W;
            return [o] { descend(o->result.data(), o->result.data(), o->dy.data(), &kUpdateRate, o->result.size()); };
    }
    throw std::invalid_argument("no such operation");
}

}  // namespace

PreparedOperation by_hand(const OperationQuestion& question) {
    const auto o = std::make_shared<Operands>(question);
    const std::function<void()> run = run_of(o, question.shape);
    const bool updates = question.shape.operation == Operation::update;
    return {run, [o, run, updates] {
                if (updates) {
                    o->result = o->W;
                }
                run();
                return std::vector<float>(o->result.begin(), o->result.end());
            }};
}

}  // namespace byhand::bench
