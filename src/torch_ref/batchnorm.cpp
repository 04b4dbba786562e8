#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>

#include "base/value.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;

double divisor_of(Divisor divisor, std::size_t rows) {
    return static_cast<double>(divisor == Divisor::n ? rows : rows - 1);
}

Tensor inverse_deviation(const Tensor& variance, const NormConfig& norm) {
    return norm.epsilon_place == EpsilonPlace::inside ? (variance + norm.epsilon).pow(-0.5)
                                                      : (variance.sqrt() + norm.epsilon).pow(-1);
}

// The normalised value; without γ and β, the norm's result.
std::string raw(const Site& site) {
    return site.operation.norm.affine ? site.value("bnraw") : site.y();
}

// (B, H) → (B, H).
void forward(TorchSteps& steps, const Site& site) {
    const NormConfig& norm = site.operation.norm;
    const Shape wide = site.wide(), narrow = site.narrow();
    const auto value = [&site](const char* of) { return site.value(of); };
    add(steps, value("bnmeani"), narrow, {site.x()},
        [n = static_cast<double>(site.rows)](TensorReads r) { return r[0].sum(0) / n; });
    add(steps, value("bndiff"), wide, {site.x(), value("bnmeani")}, [](TensorReads r) { return r[0] - r[1]; });
    add(steps, value("bndiff2"), wide, {value("bndiff")}, [](TensorReads r) { return r[0] * r[0]; });
    add(steps, value("bnvar"), narrow, {value("bndiff2")},
        [divisor = divisor_of(norm.batch_divisor, site.rows)](TensorReads r) { return r[0].sum(0) / divisor; });
    add(steps, value("bnvar_inv"), narrow, {value("bnvar")},
        [norm](TensorReads r) { return inverse_deviation(r[0], norm); });
    add(steps, raw(site), wide, {value("bndiff"), value("bnvar_inv")}, [](TensorReads r) { return r[0] * r[1]; });
    if (norm.affine) {
        add(steps, site.y(), wide, {raw(site), value("bngain"), value("bnbias")}, [](TensorReads r) {
            return r[1] * r[0] + r[2];
        }).first_read_last = true;
    }
}

void evaluation(TorchSteps& steps, const Site& site) {
    const NormConfig norm = site.operation.norm;
    std::vector<std::string> reads = {site.x(), site.value("bnmean_running"), site.value("bnvar_running")};
    if (norm.affine) {
        reads.push_back(site.value("bngain"));
        reads.push_back(site.value("bnbias"));
    }
    add(steps, site.y(), site.wide(), std::move(reads), [norm](TensorReads r) {
        const Tensor variance = norm.running_spread == RunningSpread::deviation ? r[2] * r[2] : r[2];
        const Tensor normalised = (r[0] - r[1]) * inverse_deviation(variance, norm);
        return norm.affine ? r[3] * normalised + r[4] : normalised;
    });
}

void update(TorchSteps& steps, const Site& site) {
    const NormConfig norm = site.operation.norm;
    const double factor = divisor_of(norm.batch_divisor, site.rows) / divisor_of(norm.running_divisor, site.rows);
    const std::string mean = site.value("bnmean_running"), spread = site.value("bnvar_running");
    add(steps, update_of(mean), site.narrow(), {mean, site.value("bnmeani")},
        [norm](TensorReads r) { return (1 - norm.momentum) * r[0] + norm.momentum * r[1]; });
    add(steps, update_of(spread), site.narrow(), {spread, site.value("bnvar")}, [norm, factor](TensorReads r) {
        const Tensor variance = r[1] * factor;
        const bool deviation = norm.running_spread == RunningSpread::deviation;
        return (1 - norm.momentum) * r[0] + norm.momentum * (deviation ? variance.sqrt() : variance);
    });
}

// ---- formulas in one line ----

// 1 with ε inside the root, else (√variance + ε)/√variance.
Tensor deviation_share(const Tensor& variance, const NormConfig& norm) {
    const Tensor root = variance.sqrt();
    return norm.epsilon_place == EpsilonPlace::inside ? at::ones_like(root) : (root + norm.epsilon) / root;
}

// The gradient of the norm's input from that of its normalised value, x̂, in one line (Ioffe and Szegedy 2015, section
// 3; note 5): s·(dx̂ − Σdx̂/n − k·x̂·Σ(dx̂·x̂)/D), written as torch operations; k is the deviation_share.
void one_line(TorchSteps& steps, const Site& site) {
    const NormConfig norm = site.operation.norm;
    const double D = divisor_of(norm.batch_divisor, site.rows);
    add(steps, gradient_of(site.x()), site.wide(),
        {gradient_of(raw(site)), raw(site), site.value("bnvar_inv"), site.value("bnvar")}, [norm, D](TensorReads r) {
            const Tensor &dx = r[0], &normalised = r[1];
            const Tensor k = deviation_share(r[3], norm);
            return r[2] * (dx - dx.mean(0) - k * normalised * (dx * normalised).sum(0) / D);
        });
}

// The same from the gradients of the norm's result, its gain and its bias: γ·s·(dy − dβ/n − k·x̂·dγ/D).
void by_gain_and_bias(TorchSteps& steps, const Site& site) {
    const NormConfig norm = site.operation.norm;
    const std::string gain = site.value("bngain"), bias = site.value("bnbias");
    const auto n = static_cast<double>(site.rows);
    const double D = divisor_of(norm.batch_divisor, site.rows);
    add(steps, gradient_of(site.x()), site.wide(),
        {gradient_of(site.y()), gradient_of(gain), gradient_of(bias), raw(site), gain, site.value("bnvar_inv"),
         site.value("bnvar")},
        [norm, n, D](TensorReads r) {
            const Tensor slope = deviation_share(r[6], norm) * r[1] / D;
            return r[4] * r[5] * (r[0] - r[2] / n - slope * r[3]);
        });
}

// The variance from the differences to the mean.
void variance_of_differences(TorchSteps& steps, const Site& site) {
    add(steps, site.value("bnvar"), site.narrow(), {site.value("bndiff")},
        [D = divisor_of(site.operation.norm.batch_divisor, site.rows)](TensorReads r) {
            return r[0].square().sum(0) / D;
        });
}

void fused_formulas(TorchSteps& steps, const Site& site) {
    variance_of_differences(steps, site);
    (site.operation.norm.affine ? by_gain_and_bias : one_line)(steps, site);
}

}  // namespace

extern TorchOperation batchnorm_operation() {
    return {op::kBatchnorm, forward, evaluation, nullptr, update, one_line, fused_formulas};
}

}  // namespace byhand::torch_ref
