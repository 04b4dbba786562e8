#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>

#include "base/value.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;
using Values = std::map<std::string, Tensor>;

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
    const auto add = [&steps](std::string makes, Shape shape, std::vector<std::string> reads, auto apply) {
        steps.push_back({std::move(makes), std::move(shape), std::move(reads), apply});
    };
    const auto value = [&site](const char* of) { return site.value(of); };
    add(value("bnmeani"), narrow, {site.x()},
        [n = static_cast<double>(site.rows)](TensorReads r) { return r[0].sum(0) / n; });
    add(value("bndiff"), wide, {site.x(), value("bnmeani")}, [](TensorReads r) { return r[0] - r[1]; });
    add(value("bndiff2"), wide, {value("bndiff")}, [](TensorReads r) { return r[0] * r[0]; });
    add(value("bnvar"), narrow, {value("bndiff2")},
        [divisor = divisor_of(norm.batch_divisor, site.rows)](TensorReads r) { return r[0].sum(0) / divisor; });
    add(value("bnvar_inv"), narrow, {value("bnvar")}, [norm](TensorReads r) { return inverse_deviation(r[0], norm); });
    add(raw(site), wide, {value("bndiff"), value("bnvar_inv")}, [](TensorReads r) { return r[0] * r[1]; });
    if (norm.affine) {
        add(site.y(), wide, {raw(site), value("bngain"), value("bnbias")},
            [](TensorReads r) { return r[1] * r[0] + r[2]; });
        steps.back().first_read_last = true;
    }
}

void evaluation(TorchSteps& steps, const Site& site) {
    const NormConfig norm = site.operation.norm;
    std::vector<std::string> reads = {site.x(), site.value("bnmean_running"), site.value("bnvar_running")};
    if (norm.affine) {
        reads.push_back(site.value("bngain"));
        reads.push_back(site.value("bnbias"));
    }
    steps.push_back({site.y(), site.wide(), std::move(reads), [norm](TensorReads r) {
                         const Tensor variance = norm.running_spread == RunningSpread::deviation ? r[2] * r[2] : r[2];
                         const Tensor normalised = (r[0] - r[1]) * inverse_deviation(variance, norm);
                         return norm.affine ? r[3] * normalised + r[4] : normalised;
                     }});
}

void update(TorchSteps& steps, const Site& site) {
    const NormConfig norm = site.operation.norm;
    const double factor = divisor_of(norm.batch_divisor, site.rows) / divisor_of(norm.running_divisor, site.rows);
    const std::string mean = site.value("bnmean_running"), spread = site.value("bnvar_running");
    steps.push_back({update_of(mean), site.narrow(), {mean, site.value("bnmeani")}, [norm](TensorReads r) {
                         return (1 - norm.momentum) * r[0] + norm.momentum * r[1];
                     }});
    steps.push_back({update_of(spread), site.narrow(), {spread, site.value("bnvar")}, [norm, factor](TensorReads r) {
                         const Tensor variance = r[1] * factor;
                         const bool deviation = norm.running_spread == RunningSpread::deviation;
                         return (1 - norm.momentum) * r[0] + norm.momentum * (deviation ? variance.sqrt() : variance);
                     }});
}

// ---- formulas in one line ----

// 1 with ε inside the root, else (√variance + ε)/√variance.
Tensor deviation_share(const Tensor& variance, const NormConfig& norm) {
    const Tensor root = variance.sqrt();
    return norm.epsilon_place == EpsilonPlace::inside ? at::ones_like(root) : (root + norm.epsilon) / root;
}

// The gradient of the norm's input from that of its normalised value, x̂, in one line (Ioffe and Szegedy 2015, section
// 3; note 5): s·(dx̂ − Σdx̂/n − k·x̂·Σ(dx̂·x̂)/D), written as torch operations; k is the deviation_share.
ReferenceOperation one_line(const Site& site) {
    const std::string variance = site.value("bnvar"), inverse = site.value("bnvar_inv"), x = raw(site);
    const double D = divisor_of(site.operation.norm.batch_divisor, site.rows);
    return {gradient_of(site.x()),
            {{gradient_of(x), site.wide()}, {x, site.wide()}, {inverse, site.narrow()}, {variance, site.narrow()}},
            [=, norm = site.operation.norm](const Values& values) {
                const Tensor &dx = values.at(gradient_of(x)), &normalised = values.at(x);
                const Tensor k = deviation_share(values.at(variance), norm);
                return values.at(inverse) * (dx - dx.mean(0) - k * normalised * (dx * normalised).sum(0) / D);
            }};
}

// The same from the gradients of the norm's result, its gain and its bias: γ·s·(dy − dβ/n − k·x̂·dγ/D).
ReferenceOperation by_gain_and_bias(const Site& site) {
    const std::string variance = site.value("bnvar"), inverse = site.value("bnvar_inv"), x = raw(site), y = site.y();
    const std::string gain = site.value("bngain"), bias = site.value("bnbias");
    const Shape wide = site.wide(), narrow = site.narrow();
    const auto n = static_cast<double>(site.rows);
    const double D = divisor_of(site.operation.norm.batch_divisor, site.rows);
    return {gradient_of(site.x()),
            {{gradient_of(y), wide},
             {gradient_of(gain), narrow},
             {gradient_of(bias), narrow},
             {x, wide},
             {gain, narrow},
             {inverse, narrow},
             {variance, narrow}},
            [=, norm = site.operation.norm](const Values& values) {
                const Tensor k = deviation_share(values.at(variance), norm);
                const Tensor slope = k * values.at(gradient_of(gain)) / D;
                return values.at(gain) * values.at(inverse) *
                       (values.at(gradient_of(y)) - values.at(gradient_of(bias)) / n - slope * values.at(x));
            }};
}

// The variance from the differences to the mean.
ReferenceOperation variance_of_differences(const Site& site) {
    const std::string difference = site.value("bndiff");
    const double D = divisor_of(site.operation.norm.batch_divisor, site.rows);
    return {site.value("bnvar"), {{difference, site.wide()}}, [=](const Values& values) {
                return values.at(difference).square().sum(0) / D;
            }};
}

std::vector<ReferenceOperation> collapsed_formulas(const Site& site) {
    return {one_line(site)};
}

std::vector<ReferenceOperation> fused_formulas(const Site& site) {
    return {variance_of_differences(site), site.operation.norm.affine ? by_gain_and_bias(site) : one_line(site)};
}

}  // namespace

extern TorchOperation batchnorm_operation() {
    return {op::kBatchnorm, forward, evaluation, nullptr, update, collapsed_formulas, fused_formulas};
}

}  // namespace byhand::torch_ref
