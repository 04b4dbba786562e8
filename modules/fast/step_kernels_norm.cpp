#include <algorithm>

#include "fast/simd/norm.h"
#include "fast/step_operands.h"
#include "manual/batchnorm/formulas.h"

namespace byhand {
namespace {

// Memory for matrices like the first input, and in scratch for some numbers of each of its columns, 0 at first.
enum Column { kMean, kVar, kInv, kGain, kDgain, kDbias, kRunningMean, kRunningSpread, kColumns };

template <std::size_t kMatrices>
void prepare(StepOperands& o) {
    o.more.assign(kMatrices, PanelMatrix(o.in[0].rows, o.in[0].columns));
    o.scratch.resize(kColumns * padded(o.in[0].columns));
}

float* columns(StepOperands& o, Column which, const Panel& p = {}) {
    return o.scratch.data() + which * padded(o.in[0].columns) + p.from;
}

// ---- a norm of columns ----

bool is_of_columns(const StepThere& there) {
    return operations(there.config)[there.step.operation].op == op::kBatchnorm;
}

// Whether the fused step joins it with the non-linearity behind it; the loss is the last operation.
bool has_tanh_behind(const StepThere& there) {
    return is_of_columns(there) && operations(there.config)[there.step.operation + 1].op == op::kTanh;
}

simd::NormPanel norm_panel(StepOperands& o, PanelMatrix& raw, const Panel& p) {
    return {.n = raw.rows,
            .batch = raw.rows,
            .width = p.width,
            .mean = columns(o, kMean, p),
            .var = columns(o, kVar, p),
            .inv = columns(o, kInv, p),
            .raw = raw.in(p)};
}

template <auto forward>
void mean(StepOperands& o) {
    for (const Panel& p : o.in[0].panels) {
        simd::NormPanel panel = norm_panel(o, o.more[1], p);
        panel.mean = o.y() + p.from;
        forward(o.more[0].in(p), o.in[0].in(p), panel, o.operation.norm);
    }
}

// y, and the running statistics.
void forward(StepOperands& o) {
    const NormConfig& norm = o.operation.norm;
    for (const Panel& p : o.out.panels) {
        simd::NormPanel panel = norm_panel(o, o.more[0], p);
        if (o.in.size() > 1) {
            panel.gain = o.in[1].in(p);
            panel.bias = o.in[2].in(p);
        }
        simd::batchnorm_forward(o.out.in(p), o.in[0].in(p), panel, norm);
    }
    float *const mean = columns(o, kRunningMean), *const spread = columns(o, kRunningSpread);
    running_mean_update(mean, mean, columns(o, kMean), o.out.columns, norm.momentum);
    running_spread_update(spread, spread, columns(o, kVar), o.out.columns, o.out.rows, norm.batch_divisor,
                          norm.running_divisor, norm.running_spread, norm.momentum);
}

// By itself or joined with tanh: where h is 0, its gradient is passed on unchanged. The first input is dy; if there are
// four or five, the others are x̂, γ if it has it, 1/√(var + ε) and var.
template <bool kJoined>
void backward(StepOperands& o, PanelMatrix& dx, PanelMatrix& raw, const float* gain) {
    for (const Panel& p : dx.panels) {
        simd::NormPanel panel = norm_panel(o, raw, p);
        if (o.in.size() > 3) {
            panel.inv = o.in[o.in.size() - 2].in(p);
            panel.var = o.in.back().in(p);
        }
        panel.gain = gain != nullptr ? gain + p.from : nullptr;
        float *const dgain = gain != nullptr ? columns(o, kDgain, p) : nullptr,
                     *const dbias = gain != nullptr ? columns(o, kDbias, p) : nullptr, *const dy = dx.in(p);
        std::copy_n(o.in[0].in(p), dx.rows * p.width, dy);
        kJoined ? simd::batchnorm_tanh_backward(dy, dgain, dbias, o.more.back().in(p), panel, o.operation.norm)
                : simd::batchnorm_backward(dy, dgain, dbias, panel, o.operation.norm);
    }
}

// dγ from dy and x̂, or dβ from dy.
template <bool kJoined>
void affine_sums(StepOperands& o) {
    const bool is_gain = o.in.size() == 2;
    backward<kJoined>(o, o.more[0], is_gain ? o.in[1] : o.more[1], columns(o, kGain));
    std::copy_n(columns(o, is_gain ? kDgain : kDbias), o.out.columns, o.y());
}

template <bool kJoined>
void input_backward(StepOperands& o) {
    backward<kJoined>(o, o.out, o.in[1], o.in.size() == 5 ? o.x(2) : nullptr);
}

// ---- a norm of rows ----

// Memory also for three numbers of each row.
void prepare_rows(StepOperands& o) {
    prepare<1>(o);
    o.more.insert(o.more.end(), 3, PanelMatrix(1, o.in[0].rows));
}

simd::RowNorm row_norm(StepOperands& o, PanelMatrix& raw) {
    const bool has_mean = o.operation.op == op::kLayernorm;
    return {.n = raw.rows,
            .panels = raw.panels,
            .mean = has_mean ? o.more[1].data.data() : nullptr,
            .var = o.more[2].data.data(),
            .inv = o.more[3].data.data(),
            .raw = raw.data.data()};
}

void row_mean(StepOperands& o) {
    simd::RowNorm norm = row_norm(o, o.more[0]);
    norm.mean = o.y();
    norm.epsilon = 1;
    simd::row_norm_forward(norm.raw, o.x(0), norm, {0, norm.n});
}

void row_forward(StepOperands& o) {
    simd::RowNorm norm = row_norm(o, o.more[0]);
    norm.gain = o.in.size() > 1 ? o.x(1) : nullptr;
    norm.bias = o.in.size() > 2 ? o.x(2) : nullptr;
    norm.epsilon = static_cast<float>(o.operation.norm.epsilon);
    simd::row_norm_forward(o.y(), o.x(0), norm, {0, norm.n});
}

// Of the first input.
void row_sums(StepOperands& o, float* dgain, float* dbias, PanelMatrix& raw) {
    for (const Panel& p : raw.panels) {
        simd::norm_sums(dgain + p.from, dbias + p.from, o.in[0].in(p), raw.in(p), raw.rows, p.width);
    }
}

void affine_row_sums(StepOperands& o) {
    const bool is_gain = o.in.size() == 2;
    row_sums(o, is_gain ? o.y() : columns(o, kDgain), is_gain ? columns(o, kDbias) : o.y(),
             is_gain ? o.in[1] : o.more[0]);
}

// dx from dy, x̂, γ if it has it, and the inverse deviations; with γ also its gradient, and β's.
void row_backward(StepOperands& o) {
    simd::RowNorm norm = row_norm(o, o.in[1]);
    norm.inv = o.in.back().data.data();
    if (o.in.size() == 4) {
        norm.gain = o.x(2);
        row_sums(o, columns(o, kDgain), columns(o, kDbias), o.in[1]);
    }
    std::ranges::copy(o.in[0].data, o.y());
    simd::row_norm_backward(o.y(), norm, {0, norm.n});
}

}  // namespace

const std::map<std::string, KernelsOfFunction>& norm_kernels() {
    const auto is_of_rows = [](const StepThere& there) { return !is_of_columns(there); };
    static const KernelCodes kSums = {
        {"simd::norm_sums", affine_row_sums, prepare<1>, is_of_rows},
        {"simd::batchnorm_backward", affine_sums<false>, prepare<3>, is_of_columns},
        {"simd::batchnorm_tanh_backward", affine_sums<true>, prepare<3>, has_tanh_behind}};
    static const KernelCodes kBackward = {
        {"simd::batchnorm_backward", input_backward<false>, prepare<1>},
        {"simd::batchnorm_tanh_backward", input_backward<true>, prepare<1>, has_tanh_behind}};
    static const KernelCodes kRowForward = {{"simd::row_norm_forward", row_forward, prepare_rows}};
    static const KernelCodes kRowBackward = {{"simd::row_norm_backward", row_backward, prepare_rows}};
    static const std::map<std::string, KernelsOfFunction> kAll = {
        {"batchnorm_mean",
         {{{"simd::batchnorm_forward", mean<simd::batchnorm_forward>, prepare<2>},
           {"simd::batchnorm_tanh_forward", mean<simd::batchnorm_tanh_forward>, prepare<2>, has_tanh_behind}}}},
        {"batchnorm_gain_backward", {kSums}},
        {"batchnorm_bias_backward", {kSums}},
        {"batchnorm_backward", {kBackward}},
        {"row_mean", {{{"simd::row_norm_forward", row_mean, prepare_rows}}}},
        {"layernorm_backward", {kRowBackward}},
        {"rmsnorm_backward", {kRowBackward}},
        // Whole passes: (x − μ)², x̂, γ·x̂; dy·x̂ for dγ and for dx, and its scale.
        {"batchnorm forward", {{{"simd::batchnorm_forward", forward, prepare<1>}}, {"batchnorm forward", 3, 1, 2}}},
        {"layernorm forward", {kRowForward, {"layernorm forward", 3, 1, 2}}},
        {"rmsnorm forward", {kRowForward, {"rmsnorm forward", 3, 1, 2}}},
        {"batchnorm backward", {kBackward, {"batchnorm backward", 3, 2, 1}}},
        {"layernorm backward", {kRowBackward, {"layernorm backward", 3, 2, 1}}},
        {"rmsnorm backward", {kRowBackward, {"rmsnorm backward", 3, 2, 1}}}};
    return kAll;
}

}  // namespace byhand
