#include "torch_ref/loss_answers.h"

#include <torch/torch.h>

#include "torch_ref/bridge.h"

namespace byhand::torch_ref {
namespace {

torch::Tensor logits_of(const LossQuestion& question) {
    return copy_of({"", {question.rows, question.columns}, DType::float64, question.logits.data()}).requires_grad_();
}

torch::Tensor answers_of(const LossQuestion& question) {
    return copy_of({"", {question.rows}, DType::int64, question.answers.data()});
}

LossAnswer backward(const torch::Tensor& loss, const torch::Tensor& logits) {
    loss.backward();
    const torch::Tensor gradient = logits.grad().contiguous();
    const double* data = gradient.data_ptr<double>();
    return {loss.item<double>(), {data, data + gradient.numel()}};
}

}  // namespace

LossAnswer cross_entropy(const LossQuestion& question) {
    const torch::Tensor logits = logits_of(question);
    return backward(torch::nn::functional::cross_entropy(logits, answers_of(question)), logits);
}

LossAnswer squared_error(const LossQuestion& question) {
    const torch::Tensor logits = logits_of(question);
    const torch::Tensor one_hot = torch::one_hot(answers_of(question), static_cast<std::int64_t>(question.columns));
    const torch::Tensor sum =
        torch::nn::functional::mse_loss(torch::softmax(logits, 1), one_hot.to(torch::kFloat64),
                                        torch::nn::functional::MSELossFuncOptions().reduction(torch::kSum));
    return backward(sum / static_cast<double>(2 * question.rows), logits);
}

}  // namespace byhand::torch_ref
