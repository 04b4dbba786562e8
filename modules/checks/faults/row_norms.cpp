// Mistakes in layer norm and RMS norm.
#include <cmath>
#include <numeric>

#include "base/value.h"
#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

// The first step that makes such a value, of whichever layer.
Find making(ValueKind kind, const std::string& base) {
    return [=](Network& network) -> Step* {
        for (StepList* list : network.lists()) {
            for (Step& step : *list) {
                const Value value = value_of(step.makes);
                if (value.kind == kind && value.base == base) {
                    return &step;
                }
            }
        }
        return nullptr;
    };
}
Find value(const std::string& base) {
    return making(ValueKind::value, base);
}
Find gradient(const std::string& base) {
    return making(ValueKind::gradient, base);
}

float units(const Setting& setting) {
    return static_cast<float>(setting.operation.layer.outputs);
}

// 1/√(x + ε) otherwise.
Edit other_inverse(float (*formula)(float mean_square, float epsilon)) {
    return when([](const Setting& setting) { return static_cast<float>(setting.operation.norm.epsilon) > 0; },
                makes([=](const Element& x) { return formula(x(0), static_cast<float>(x.operation.norm.epsilon)); }));
}

float outside(float mean_square, float epsilon) {
    return 1 / (std::sqrt(mean_square) + epsilon);
}

float by_square(float mean_square, float epsilon) {
    return 1 / ((mean_square + epsilon) * (mean_square + epsilon));
}

float mean(const float* numbers, std::size_t count) {
    return std::accumulate(numbers, numbers + count, 0.0F) / static_cast<float>(count);
}

// What the step reads, in all rows.
std::size_t count_of_all(const Setting& setting) {
    return setting.rows * setting.operation.layer.outputs;
}

// The mean of all rows for that of each.
Edit mean_of_all() {
    return on_several_rows(makes([](const Element& x) { return mean(x.all(0), count_of_all(x)); }));
}

}  // namespace

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a list
std::vector<Mistake> row_norm_mistakes() {
    return {
        at(value("lnvar"), "layernorm-unbiased", "the variance of a row by H − 1, the default of std and var",
           "annotated-transformer 119: https://github.com/harvardnlp/annotated-transformer/pull/119",
           when([](const Setting& setting) { return units(setting) > 1; },
                scaled([](const Setting& setting) { return units(setting) / (units(setting) - 1); }))),
        at(value("lnvar_inv"), "layernorm-epsilon-outside-root", "(x − μ)/(√var + ε)",
           "pytorch-transformer 31: https://github.com/hkproj/pytorch-transformer/pull/31", other_inverse(outside)),
        at(value("lnvar_inv"), "layernorm-square-for-root", "(var + ε)² for its root",
           "TPlinker-joint-extraction 37: https://github.com/131250208/TPlinker-joint-extraction/issues/37",
           other_inverse(by_square)),
        at(value("lnmean"), "layernorm-statistics-of-all-rows", "one mean of all rows instead of one for each",
           "FuxiCTR 23: https://github.com/reczoo/FuxiCTR/issues/23", mean_of_all()),
        at("batchnorm_scale_shift", "gain-by-row", "γ and β of the row's number instead of the unit's",
           "dlib 2486: https://github.com/davisking/dlib/issues/2486", on_several_rows(makes([](const Element& x) {
               const std::size_t at = x.row() % x.columns;
               return x.all(1)[at] * x(0) + x.all(2)[at];
           }))),
        at(gradient("lnvar_inv"), "layernorm-sums-of-all-rows", "the sum of a row's gradient taken over all rows",
           "FlagGems 59: https://github.com/flagos-ai/FlagGems/pull/59", on_several_rows(makes([](const Element& x) {
               return std::inner_product(x.all(0), x.all(0) + count_of_all(x), x.all(1), 0.0F);
           }))),
        at(gradient("lndiff"), "layernorm-square-factor-2", "the 2 of the square's derivative forgotten",
           "near: dlib 1169: https://github.com/davisking/dlib/issues/1169",
           makes([](const Element& x) { return x.of_row(1) * x(0) + x(3) * x(2); })),
        at("layernorm_input_backward", "layernorm-mean-term-twice", "the path through the mean counted twice",
           "tt-metal 53204: https://github.com/tenstorrent/tt-metal/issues/53204",
           changes([](float made, const Element& x) { return made + x.of_row(1) / static_cast<float>(x.columns); })),
        at("layernorm_input_backward", "layernorm-mean-term-dropped", "the path through the mean left out",
           "near: tt-metal 53204: https://github.com/tenstorrent/tt-metal/issues/53204", makes_first_read),

        at(value("rmssquare"), "rmsnorm-subtracts-mean", "the variance for the mean square",
           "pytorch-image-models 2380: https://github.com/huggingface/pytorch-image-models/issues/2380",
           makes([](const Element& x) {
               const float difference = x(0) - mean(x.all(0) + x.row() * x.columns, x.columns);
               return difference * difference;
           })),
        at(value("rmsmean"), "rmsnorm-sum-for-mean", "the norm of the row, without 1/H",
           "near: zeta 180: https://github.com/kyegomez/zeta/issues/180", scaled(units)),
        at(value("rmsmean"), "rmsnorm-of-all-rows", "one mean square of all rows instead of one for each",
           "llama-from-scratch 4: https://github.com/bkitano/llama-from-scratch/issues/4", mean_of_all()),
        at(value("rms_inv"), "rmsnorm-epsilon-outside-root", "x/(rms + ε)",
           "OLMo 281: https://github.com/allenai/OLMo/issues/281", other_inverse(outside)),
        at(value("rms_inv"), "rmsnorm-epsilon-left-out", "no ε: 0/0 where a row is 0",
           "near: tt-metal 55347: https://github.com/tenstorrent/tt-metal/issues/55347",
           other_inverse([](float mean_square, float) { return 1 / std::sqrt(mean_square); })),
        at(value("rmsraw"), "rmsnorm-multiplies", "x/rsqrt(…), which multiplies by the root",
           "llm-foundry 371: https://github.com/mosaicml/llm-foundry/issues/371",
           makes([](const Element& x) { return x(0) / x.of_row(1); })),
        at(gradient("hprerms"), "rmsnorm-correction-dropped", "dx̂/rms alone, as though the root did not depend on x",
           "AiDotNet 695: https://github.com/ooples/AiDotNet/pull/695",
           makes([](const Element& x) { return x.of_row(1) * x(0); })),
    };
}

std::vector<Mistake> row_norm_data_mistakes() {
    return {
        at(value("lnvar"), "layernorm-one-pass-variance", "E[x²] − E[x]², which cancels where a row's mean is large",
           "onnxruntime 28463: https://github.com/microsoft/onnxruntime/issues/28463",
           [](Network& net, Step& step) {
               reads_instead(step, 0, operation_of(net, step).input);
               return makes([](const Element& x) {
                   const std::size_t H = x.operation.layer.outputs;
                   const float* row = x.all(0) + x.i * H;
                   return std::inner_product(row, row + H, row, 0.0F) / static_cast<float>(H) -
                          mean(row, H) * mean(row, H);
               })(net, step);
           }),
        at(value("lndiff2"), "layernorm-square-through-half", "a square above 65504 is infinite in half precision",
           "near: pytorch 133085: https://github.com/pytorch/pytorch/pull/133085", makes_through_half),
        at(value("rmssquare"), "rmsnorm-square-through-half", "a square above 65504 is infinite in half precision",
           "pytorch 133085: https://github.com/pytorch/pytorch/pull/133085", makes_through_half),
    };
}

}  // namespace byhand::planting
