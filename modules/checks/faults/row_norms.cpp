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

std::size_t units(const Network& network, const Step& step) {
    return operation_of(network, step).layer.outputs;
}

// 1/√(x + ε) otherwise.
Edit other_inverse(float (*formula)(float mean_square, float epsilon)) {
    return [formula](Network& net, Step& step) {
        const auto epsilon = static_cast<float>(norm_of(net, step).epsilon);
        return epsilon > 0 &&
               elementwise(step, [=](std::size_t i, Reads r) { return formula(numbers(r, 0)[i], epsilon); });
    };
}

float outside(float mean_square, float epsilon) {
    return 1 / (std::sqrt(mean_square) + epsilon);
}

float by_square(float mean_square, float epsilon) {
    return 1 / ((mean_square + epsilon) * (mean_square + epsilon));
}

// The mean of all rows for that of each.
bool mean_of_all(Network& net, Step& step) {
    const std::size_t count = rows_of(net, step) * units(net, step);
    return rows_of(net, step) > 1 && elementwise(step, [count](std::size_t, Reads r) {
               return std::accumulate(numbers(r, 0), numbers(r, 0) + count, 0.0F) / static_cast<float>(count);
           });
}

}  // namespace

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a list
std::vector<Mistake> row_norm_mistakes() {
    return {
        at(value("lnvar"), "layernorm-unbiased", "the variance of a row by H − 1, the default of std and var",
           "annotated-transformer 119: https://github.com/harvardnlp/annotated-transformer/pull/119",
           [](Network& net, Step& step) {
               const auto H = static_cast<float>(units(net, step));
               return H > 1 && scaled(step, H / (H - 1));
           }),
        at(value("lnvar_inv"), "layernorm-epsilon-outside-root", "(x − μ)/(√var + ε)",
           "pytorch-transformer 31: https://github.com/hkproj/pytorch-transformer/pull/31", other_inverse(outside)),
        at(value("lnvar_inv"), "layernorm-square-for-root", "(var + ε)² for its root",
           "TPlinker-joint-extraction 37: https://github.com/131250208/TPlinker-joint-extraction/issues/37",
           other_inverse(by_square)),
        at(value("lnmean"), "layernorm-statistics-of-all-rows", "one mean of all rows instead of one for each",
           "FuxiCTR 23: https://github.com/reczoo/FuxiCTR/issues/23", mean_of_all),
        at("batchnorm_scale_shift", "gain-by-row", "γ and β of the row's number instead of the unit's",
           "dlib 2486: https://github.com/davisking/dlib/issues/2486",
           [](Network& net, Step& step) {
               return rows_of(net, step) > 1 && elementwise(step, [H = width(step)](std::size_t i, Reads r) {
                          const std::size_t at = i / H % H;
                          return numbers(r, 1)[at] * numbers(r, 0)[i] + numbers(r, 2)[at];
                      });
           }),
        at(gradient("lnvar_inv"), "layernorm-sums-of-all-rows", "the sum of a row's gradient taken over all rows",
           "FlagGems 59: https://github.com/flagos-ai/FlagGems/pull/59",
           [](Network& net, Step& step) {
               const std::size_t count = rows_of(net, step) * units(net, step);
               return rows_of(net, step) > 1 && elementwise(step, [count](std::size_t, Reads r) {
                          return std::inner_product(numbers(r, 0), numbers(r, 0) + count, numbers(r, 1), 0.0F);
                      });
           }),
        at(gradient("lndiff"), "layernorm-square-factor-2", "the 2 of the square's derivative forgotten",
           "near: dlib 1169: https://github.com/davisking/dlib/issues/1169",
           [](Network&, Step& step) {
               return elementwise(step, [H = width(step)](std::size_t i, Reads r) {
                   return numbers(r, 1)[i / H] * numbers(r, 0)[i] + numbers(r, 3)[i] * numbers(r, 2)[i];
               });
           }),
        at("layernorm_input_backward", "layernorm-mean-term-twice", "the path through the mean counted twice",
           "tt-metal 53204: https://github.com/tenstorrent/tt-metal/issues/53204",
           [](Network&, Step& step) {
               return makes_changed(step, [H = width(step)](float made, std::size_t i, Reads r) {
                   return made + numbers(r, 1)[i / H] / static_cast<float>(H);
               });
           }),
        at("layernorm_input_backward", "layernorm-mean-term-dropped", "the path through the mean left out",
           "near: tt-metal 53204: https://github.com/tenstorrent/tt-metal/issues/53204",
           [](Network&, Step& step) { return makes_first_read(step); }),

        at(value("rmssquare"), "rmsnorm-subtracts-mean", "the variance for the mean square",
           "pytorch-image-models 2380: https://github.com/huggingface/pytorch-image-models/issues/2380",
           [](Network&, Step& step) {
               return elementwise(step, [H = width(step)](std::size_t i, Reads r) {
                   const float* row = numbers(r, 0) + i / H * H;
                   const float mean = std::accumulate(row, row + H, 0.0F) / static_cast<float>(H);
                   return (numbers(r, 0)[i] - mean) * (numbers(r, 0)[i] - mean);
               });
           }),
        at(value("rmsmean"), "rmsnorm-sum-for-mean", "the norm of the row, without 1/H",
           "near: zeta 180: https://github.com/kyegomez/zeta/issues/180",
           [](Network& net, Step& step) { return scaled(step, static_cast<float>(units(net, step))); }),
        at(value("rmsmean"), "rmsnorm-of-all-rows", "one mean square of all rows instead of one for each",
           "llama-from-scratch 4: https://github.com/bkitano/llama-from-scratch/issues/4", mean_of_all),
        at(value("rms_inv"), "rmsnorm-epsilon-outside-root", "x/(rms + ε)",
           "OLMo 281: https://github.com/allenai/OLMo/issues/281", other_inverse(outside)),
        at(value("rms_inv"), "rmsnorm-epsilon-left-out", "no ε: 0/0 where a row is 0",
           "near: tt-metal 55347: https://github.com/tenstorrent/tt-metal/issues/55347",
           other_inverse([](float mean_square, float) { return 1 / std::sqrt(mean_square); })),
        at(value("rmsraw"), "rmsnorm-multiplies", "x/rsqrt(…), which multiplies by the root",
           "llm-foundry 371: https://github.com/mosaicml/llm-foundry/issues/371",
           [](Network&, Step& step) {
               return elementwise(
                   step, [H = width(step)](std::size_t i, Reads r) { return numbers(r, 0)[i] / numbers(r, 1)[i / H]; });
           }),
        at(gradient("hprerms"), "rmsnorm-correction-dropped", "dx̂/rms alone, as though the root did not depend on x",
           "AiDotNet 695: https://github.com/ooples/AiDotNet/pull/695",
           [](Network&, Step& step) {
               return elementwise(
                   step, [H = width(step)](std::size_t i, Reads r) { return numbers(r, 1)[i / H] * numbers(r, 0)[i]; });
           }),
    };
}

std::vector<Mistake> row_norm_data_mistakes() {
    return {
        at(value("lnvar"), "layernorm-one-pass-variance", "E[x²] − E[x]², which cancels where a row's mean is large",
           "onnxruntime 28463: https://github.com/microsoft/onnxruntime/issues/28463",
           [](Network& net, Step& step) {
               const std::size_t H = units(net, step);
               reads_instead(step, 0, operation_of(net, step).input);
               return elementwise(step, [H](std::size_t i, Reads r) {
                   const float* row = numbers(r, 0) + i * H;
                   const float mean = std::accumulate(row, row + H, 0.0F) / static_cast<float>(H);
                   return std::inner_product(row, row + H, row, 0.0F) / static_cast<float>(H) - mean * mean;
               });
           }),
        at(value("lndiff2"), "layernorm-square-through-half", "a square above 65504 is infinite in half precision",
           "near: pytorch 133085: https://github.com/pytorch/pytorch/pull/133085",
           [](Network&, Step& step) { return makes_through_half(step); }),
        at(value("rmssquare"), "rmsnorm-square-through-half", "a square above 65504 is infinite in half precision",
           "pytorch 133085: https://github.com/pytorch/pytorch/pull/133085",
           [](Network&, Step& step) { return makes_through_half(step); }),
    };
}

}  // namespace byhand::planting
