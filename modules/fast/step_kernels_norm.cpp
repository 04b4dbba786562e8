#include <algorithm>

#include "base/tensors.h"
#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/simd/norm.h"
#include "fast/step_kernels.h"

namespace byhand {
namespace {

// Whether the kernel includes the non-linearity after the norm. Where h is 0, its gradient is passed on unchanged.
enum class Behind { nothing, tanh };

// A norm of n rows of H columns; arrays that are not set are 0.
struct Norm {
    NormConfig config;
    PanelMatrix x, raw, h;  // x is overwritten by the result, dL/dy by dL/dx
    AlignedVector<float> mean, var, inv, gain, dgain, dbias;

    Norm(const NormConfig& norm, const Shape& shape)
        : config(norm), x(shape[0], shape[1]), raw(shape[0], shape[1]), h(shape[0], shape[1]) {
        for (AlignedVector<float>* columns : {&mean, &var, &inv, &gain, &dgain, &dbias}) {
            columns->resize(padded(shape[1]));
        }
    }

    void forward(Behind behind) {
        const auto kernel = behind == Behind::tanh ? simd::batchnorm_tanh_forward : simd::batchnorm_forward;
        for (const Panel& p : x.panels) {
            kernel(x.in(p), x.in(p), panel(p, false), config);
        }
    }

    void backward(Behind behind, bool affine) {
        for (const Panel& p : x.panels) {
            float* const gains = affine ? dgain.data() + p.from : nullptr;
            float* const biases = affine ? dbias.data() + p.from : nullptr;
            if (behind == Behind::tanh) {
                simd::batchnorm_tanh_backward(x.in(p), gains, biases, h.in(p), panel(p, affine), config);
            } else {
                simd::batchnorm_backward(x.in(p), gains, biases, panel(p, affine), config);
            }
        }
    }

private:
    simd::NormPanel panel(const Panel& p, bool affine) {
        return {x.rows,
                x.rows,
                p.width,
                mean.data() + p.from,
                var.data() + p.from,
                inv.data() + p.from,
                raw.in(p),
                affine ? gain.data() + p.from : nullptr,
                nullptr};
    }
};

NormConfig norm_of(const StepThere& there) {
    return operations(there.config)[there.step.operation].norm;
}

// Whether the step's norm is followed by a tanh.
bool has_tanh_behind(const StepThere& there) {
    return operations(there.config)[there.step.operation + 1].op == op::kTanh;  // the loss is the last operation
}

// The kernel by itself and, if the fused step joins it with the non-linearity, joined: run_by(behind).
template <class RunBy>
Kernels kernels(const StepThere& there, const std::string& direction, const RunBy& run_by) {
    Kernels all = {{"simd::batchnorm_" + direction, run_by(Behind::nothing)}};
    if (has_tanh_behind(there)) {
        all.push_back({"simd::batchnorm_tanh_" + direction, run_by(Behind::tanh)});
    }
    return all;
}

Kernels mean(const StepThere& there) {
    return kernels(there, "forward", [shape = there.read(0), config = norm_of(there)](Behind behind) {
        return [=](float* bnmeani, Reads<float> r) {
            Norm norm(config, shape);
            norm.x = PanelMatrix(numbers(r, 0), shape[0], shape[1]);
            norm.forward(behind);
            std::copy_n(norm.mean.begin(), shape[1], bnmeani);
        };
    });
}

bool is_row_norm(const StepThere& there) {
    return operations(there.config)[there.step.operation].op != op::kBatchnorm;
}

// The same for a norm of rows, whose sums are a separate kernel.
Kernels sums_of_row_norm(const Shape& shape, bool is_gain) {
    return {{"simd::norm_sums", [shape, is_gain](float* out, Reads<float> r) {
                 PanelMatrix dy(numbers(r, 0), shape[0], shape[1]), raw(shape[0], shape[1]);
                 if (is_gain) {
                     raw = PanelMatrix(numbers(r, 1), shape[0], shape[1]);
                 }
                 AlignedVector<float> dgain(padded(shape[1])), dbias(padded(shape[1]));
                 for (const Panel& p : dy.panels) {
                     simd::norm_sums(dgain.data() + p.from, dbias.data() + p.from, dy.in(p), raw.in(p), shape[0],
                                     p.width);
                 }
                 std::copy_n((is_gain ? dgain : dbias).begin(), shape[1], out);
             }}};
}

// dγ from dy and x̂, or dβ from dy.
Kernels affine_sums(const StepThere& there) {
    const bool is_gain = there.step.reads.size() == 2;
    if (is_row_norm(there)) {
        return sums_of_row_norm(there.read(0), is_gain);
    }
    return kernels(there, "backward", [shape = there.read(0), config = norm_of(there), is_gain](Behind behind) {
        return [=](float* sums, Reads<float> r) {
            Norm norm(config, shape);
            norm.x = PanelMatrix(numbers(r, 0), shape[0], shape[1]);
            if (is_gain) {
                norm.raw = PanelMatrix(numbers(r, 1), shape[0], shape[1]);
            }
            norm.backward(behind, true);
            std::copy_n((is_gain ? norm.dgain : norm.dbias).begin(), shape[1], sums);
        };
    });
}

Kernels backward(const StepThere& there) {
    return kernels(there, "backward", [shape = there.step.shape, config = norm_of(there)](Behind behind) {
        return [=](float* dx, Reads<float> r) {
            Norm norm(config, shape);
            norm.x = PanelMatrix(numbers(r, 0), shape[0], shape[1]);
            norm.raw = PanelMatrix(numbers(r, 1), shape[0], shape[1]);
            std::copy_n(numbers(r, 2), shape[1], norm.inv.begin());
            std::copy_n(numbers(r, 3), shape[1], norm.var.begin());
            norm.backward(behind, false);
            norm.x.copy_to(dx);
        };
    });
}

// Per-row working memory of a norm of rows; the rows' means are those of its input.
struct RowStatistics {
    AlignedVector<float> mean, var, inv;

    explicit RowStatistics(std::size_t n) : mean(n), var(n), inv(n) {}
};

Kernels row_mean(const StepThere& there) {
    return {{"simd::row_norm_forward", [shape = there.read(0)](float* mean, Reads<float> r) {
                 PanelMatrix x(numbers(r, 0), shape[0], shape[1]);
                 RowStatistics rows(shape[0]);
                 simd::row_norm_forward(x.data.data(), x.data.data(),
                                        {shape[0], x.panels, rows.mean.data(), rows.var.data(), rows.inv.data(),
                                         x.data.data(), nullptr, nullptr, 1.0F},
                                        {0, shape[0]});
                 std::copy_n(rows.mean.begin(), shape[0], mean);
             }}};
}

Kernels row_norm_backward(const StepThere& there) {
    const bool has_mean = operations(there.config)[there.step.operation].op == op::kLayernorm;
    return {{"simd::row_norm_backward", [shape = there.step.shape, has_mean](float* dx, Reads<float> r) {
                 PanelMatrix dy(numbers(r, 0), shape[0], shape[1]), raw(numbers(r, 1), shape[0], shape[1]);
                 RowStatistics rows(shape[0]);
                 std::copy_n(numbers(r, 2), shape[0], rows.inv.begin());
                 simd::row_norm_backward(dy.data.data(),
                                         {shape[0], dy.panels, has_mean ? rows.mean.data() : nullptr, rows.var.data(),
                                          rows.inv.data(), raw.data.data(), nullptr, nullptr, 0},
                                         {0, shape[0]});
                 dy.copy_to(dx);
             }}};
}

}  // namespace

const MakeKernels& norm_kernels() {
    static const MakeKernels kBy = {{"batchnorm_mean", mean},
                                    {"batchnorm_gain_backward", affine_sums},
                                    {"batchnorm_bias_backward", affine_sums},
                                    {"batchnorm_backward", backward},
                                    {"row_mean", row_mean},
                                    {"layernorm_backward", row_norm_backward},
                                    {"rmsnorm_backward", row_norm_backward}};
    return kBy;
}

}  // namespace byhand
