// Layer norm and RMS norm: every row with its own statistics.
#include <ATen/TensorOperators.h>
#include <ATen/ops/layer_norm.h>

#include "base/value.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;

// The normalised value before γ and β; without them, the norm's result.
std::string raw(const Site& site, const char* name) {
    return site.operation.norm.affine ? site.made(name) : site.y();
}

Tensor mean_of_rows(const Tensor& x) {
    return x.sum(1) / static_cast<double>(x.size(1));
}

auto inverse_root(double epsilon) {
    return [epsilon](TensorReads r) { return (r[0] + epsilon).pow(-0.5); };
}

Tensor times_rows(TensorReads r) {
    return r[0] * r[1].unsqueeze(1);
}

void layernorm(TorchSteps& steps, const Site& site) {
    const Shape wide = site.wide(), rows = {site.rows};
    const auto value = [&site](const char* of) { return site.made(of); };
    add(steps, value("lnmean"), rows, {site.x()}, [](TensorReads r) { return mean_of_rows(r[0]); });
    add(steps, value("lndiff"), wide, {site.x(), value("lnmean")},
        [](TensorReads r) { return r[0] - r[1].unsqueeze(1); });
    add(steps, value("lndiff2"), wide, {value("lndiff")}, [](TensorReads r) { return r[0] * r[0]; });
    add(steps, value("lnvar"), rows, {value("lndiff2")}, [](TensorReads r) { return mean_of_rows(r[0]); });
    add(steps, value("lnvar_inv"), rows, {value("lnvar")}, inverse_root(site.operation.norm.epsilon));
    add(steps, raw(site, "lnraw"), wide, {value("lndiff"), value("lnvar_inv")}, times_rows);
    if (site.operation.norm.affine) {
        add(steps, site.y(), wide, {raw(site, "lnraw"), site.value("lngain"), site.value("lnbias")}, [](TensorReads r) {
            return r[1] * r[0] + r[2];
        }).first_read_last = true;
    }
}

void layernorm_module(TorchSteps& steps, const Site& site) {
    const bool affine = site.operation.norm.affine;
    std::vector<std::string> reads = {site.x()};
    if (affine) {
        reads.push_back(site.value("lngain"));
        reads.push_back(site.value("lnbias"));
    }
    add(steps, site.y(), site.wide(), std::move(reads), [affine, epsilon = site.operation.norm.epsilon](TensorReads r) {
        return affine ? at::layer_norm(r[0], {r[0].size(1)}, r[1], r[2], epsilon)
                      : at::layer_norm(r[0], {r[0].size(1)}, {}, {}, epsilon);
    });
}

void rmsnorm(TorchSteps& steps, const Site& site) {
    const Shape wide = site.wide(), rows = {site.rows};
    const auto value = [&site](const char* of) { return site.made(of); };
    add(steps, value("rmssquare"), wide, {site.x()}, [](TensorReads r) { return r[0] * r[0]; });
    add(steps, value("rmsmean"), rows, {value("rmssquare")}, [](TensorReads r) { return mean_of_rows(r[0]); });
    add(steps, value("rms_inv"), rows, {value("rmsmean")}, inverse_root(site.operation.norm.epsilon));
    add(steps, raw(site, "rmsraw"), wide, {site.x(), value("rms_inv")}, times_rows);
    if (site.operation.norm.affine) {
        add(steps, site.y(), wide, {raw(site, "rmsraw"), site.value("rmsgain")}, [](TensorReads r) {
            return r[1] * r[0];
        }).first_read_last = true;
    }
}

void rmsnorm_module(TorchSteps& steps, const Site& site) {
    const bool affine = site.operation.norm.affine;
    std::vector<std::string> reads = {site.x()};
    if (affine) {
        reads.push_back(site.value("rmsgain"));
    }
    add(steps, site.y(), site.wide(), std::move(reads), [affine, epsilon = site.operation.norm.epsilon](TensorReads r) {
        const Tensor normalised = r[0] / (r[0].square().mean(1, /*keepdim=*/true) + epsilon).sqrt();
        return affine ? normalised * r[1] : normalised;
    });
}

// The input's gradient in one line: s·(dx̂ − mean(dx̂) − x̂·mean(dx̂·x̂)), means over the row; an RMS norm has no mean
// and so no mean(dx̂).
void one_line(TorchSteps& steps, const Site& site, const char* normalised, const char* inverse, bool has_mean) {
    const std::string x = raw(site, normalised);
    add(steps, gradient_of(site.x()), site.wide(), {gradient_of(x), x, site.made(inverse)}, [has_mean](TensorReads r) {
        const Tensor& d = r[0];
        const Tensor slope = (d * r[1]).mean(1, true) * r[1];
        return r[2].unsqueeze(1) * ((has_mean ? d - d.mean(1, true) : d) - slope);
    });
}

void layernorm_formulas(TorchSteps& steps, const Site& site) {
    one_line(steps, site, "lnraw", "lnvar_inv", true);
}

void rmsnorm_formulas(TorchSteps& steps, const Site& site) {
    one_line(steps, site, "rmsraw", "rms_inv", false);
}

}  // namespace

extern TorchOperation layernorm_operation() {
    return {.op = op::kLayernorm,
            .forward = layernorm,
            .collapsed_formulas = layernorm_formulas,
            .fused_formulas = layernorm_formulas,
            .module = layernorm_module};
}

extern TorchOperation rmsnorm_operation() {
    return {.op = op::kRmsnorm,
            .forward = rmsnorm,
            .collapsed_formulas = rmsnorm_formulas,
            .fused_formulas = rmsnorm_formulas,
            .module = rmsnorm_module};
}

}  // namespace byhand::torch_ref
