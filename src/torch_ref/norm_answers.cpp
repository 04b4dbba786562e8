#include "torch_ref/norm_answers.h"

#include <torch/torch.h>

#include <cstdint>

#include "base/batch_norm_1d.h"
#include "torch_ref/bridge.h"
#include "torch_ref/norm.h"

namespace byhand::torch_ref {
namespace {

torch::Tensor rows_of(const std::vector<double>& values, const NormQuestion& question, const Shape& shape) {
    return copy_of({"", shape, DType::float64, values.data()}).to(scalar_type(question.dtype));
}

torch::Tensor matrix(const std::vector<double>& values, const NormQuestion& question) {
    return rows_of(values, question, {question.rows, question.columns});
}

torch::Tensor vector(const std::vector<double>& values, const NormQuestion& question) {
    return rows_of(values, question, {question.columns});
}

std::vector<double> values_of(const torch::Tensor& tensor) {
    const torch::Tensor values = tensor.detach().to(torch::kFloat64).contiguous();
    const double* data = values.data_ptr<double>();
    return {data, data + values.numel()};
}

// What is asked of any norm, once y has been made of x, gain and bias.
NormAnswer backward(const NormQuestion& question, const torch::Tensor& y, const torch::Tensor& x,
                    const torch::Tensor& gain, const torch::Tensor& bias) {
    y.backward(matrix(question.dy, question));
    NormAnswer answer;
    answer.y = values_of(y);
    answer.dx = values_of(x.grad());
    answer.dgain = values_of(gain.grad());
    answer.dbias = values_of(bias.grad());
    return answer;
}

// The module's own tensors are given their values; `spread` is running_var or running_spread.
template <class Module>
NormAnswer ask(Module& module, const torch::Tensor& running_mean, const torch::Tensor& spread,
               const NormQuestion& question) {
    module->to(scalar_type(question.dtype));
    {
        const torch::NoGradGuard no_grad;
        module->weight.copy_(vector(question.gain, question));
        module->bias.copy_(vector(question.bias, question));
        running_mean.copy_(vector(question.running_mean, question));
        spread.copy_(vector(question.running_spread, question));
    }
    const torch::Tensor x = matrix(question.x, question).requires_grad_();
    NormAnswer answer = backward(question, module->forward(x), x, module->weight, module->bias);
    answer.running_mean = values_of(running_mean);
    answer.running_spread = values_of(spread);
    module->eval();
    answer.evaluated = values_of(module->forward(x));
    return answer;
}

}  // namespace

NormAnswer batch_norm(const NormQuestion& question, const NormConfig& conventions) {
    const auto features = static_cast<std::int64_t>(question.columns);
    if (is_batch_norm_1d(conventions)) {
        torch::nn::BatchNorm1d module(
            torch::nn::BatchNorm1dOptions(features).eps(conventions.epsilon).momentum(conventions.momentum));
        return ask(module, module->running_mean, module->running_var, question);
    }
    NormConfig with_gain = conventions;
    with_gain.affine = true;
    Norm module(NormOptions{features, with_gain});
    return ask(module, module->running_mean, module->running_spread, question);
}

NormAnswer layer_norm(const NormQuestion& question, double epsilon) {
    const torch::Tensor x = matrix(question.x, question).requires_grad_();
    const torch::Tensor gain = vector(question.gain, question).requires_grad_();
    const torch::Tensor bias = vector(question.bias, question).requires_grad_();
    const torch::Tensor y = torch::layer_norm(x, {static_cast<std::int64_t>(question.columns)}, gain, bias, epsilon);
    return backward(question, y, x, gain, bias);
}

}  // namespace byhand::torch_ref
