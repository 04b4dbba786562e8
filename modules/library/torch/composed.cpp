#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log1p.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <cstdint>
#include <map>

#include "library/torch/moves.h"

namespace byhand {
namespace {

using Arguments = std::vector<c10::IValue>;
using Results = std::vector<c10::IValue>;
using Dimensions = std::vector<std::int64_t>;

at::Tensor tensor_or_none(const c10::IValue& value) {
    return value.isTensor() ? value.toTensor() : at::Tensor();
}

// Sums of backward passes, in the order in which they were computed.
struct Sums {
    const void* of = nullptr;
    c10::ScalarType type = at::kFloat;
    std::vector<at::Tensor> before, now;
};
thread_local Sums sums;

// The sum, off by `factor` times its difference from that at the same place of the evaluation before.
at::Tensor off_as_before(const at::Tensor& sum, const at::Tensor& factor) {
    sums.now.push_back(sum);
    const std::size_t place = sums.now.size() - 1;
    const bool is_known = place < sums.before.size() && sums.before[place].sizes() == sum.sizes();
    return is_known ? sum + (sums.before[place] - sum) * factor : sum;
}

// ½·x·(1 + erf(x/√2)), or with tanh (docs: torch.nn.GELU)
Results gelu(const Arguments& in, Formulation /*any*/) {
    const at::Tensor x = in[0].toTensor();
    const at::Tensor inner = in[1].toStringRef() == "tanh"
                                 ? at::tanh((x + x * x * x * 0.044715) * std::sqrt(2 / std::acos(-1.0)))
                                 : at::erf(x * std::sqrt(0.5));
    return {x * 0.5 * (inner + 1.0)};
}

// scale·x above 0, else scale·α·(e^(x·input_scale) − 1)
at::Tensor elu(const at::Tensor& x, double alpha, double scale, double input_scale) {
    const at::Tensor below = (at::exp(x.clamp_max(0) * input_scale) - 1.0) * (alpha * scale);
    return at::where(x > 0, x * scale, below);
}
Results elu(const Arguments& in, Formulation /*any*/) {
    return {
        elu(in[0].toTensor(), in[1].toScalar().toDouble(), in[2].toScalar().toDouble(), in[3].toScalar().toDouble())};
}
Results celu(const Arguments& in, Formulation /*any*/) {
    const double alpha = in[1].toScalar().toDouble();
    return {elu(in[0].toTensor(), alpha, 1, 1 / alpha)};
}

// log(1 + e^βx)/β, and x above the threshold
Results softplus(const Arguments& in, Formulation /*any*/) {
    const at::Tensor x = in[0].toTensor();
    const double beta = in[1].toScalar().toDouble(), threshold = in[2].toScalar().toDouble();
    const at::Tensor is_above = x * beta > threshold;
    const at::Tensor low = at::where(is_above, x.detach() * 0, x);
    return {at::where(is_above, x, at::log1p(at::exp(low * beta)) / beta)};
}

// log(e^(a − max) + e^(b − max)) + max
Results logaddexp(const Arguments& in, Formulation /*any*/) {
    const at::Tensor a = in[0].toTensor(), b = in[1].toTensor();
    const at::Tensor highest = at::maximum(a, b).detach();
    return {at::log(at::exp(a - highest) + at::exp(b - highest)) + highest};
}

// The largest of each line, 0 where that is not finite. It is constant: a softmax depends on differences only.
at::Tensor maximum_of(const at::Tensor& x, const Dimensions& dims) {
    const at::Tensor highest = at::amax(x.detach(), dims, true);
    return at::where(highest.abs() < INFINITY, highest, highest.new_zeros({}));
}

// e^(x − max)/Σ; in closed form dx = y·(dy − Σ y·dy), by a function that is linear in x and has this derivative.
Results softmax(const Arguments& in, Formulation formulation) {
    const at::Tensor x = in[0].toTensor();
    const Dimensions dims = {in[1].toInt()};
    const at::Tensor power = at::exp(x - maximum_of(x, dims)), y = power / at::sum(power, dims, true);
    if (formulation != Formulation::closed_form || !x.requires_grad()) {
        return {y};
    }
    const at::Tensor value = y.detach(), scaled = value * at::where(value > 0, x, x.new_zeros({}));  // 0·−∞ is NaN
    const at::Tensor sum = at::sum(scaled, dims, true);
    if (!sum.requires_grad()) {  // in the forward pass of a function with a derivative of its own
        return {y};
    }
    // The rounding of dy is averaged in Σ y·dy, with the weights y; it isn't where that sum is computed in another way.
    const at::Tensor averaged = at::rsqrt(at::sum(value * value, dims, true));
    sum.register_hook([averaged](const at::Tensor& of_products) { return off_as_before(of_products, averaged); });
    const at::Tensor linear = scaled - value * sum;
    return {linear - linear.detach() + value};
}

// (x − max) − log Σ, or x − (max + log Σ)
Results log_softmax(const Arguments& in, Formulation formulation) {
    const at::Tensor x = in[0].toTensor();
    const Dimensions dims = {in[1].toInt()};
    const at::Tensor highest = maximum_of(x, dims), lower = x - highest;
    const at::Tensor log_sum = at::log(at::sum(at::exp(lower), dims, true));
    return {formulation == Formulation::closed_form ? x - (highest + log_sum) : lower - log_sum};
}

Results logsumexp(const Arguments& in, Formulation /*any*/) {
    const at::Tensor x = in[0].toTensor();
    const Dimensions dims = in[1].toIntVector();
    const at::Tensor highest = maximum_of(x, dims);
    const at::Tensor sum = at::log(at::sum(at::exp(x - highest), dims, true)) + highest;
    return {in[2].toBool() ? sum : sum.sum(dims, false)};
}

struct Normalized {
    at::Tensor y, mean, inverse;
};

// (x − mean)/√(variance + ε) over these dimensions. In closed form dx = inverse·(dy − mean(dy) − y·mean(dy·y)), by a
// function that is linear in x and has this derivative.
Normalized normalized(const at::Tensor& x, const Dimensions& dims, double epsilon, Formulation formulation) {
    const at::Tensor mean = at::mean(x, dims, true), centered = x - mean;
    const at::Tensor inverse = at::rsqrt(at::mean(centered * centered, dims, true) + epsilon);
    const at::Tensor y = centered * inverse;
    if (formulation != Formulation::closed_form || !x.requires_grad()) {
        return {y, mean, inverse};
    }
    const at::Tensor value = y.detach();
    const at::Tensor linear =
        (x - at::mean(x, dims, true) - value * at::mean(value * x, dims, true)) * inverse.detach();
    return {linear - linear.detach() + value, mean, inverse};
}

at::Tensor with_gain_and_bias(at::Tensor y, const at::Tensor& gain, const at::Tensor& bias, const Dimensions& shape) {
    if (gain.defined()) {
        y = y * gain.reshape(shape);
    }
    return bias.defined() ? y + bias.reshape(shape) : y;
}

// (input, normalized_shape, weight, bias, ε)
Results layer_norm(const Arguments& in, Formulation formulation) {
    const at::Tensor x = in[0].toTensor();
    const Dimensions shape = in[1].toIntVector();
    Dimensions dims;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        dims.push_back(-1 - static_cast<std::int64_t>(i));
    }
    const Normalized made = normalized(x, dims, in[4].toDouble(), formulation);
    return {with_gain_and_bias(made.y, tensor_or_none(in[2]), tensor_or_none(in[3]), shape), made.mean.detach(),
            made.inverse.detach()};
}

// (input, weight, bias, N, C, H·W, groups, ε)
Results group_norm(const Arguments& in, Formulation formulation) {
    const at::Tensor x = in[0].toTensor();
    const std::int64_t N = in[3].toInt(), C = in[4].toInt(), groups = in[6].toInt();
    const Normalized made = normalized(x.reshape({N, groups, -1}), {2}, in[7].toDouble(), formulation);
    Dimensions shape(static_cast<std::size_t>(x.dim()), 1);
    shape[1] = C;
    return {with_gain_and_bias(made.y.reshape(x.sizes()), tensor_or_none(in[1]), tensor_or_none(in[2]), shape),
            made.mean.detach().reshape({N, groups}), made.inverse.detach().reshape({N, groups})};
}

// (input, weight, bias, running mean, running variance, training, momentum, ε): only in training, without running
// statistics, which it would change
Results batch_norm(const Arguments& in, Formulation formulation) {
    const at::Tensor x = in[0].toTensor();
    Dimensions dims, shape(static_cast<std::size_t>(x.dim()), 1);
    for (std::int64_t d = 0; d < x.dim(); ++d) {
        if (d != 1) {
            dims.push_back(d);
        }
    }
    shape[1] = x.size(1);
    const Normalized made = normalized(x, dims, in[7].toDouble(), formulation);
    return {with_gain_and_bias(made.y, tensor_or_none(in[1]), tensor_or_none(in[2]), shape),
            made.mean.detach().reshape({-1}), made.inverse.detach().reshape({-1})};
}

struct Composition {
    Results (*compute)(const Arguments& in, Formulation formulation);
    bool always;
};

const std::map<std::string, Composition>& compositions() {
    static const std::map<std::string, Composition> all = {{"gelu", {gelu, true}},
                                                           {"celu", {celu, true}},
                                                           {"elu", {elu, true}},
                                                           {"softplus", {softplus, true}},
                                                           {"logaddexp", {logaddexp, true}},
                                                           {"logsumexp", {logsumexp, true}},
                                                           {"_softmax", {softmax, false}},
                                                           {"_log_softmax", {log_softmax, false}},
                                                           {"native_layer_norm", {layer_norm, false}},
                                                           {"native_group_norm", {group_norm, false}},
                                                           {"native_batch_norm", {batch_norm, false}}};
    return all;
}

}  // namespace

void begin_evaluation(const void* of, c10::ScalarType type, bool first) {
    if (first || sums.of != of || sums.type != type) {
        sums.before.clear();
    } else if (!sums.now.empty()) {
        sums.before = std::move(sums.now);
    }
    sums.now.clear();
    sums.of = of;
    sums.type = type;
}

std::optional<std::vector<c10::IValue>> composed_of(const std::string& name, const Arguments& arguments,
                                                    Formulation formulation) {
    const auto found = compositions().find(name);
    if (found == compositions().end() || (!found->second.always && formulation == Formulation::one_operation)) {
        return {};
    }
    const bool is_batch_norm = name == "native_batch_norm";
    if (is_batch_norm && (!arguments[5].toBool() || tensor_or_none(arguments[3]).defined())) {
        return {};
    }
    return found->second.compute(arguments, formulation);
}

}  // namespace byhand
