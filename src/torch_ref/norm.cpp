#include "torch_ref/norm.h"

#include <vector>

namespace byhand::torch_ref {

NormImpl::NormImpl(const NormOptions& options) : conventions_(options.conventions) {
    if (conventions_.affine) {
        weight = register_parameter("weight", torch::ones(options.features));
        bias = register_parameter("bias", torch::zeros(options.features));
    }
    running_mean = register_buffer("running_mean", torch::zeros(options.features));
    running_spread = register_buffer("running_spread", torch::ones(options.features));
}

torch::Tensor NormImpl::forward(const torch::Tensor& x) {
    torch::Tensor mean = running_mean;
    torch::Tensor variance = running_spread;
    if (is_training()) {
        const std::vector<std::int64_t> over_rows = {0};
        const bool unbiased = conventions_.batch_divisor == Divisor::n_minus_1;
        std::tie(variance, mean) = torch::var_mean(x, over_rows, unbiased);
        update_running(mean, variance, x.size(0));
    } else if (conventions_.running_spread == RunningSpread::deviation) {
        variance = running_spread.square();
    }
    const torch::Tensor result = normalised(x, mean, variance);
    return conventions_.affine ? torch::addcmul(bias, result, weight) : result;
}

torch::Tensor NormImpl::normalised(const torch::Tensor& x, const torch::Tensor& mean,
                                   const torch::Tensor& variance) const {
    const bool inside = conventions_.epsilon_place == EpsilonPlace::inside;
    const torch::Tensor spread =
        inside ? (variance + conventions_.epsilon).sqrt() : variance.sqrt() + conventions_.epsilon;
    return (x - mean) / spread;
}

void NormImpl::update_running(const torch::Tensor& mean, const torch::Tensor& variance, std::int64_t rows) {
    const torch::NoGradGuard no_grad;
    const auto divided_by = [rows](Divisor divisor) {
        return static_cast<double>(divisor == Divisor::n ? rows : rows - 1);
    };
    const double factor = divided_by(conventions_.batch_divisor) / divided_by(conventions_.running_divisor);
    const double momentum = conventions_.momentum;
    running_mean.mul_(1 - momentum).add_(mean, momentum);
    running_spread.mul_(1 - momentum).add_(running_spread_of(conventions_, variance * factor), momentum);
}

torch::Tensor running_spread_of(const NormConfig& conventions, const torch::Tensor& variance) {
    return conventions.running_spread == RunningSpread::deviation ? variance.sqrt() : variance;
}

}  // namespace byhand::torch_ref
