#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/_log_softmax.h>
#include <ATen/ops/_log_softmax_backward_data.h>
#include <ATen/ops/add.h>
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
#include <ATen/ops/mul.h>
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
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "torch_ref/bridge.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;

// The inputs of a step, and memory for its result and what else it needs.
struct Operands {
    TimedStep step;
    std::vector<Tensor> in, more;
    Tensor out;
    bool is_transposed = false;  // `out` is
    double rate = 0;             // of an update

    std::int64_t columns() const { return in[0].size(1); }
    // An input that not every step of its kind has, else undefined.
    Tensor if_any(std::size_t position) const { return position < in.size() ? in[position] : Tensor(); }
    const NormConfig& norm() const { return step.operation.norm; }
};

// ---- linear: the weight is laid out as in torch::nn::Linear ----

void prepare_linear(Operands& o) {
    o.more = {o.in[1].t().contiguous()};
}

void linear_forward(Operands& o) {
    if (o.in.size() == 3) {
        at::addmm_out(o.out, o.in[2], o.in[0], o.more[0].t());
    } else {
        at::mm_out(o.out, o.in[0], o.more[0].t());
    }
}

void prepare_linear_weight(Operands& o) {
    o.out = at::empty({o.in[1].size(1), o.columns()});
    o.is_transposed = true;
}

// ---- norms ----

void prepare_batchnorm_forward(Operands& o) {
    o.more = {at::zeros(o.columns()), at::ones(o.columns())};
}

void batchnorm_forward(Operands& o) {
    o.out = std::get<0>(at::native_batch_norm(o.in[0], o.if_any(1), o.if_any(2), o.more[0], o.more[1],
                                              /*training=*/true, o.norm().momentum, o.norm().epsilon));
}

void layernorm_forward(Operands& o) {
    o.out = std::get<0>(at::native_layer_norm(o.in[0], {o.columns()}, o.if_any(1), o.if_any(2), o.norm().epsilon));
}

// LibTorch has no function of its own for an RMS norm.
void rmsnorm_forward(Operands& o) {
    o.out = o.in[0] / (o.in[0].square().mean(1, /*keepdim=*/true) + o.norm().epsilon).sqrt();
    if (o.in.size() == 2) {
        o.out = o.out * o.in[1];
    }
}

// The step reads x̂ and 1/√(var + ε): those of x = x̂·√(var + ε) with a mean of 0. In `more`: x, the mean, the inverse
// deviation, and γ if there is one.
void prepare_norm_backward(Operands& o) {
    const bool reads_variance = o.step.operation.op == op::kBatchnorm;
    const Tensor inverse = reads_variance ? o.in[o.in.size() - 2] : o.in.back().unsqueeze(1);
    const bool has_gain = o.in.size() == (reads_variance ? 5 : 4);
    o.more = {o.in[1] / inverse, at::zeros_like(inverse), inverse, has_gain ? o.in[2] : Tensor()};
}

// Those that a norm's backward pass computes: of x, and of γ and β if it has them.
std::array<bool, 3> gradients(const Operands& o) {
    const bool has_gain = o.more[3].defined();
    return {true, has_gain, has_gain};
}

void batchnorm_backward(Operands& o) {
    o.out = std::get<0>(at::native_batch_norm_backward(o.in[0], o.more[0], o.more[3], {}, {}, o.more[1], o.more[2],
                                                       /*train=*/true, o.norm().epsilon, gradients(o)));
}

void layernorm_backward(Operands& o) {
    o.out = std::get<0>(at::native_layer_norm_backward(o.in[0], o.more[0], {o.columns()}, o.more[1], o.more[2],
                                                       o.more[3], /*bias=*/o.more[3], gradients(o)));
}

void rmsnorm_backward(Operands& o) {
    const Tensor& gain = o.more[3];
    Tensor slopes = o.in[0] * o.in[1], dy = o.in[0];
    if (gain.defined()) {
        const Tensor dgain = slopes.sum(0);
        slopes = slopes * gain;
        dy = dy * gain;
    }
    o.out = o.more[2] * (dy - slopes.mean(1, /*keepdim=*/true) * o.in[1]);
}

// ---- the loss, the embedding and the update ----

// In `more`: log-probabilities, their gradient, the loss, its gradient, and the sum of the classes' weights.
void prepare_cross_entropy(Operands& o) {
    o.more = {at::empty_like(o.out), at::empty_like(o.out), at::empty({}), at::ones({}), at::empty({})};
}

void cross_entropy(Operands& o) {
    constexpr std::int64_t kMean = at::Reduction::Mean, kIgnored = -100;
    at::_log_softmax_out(o.more[0], o.in[0], 1, /*half_to_float=*/false);
    at::nll_loss_forward_out(o.more[2], o.more[4], o.more[0], o.in[1], {}, kMean, kIgnored);
    at::nll_loss_backward_out(o.more[1], o.more[3], o.more[0], o.in[1], {}, kMean, kIgnored, o.more[4]);
    at::_log_softmax_backward_data_out(o.out, o.more[1], o.more[0], 1, at::kFloat);
}

void prepare_gather(Operands& o) {
    o.in[1] = o.in[1].flatten();
    o.out = o.out.flatten(0, 1);
}

void prepare_update(Operands& o) {
    o.out = o.in[0].clone();
    o.rate = o.in[2].item<double>();
}

// What computes a step, and what it needs before.
struct ByTorch {
    void (*run)(Operands& o);
    void (*prepare)(Operands& o) = [](Operands&) {};
};

// By the step's name.
const std::map<std::string, ByTorch>& all() {
    using O = Operands;
    static const std::map<std::string, ByTorch> kAll = {
        {"linear forward", {linear_forward, prepare_linear}},
        {"linear dW", {[](O& o) { at::mm_out(o.out, o.in[1].t(), o.in[0]); }, prepare_linear_weight}},
        {"linear dx", {[](O& o) { at::mm_out(o.out, o.in[0], o.more[0]); }, prepare_linear}},
        {"batchnorm forward", {batchnorm_forward, prepare_batchnorm_forward}},
        {"batchnorm backward", {batchnorm_backward, prepare_norm_backward}},
        {"layernorm forward", {layernorm_forward}},
        {"layernorm backward", {layernorm_backward, prepare_norm_backward}},
        {"rmsnorm forward", {rmsnorm_forward}},
        {"rmsnorm backward", {rmsnorm_backward, prepare_norm_backward}},
        {"cross-entropy", {cross_entropy, prepare_cross_entropy}},
        {"embedding gather", {[](O& o) { at::index_select_out(o.out, o.in[0], 0, o.in[1]); }, prepare_gather}},
        {"embedding scatter", {[](O& o) {
             o.out =
                 at::embedding_dense_backward(o.in[0], o.in[1], static_cast<std::int64_t>(o.step.shape[0]), -1, false);
         }}},
        {"update", {[](O& o) { o.out.add_(o.in[1], -o.rate); }, prepare_update}},
        {"exp", {[](O& o) { at::exp_out(o.out, o.in[0]); }}},
        {"residual forward", {[](O& o) { at::add_out(o.out, o.in[0], o.in[1]); }}},
        {"dropout forward", {[](O& o) { at::mul_out(o.out, o.in[0], o.in[1]); }}},
        {"dropout backward", {[](O& o) { at::mul_out(o.out, o.in[0], o.in[1]); }}},
        {"tanh forward", {[](O& o) { at::tanh_out(o.out, o.in[0]); }}},
        {"tanh backward", {[](O& o) { at::tanh_backward_out(o.out, o.in[0], o.in[1]); }}},
        {"sigmoid forward", {[](O& o) { at::sigmoid_out(o.out, o.in[0]); }}},
        {"sigmoid backward", {[](O& o) { at::sigmoid_backward_out(o.out, o.in[0], o.in[1]); }}},
        {"relu forward", {[](O& o) { at::clamp_min_out(o.out, o.in[0], 0); }}},
        {"relu backward", {[](O& o) { at::threshold_backward_out(o.out, o.in[0], o.in[1], 0); }}},
        {"leaky_relu forward", {[](O& o) { at::leaky_relu_out(o.out, o.in[0], o.step.operation.negative_slope); }}},
        {"leaky_relu backward", {[](O& o) {
             at::leaky_relu_backward_out(o.out, o.in[0], o.in[1], o.step.operation.negative_slope,
                                         /*self_is_result=*/false);
         }}},
        {"silu forward", {[](O& o) { at::silu_out(o.out, o.in[0]); }}},
        {"silu backward", {[](O& o) { at::silu_backward_out(o.out, o.in[0], o.in[1]); }}},
        {"gelu forward", {[](O& o) { at::gelu_out(o.out, o.in[0], "none"); }}},
        {"gelu backward", {[](O& o) { at::gelu_backward_out(o.out, o.in[0], o.in[1], "none"); }}},
        {"gelu_tanh forward", {[](O& o) { at::gelu_out(o.out, o.in[0], "tanh"); }}},
        {"gelu_tanh backward", {[](O& o) { at::gelu_backward_out(o.out, o.in[0], o.in[1], "tanh"); }}}};
    return kAll;
}

}  // namespace

PackedOperation packed(const TimedStep& step) {
    const ByTorch& by_torch = all().at(step.name);
    const auto o = std::make_shared<Operands>(Operands{step, {}, {}, {}});
    for (const View& read : step.reads) {
        const Tensor copy = copy_of(read);
        o->in.push_back(copy.is_floating_point() ? copy.to(at::kFloat) : copy);
    }
    o->out = at::empty(std::vector<std::int64_t>(step.shape.begin(), step.shape.end()));
    by_torch.prepare(*o);
    return {[o, run = by_torch.run] {
                const c10::InferenceMode no_autograd;
                run(*o);
            },
            [o](float* to) {
                const Tensor result = (o->is_transposed ? o->out.t() : o->out).contiguous();
                const float* data = result.data_ptr<float>();
                std::copy_n(data, result.numel(), to);
            }};
}

}  // namespace byhand::torch_ref
