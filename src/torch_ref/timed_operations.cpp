#include <ATen/core/Reduction.h>
#include <ATen/ops/_log_softmax.h>
#include <ATen/ops/_log_softmax_backward_data.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/embedding_dense_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/leaky_relu_backward.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/native_layer_norm.h>
#include <ATen/ops/native_layer_norm_backward.h>
#include <ATen/ops/nll_loss_backward.h>
#include <ATen/ops/nll_loss_forward.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/threshold_backward.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <memory>
#include <stdexcept>
#include <string_view>
#include <tuple>

#include "torch_ref/bridge.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;

constexpr double kMomentum = 0.1, kEpsilon = 1e-5;
constexpr std::int64_t kMean = at::Reduction::Mean;

const char* gelu_formula(std::string_view activation) {
    if (activation != "gelu" && activation != "gelu_tanh") {
        throw std::logic_error(std::string(activation) + " has no timed form");
    }
    return activation == "gelu_tanh" ? "tanh" : "none";
}

// The inputs as tensors, and memory for the result.
struct Operands {
    Tensor x, W, gain, bias, dy, indices;
    Tensor weight;                        // (out, in)
    Tensor result;                        // of x's, dy's or W's shape
    Tensor running_mean, running_spread;  // (in)
    Tensor mean, inverse_deviation;       // (in), of the norm's forward pass
    Tensor h;                             // f(x)
    Tensor logprobs, loss, total_weight, dloss, dlogprobs;
    bool result_is_transposed = false;
};

Tensor matrix(const std::vector<float>& values, std::size_t rows, std::size_t columns) {
    return copy_of({"", {rows, columns}, DType::float32, values.data()}).to(at::kFloat);
}

Tensor vector(const std::vector<float>& values) {
    return copy_of({"", {values.size()}, DType::float32, values.data()}).to(at::kFloat);
}

std::shared_ptr<Operands> operands_of(const OperationInput& input) {
    const auto& [operation, n, in, out, has_bias, activation] = input.shape;
    const auto o = std::make_shared<Operands>();
    o->x = matrix(input.x, n, in);
    o->W = matrix(input.W, in, out);
    o->gain = vector(input.gain);
    o->bias = vector(input.bias);
    o->dy = matrix(input.dy, n, out);
    o->indices = copy_of({"", {n}, DType::int64, input.indices.data()});
    o->weight = o->W.t().contiguous();
    o->running_mean = at::zeros(static_cast<std::int64_t>(in));
    o->running_spread = at::ones(static_cast<std::int64_t>(in));
    return o;
}

void cross_entropy_with_gradient(Operands& o) {
    at::_log_softmax_out(o.logprobs, o.x, 1, /*half_to_float=*/false);
    at::nll_loss_forward_out(o.loss, o.total_weight, o.logprobs, o.indices, {}, kMean, /*ignore_index=*/-100);
    at::nll_loss_backward_out(o.dlogprobs, o.dloss, o.logprobs, o.indices, {}, kMean, -100, o.total_weight);
    at::_log_softmax_backward_data_out(o.result, o.dlogprobs, o.logprobs, 1, at::kFloat);
}

std::function<void()> linear(const std::shared_ptr<Operands>& o, const OperationShape& shape) {
    switch (shape.operation) {
        case TimedOperation::linear_forward:
            o->result = at::empty_like(o->dy);
            if (shape.bias) {
                return [o] { at::addmm_out(o->result, o->bias, o->x, o->weight.t()); };
            }
            return [o] { at::mm_out(o->result, o->x, o->weight.t()); };
        case TimedOperation::linear_weight_backward:
            o->result = at::empty_like(o->weight);
            o->result_is_transposed = true;
            return [o] { at::mm_out(o->result, o->dy.t(), o->x); };
        default:
            o->result = at::empty_like(o->x);
            return [o] { at::mm_out(o->result, o->dy, o->weight); };
    }
}

std::function<void()> norm(const std::shared_ptr<Operands>& o, TimedOperation operation) {
    const auto forward = [o] {
        return at::native_batch_norm(o->x, o->gain, o->bias, o->running_mean, o->running_spread, /*training=*/true,
                                     kMomentum, kEpsilon);
    };
    if (operation == TimedOperation::norm_forward) {
        return [o, forward] { o->result = std::get<0>(forward()); };
    }
    std::tie(std::ignore, o->mean, o->inverse_deviation) = forward();
    return [o] {
        o->result = std::get<0>(at::native_batch_norm_backward(o->dy, o->x, o->gain, o->running_mean, o->running_spread,
                                                               o->mean, o->inverse_deviation, /*train=*/true, kEpsilon,
                                                               {true, true, true}));
    };
}

std::function<void()> layernorm(const std::shared_ptr<Operands>& o, const OperationShape& shape) {
    const auto forward = [o, in = static_cast<std::int64_t>(shape.in)] {
        return at::native_layer_norm(o->x, {in}, o->gain, o->bias, kEpsilon);
    };
    if (shape.operation == TimedOperation::layernorm_forward) {
        return [o, forward] { o->result = std::get<0>(forward()); };
    }
    std::tie(std::ignore, o->mean, o->inverse_deviation) = forward();
    return [o, in = static_cast<std::int64_t>(shape.in)] {
        o->result = std::get<0>(at::native_layer_norm_backward(o->dy, o->x, {in}, o->mean, o->inverse_deviation,
                                                               o->gain, o->bias, {true, true, true}));
    };
}

// h = f(x)
std::function<void()> forward(const std::shared_ptr<Operands>& o, std::string_view activation, Tensor h) {
    if (activation == "tanh") {
        return [o, h]() mutable { at::tanh_out(h, o->x); };
    }
    if (activation == "sigmoid") {
        return [o, h]() mutable { at::sigmoid_out(h, o->x); };
    }
    if (activation == "relu") {
        return [o, h]() mutable { at::clamp_min_out(h, o->x, 0); };
    }
    if (activation == "leaky_relu") {
        return [o, h]() mutable { at::leaky_relu_out(h, o->x, kNegativeSlope); };
    }
    if (activation == "silu") {
        return [o, h]() mutable { at::silu_out(h, o->x); };
    }
    return [o, h, formula = gelu_formula(activation)]() mutable { at::gelu_out(h, o->x, formula); };
}

std::function<void()> backward(const std::shared_ptr<Operands>& o, std::string_view activation) {
    if (activation == "tanh") {
        return [o] { at::tanh_backward_out(o->result, o->dy, o->h); };
    }
    if (activation == "sigmoid") {
        return [o] { at::sigmoid_backward_out(o->result, o->dy, o->h); };
    }
    if (activation == "relu") {
        return [o] { at::threshold_backward_out(o->result, o->dy, o->h, 0); };
    }
    if (activation == "leaky_relu") {
        return [o] { at::leaky_relu_backward_out(o->result, o->dy, o->x, kNegativeSlope, /*self_is_result=*/false); };
    }
    if (activation == "silu") {
        return [o] { at::silu_backward_out(o->result, o->dy, o->x); };
    }
    return [o, formula = gelu_formula(activation)] { at::gelu_backward_out(o->result, o->dy, o->x, formula); };
}

std::function<void()> run_of(const std::shared_ptr<Operands>& o, const OperationShape& shape) {
    const auto in = static_cast<std::int64_t>(shape.in);
    switch (shape.operation) {
        case TimedOperation::linear_forward:
        case TimedOperation::linear_weight_backward:
        case TimedOperation::linear_input_backward:
            return linear(o, shape);
        case TimedOperation::norm_forward:
        case TimedOperation::norm_backward:
            return norm(o, shape.operation);
        case TimedOperation::layernorm_forward:
        case TimedOperation::layernorm_backward:
            return layernorm(o, shape);
        case TimedOperation::activation_forward:
            o->result = at::empty_like(o->x);
            return forward(o, shape.activation, o->result);
        case TimedOperation::activation_backward:
            o->h = at::empty_like(o->x);
            forward(o, shape.activation, o->h)();
            o->result = at::empty_like(o->x);
            return backward(o, shape.activation);
        case TimedOperation::exp_forward:
            o->result = at::empty_like(o->x);
            return [o] { at::exp_out(o->result, o->x); };
        case TimedOperation::cross_entropy:
            for (Tensor* like_x : {&o->logprobs, &o->dlogprobs, &o->result}) {
                *like_x = at::empty_like(o->x);
            }
            o->loss = at::empty({});
            o->total_weight = at::empty({});
            o->dloss = at::ones({});
            return [o] { cross_entropy_with_gradient(*o); };
        case TimedOperation::embedding_forward:
            o->result = at::empty_like(o->dy);
            return [o] { at::index_select_out(o->result, o->W, 0, o->indices); };
        case TimedOperation::embedding_backward:
            return [o, in] { o->result = at::embedding_dense_backward(o->dy, o->indices, in, -1, false); };
        case TimedOperation::update:
            o->result = o->W.clone();
            return [o] { o->result.add_(o->dy, -static_cast<double>(kUpdateRate)); };
    }
    throw std::invalid_argument("no such operation");
}

}  // namespace

PreparedOperation prepared(const OperationInput& input) {
    const std::shared_ptr<Operands> o = operands_of(input);
    const std::function<void()> run = [of = run_of(o, input.shape)] {
        const c10::InferenceMode no_autograd;
        of();
    };
    const bool updates = input.shape.operation == TimedOperation::update;
    return {run, [o, run, updates] {
                if (updates) {
                    o->result.copy_(o->W);
                }
                run();
                const Tensor result = (o->result_is_transposed ? o->result.t() : o->result).contiguous();
                const float* data = result.data_ptr<float>();
                return std::vector<float>(data, data + result.numel());
            }};
}

}  // namespace byhand::torch_ref
