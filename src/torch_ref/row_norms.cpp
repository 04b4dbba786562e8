// Layer norm and RMS norm: every row with its own statistics.
#include <ATen/TensorOperators.h>
#include <ATen/ops/layer_norm.h>

#include "base/value.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;
using Values = std::map<std::string, Tensor>;

// The normalised value before γ and β; without them, the norm's result.
std::string raw(const Site& site, const char* name) {
    return site.operation.norm.affine ? site.made(name) : site.y();
}

// Appends steps one after another.
auto adding(TorchSteps& steps) {
    return [&steps](std::string makes, Shape shape, std::vector<std::string> reads, auto apply) {
        steps.push_back({std::move(makes), std::move(shape), std::move(reads), apply});
    };
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
    const auto add = adding(steps);
    add(value("lnmean"), rows, {site.x()}, [](TensorReads r) { return mean_of_rows(r[0]); });
    add(value("lndiff"), wide, {site.x(), value("lnmean")}, [](TensorReads r) { return r[0] - r[1].unsqueeze(1); });
    add(value("lndiff2"), wide, {value("lndiff")}, [](TensorReads r) { return r[0] * r[0]; });
    add(value("lnvar"), rows, {value("lndiff2")}, [](TensorReads r) { return mean_of_rows(r[0]); });
    add(value("lnvar_inv"), rows, {value("lnvar")}, inverse_root(site.operation.norm.epsilon));
    add(raw(site, "lnraw"), wide, {value("lndiff"), value("lnvar_inv")}, times_rows);
    if (site.operation.norm.affine) {
        add(site.y(), wide, {raw(site, "lnraw"), site.value("lngain"), site.value("lnbias")},
            [](TensorReads r) { return r[1] * r[0] + r[2]; });
        steps.back().first_read_last = true;
    }
}

TorchStep layernorm_module(const Site& site) {
    const bool affine = site.operation.norm.affine;
    std::vector<std::string> reads = {site.x()};
    if (affine) {
        reads.push_back(site.value("lngain"));
        reads.push_back(site.value("lnbias"));
    }
    return {site.y(), site.wide(), std::move(reads), [affine, epsilon = site.operation.norm.epsilon](TensorReads r) {
                return affine ? at::layer_norm(r[0], {r[0].size(1)}, r[1], r[2], epsilon)
                              : at::layer_norm(r[0], {r[0].size(1)}, {}, {}, epsilon);
            }};
}

void rmsnorm(TorchSteps& steps, const Site& site) {
    const Shape wide = site.wide(), rows = {site.rows};
    const auto value = [&site](const char* of) { return site.made(of); };
    const auto add = adding(steps);
    add(value("rmssquare"), wide, {site.x()}, [](TensorReads r) { return r[0] * r[0]; });
    add(value("rmsmean"), rows, {value("rmssquare")}, [](TensorReads r) { return mean_of_rows(r[0]); });
    add(value("rms_inv"), rows, {value("rmsmean")}, inverse_root(site.operation.norm.epsilon));
    add(raw(site, "rmsraw"), wide, {site.x(), value("rms_inv")}, times_rows);
    if (site.operation.norm.affine) {
        add(site.y(), wide, {raw(site, "rmsraw"), site.value("rmsgain")}, [](TensorReads r) { return r[1] * r[0]; });
        steps.back().first_read_last = true;
    }
}

TorchStep rmsnorm_module(const Site& site) {
    const bool affine = site.operation.norm.affine;
    std::vector<std::string> reads = {site.x()};
    if (affine) {
        reads.push_back(site.value("rmsgain"));
    }
    return {site.y(), site.wide(), std::move(reads), [affine, epsilon = site.operation.norm.epsilon](TensorReads r) {
                const Tensor normalised = r[0] / (r[0].square().mean(1, /*keepdim=*/true) + epsilon).sqrt();
                return affine ? normalised * r[1] : normalised;
            }};
}

// The input's gradient in one line: s·(dx̂ − mean(dx̂) − x̂·mean(dx̂·x̂)), means over the row; an RMS norm has no mean
// and so no mean(dx̂).
ReferenceOperation one_line(const Site& site, const std::string& normalised, const std::string& inverse,
                            bool has_mean) {
    const std::string dx = gradient_of(normalised);
    return {gradient_of(site.x()),
            {{dx, site.wide()}, {normalised, site.wide()}, {inverse, {site.rows}}},
            [=](const Values& values) {
                const Tensor &d = values.at(dx), &x = values.at(normalised);
                const Tensor slope = (d * x).mean(1, true) * x;
                return values.at(inverse).unsqueeze(1) * ((has_mean ? d - d.mean(1, true) : d) - slope);
            }};
}

std::vector<ReferenceOperation> layernorm_formulas(const Site& site) {
    return {one_line(site, raw(site, "lnraw"), site.made("lnvar_inv"), true)};
}

std::vector<ReferenceOperation> rmsnorm_formulas(const Site& site) {
    return {one_line(site, raw(site, "rmsraw"), site.made("rms_inv"), false)};
}

}  // namespace

extern TorchOperation layernorm_operation() {
    TorchOperation by_torch{op::kLayernorm, layernorm};
    by_torch.module = layernorm_module;
    by_torch.collapsed_formulas = by_torch.fused_formulas = layernorm_formulas;
    return by_torch;
}

extern TorchOperation rmsnorm_operation() {
    TorchOperation by_torch{op::kRmsnorm, rmsnorm};
    by_torch.module = rmsnorm_module;
    by_torch.collapsed_formulas = by_torch.fused_formulas = rmsnorm_formulas;
    return by_torch;
}

}  // namespace byhand::torch_ref
