// Mistakes in the activations besides tanh.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/value.h"
#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

constexpr float kExpOverflows = 88.73F;
constexpr float kScale = 0.79788456F, kCubic = 0.044715F;  // √(2/π) and the cubic's factor, of GELU by tanh

float sigmoid(float x) {
    return 1 / (1 + std::exp(-x));
}

float slope(const Setting& setting) {
    return static_cast<float>(setting.operation.negative_slope);
}

float density(float x) {
    return 0.39894228F * std::exp(-0.5F * x * x);
}

float share(float x) {
    return 0.5F * (1 + std::erf(0.70710678F * x));
}

float inner(float x) {
    return kScale * (x + kCubic * x * x * x);
}

// GELU by tanh: its derivative with the slopes of tanh and of what is in it as given.
float gelu_tanh_slope(float x, float of_tanh, float of_inner) {
    return 0.5F * (1 + std::tanh(inner(x)) + x * of_tanh * of_inner);
}

float inner_slope(float x, float factor) {
    return kScale * (1 + factor * kCubic * x * x);
}

float tanh_slope(float x) {
    const float t = std::tanh(inner(x));
    return 1 - t * t;
}

}  // namespace

std::vector<Mistake> activation_mistakes() {
    return {
        at("relu_backward", "relu-mask-always-one", "the mask is h ≥ 0, which always holds: dh goes through everywhere",
           "Grokking-Deep-Learning 56: https://github.com/iamtrask/Grokking-Deep-Learning/issues/56", makes_first_read),
        at("relu_backward", "relu-upstream-overwritten", "only the mask, not multiplied by dh",
           "smile 528: https://github.com/haifengl/smile/issues/528",
           makes([](float, float h) { return h > 0 ? 1.0F : 0.0F; })),
        at("relu_backward", "relu-mask-from-gradient", "the mask is dh > 0 instead of h > 0",
           "near: deeplearningbook-chinese 127: https://github.com/exacity/deeplearningbook-chinese/issues/127",
           makes([](float dh, float) { return std::max(dh, 0.0F); })),
        at("relu_forward", "relu-absolute", "|x| for max(x, 0)", "a common slip; no source found",
           makes([](float x) { return std::abs(x); })),

        at("leaky_relu_backward", "leaky-slope-forgotten", "the gradient of a plain relu: 0 for x < 0",
           "FKB 15: https://github.com/scientific-computing/FKB/issues/15",
           makes([](float dh, float x) { return x > 0 ? dh : 0.0F; })),
        at("leaky_relu_backward", "leaky-slope-times-x", "a·x for a where x < 0",
           "Mocha.jl 94: https://github.com/pluskid/Mocha.jl/pull/94",
           makes([](const Element& x) { return x(0) * (x(1) > 0 ? 1 : slope(x) * x(1)); })),
        at("leaky_relu_forward", "leaky-slope-hard-coded", "0.1 whatever the slope",
           "tvm 1218: https://github.com/apache/tvm/pull/1218",
           when([](const Setting& setting) { return slope(setting) != 0.1F; },
                makes([](float x) { return x > 0 ? x : 0.1F * x; }))),
        at("leaky_relu_forward", "leaky-relu-first", "a plain relu before the slope: nothing is left below 0",
           "tflearn 784: https://github.com/tflearn/tflearn/pull/784",
           makes([](float x) { return std::max(x, 0.0F); })),

        at("sigmoid_backward", "sigmoid-at-its-input", "x·(1 − x) at what the sigmoid read instead of what it made",
           "interviews.ai 15: https://github.com/BoltzmannEntropy/interviews.ai/issues/15",
           [](Network&, Step& step) { return reads_instead(step, 1, without_kind(step.makes)); }),
        at("sigmoid_backward", "sigmoid-applied-twice", "σ(h)·(1 − σ(h)): the sigmoid of what it made",
           "gophernet 6: https://github.com/dwhitena/gophernet/issues/6", makes([](float dh, float h) {
               const float s = sigmoid(h);
               return dh * s * (1 - s);
           })),
        at("sigmoid_backward", "sigmoid-without-factor", "1 − h for h·(1 − h)",
           "near: torch7 232: https://github.com/torch/torch7/issues/232",
           makes([](float dh, float h) { return dh * (1 - h); })),
        at("sigmoid_backward", "sigmoid-minus-for-times", "h − (1 − h) for h·(1 − h)",
           "near: gonn 8: https://github.com/sausheong/gonn/issues/8",
           makes([](float dh, float h) { return dh * (h - (1 - h)); })),
        at("sigmoid_forward", "sigmoid-with-x-above", "x/(1 + e^−x), which is SiLU",
           "neural-api 21: https://github.com/joaopauloschuler/neural-api/issues/21",
           makes([](float x) { return x * sigmoid(x); })),

        at("silu_backward", "silu-sigma-only", "only σ: the product rule's second term is missing",
           "a common slip; no source found", makes([](float dh, float x) { return dh * sigmoid(x); })),
        at("silu_backward", "silu-result-for-input", "σ + h·σ·(1 − σ): the result where x belongs",
           "a common slip; no source found", makes([](float dh, float x) {
               const float s = sigmoid(x);
               return dh * (s + x * s * s * (1 - s));
           })),
        at("silu_backward", "silu-missing-parentheses", "1 + e + x·e/(1 + e)² for (1 + e + x·e)/(1 + e)², e = e^−x",
           "dfdx 915: https://github.com/chelsea0x3b/dfdx/pull/915", makes([](float dh, float x) {
               const float e = std::exp(-x);
               return dh * (1 + e + x * e / ((1 + e) * (1 + e)));
           })),
        at("silu_backward", "silu-upstream-twice", "dh·dh for dh", "a common slip; no source found",
           changes([](float made, const Element& x) { return made * x(0); })),

        at("softplus_backward", "softplus-sigmoid-of-result", "σ(h), of what the softplus made, for σ(x)",
           "a common slip; no source found",
           [](Network&, Step& step) { return reads_instead(step, 1, without_kind(step.reads[0])); }),
        at("softplus_backward", "softplus-slope-of-sigmoid", "σ·(1 − σ), the derivative of the sigmoid",
           "a common slip; no source found", makes([](float dh, float x) {
               const float s = sigmoid(x);
               return dh * s * (1 - s);
           })),
        at("softplus_forward", "softplus-without-log1p", "ln(1 + e^x) by log, which loses e^x where it is small",
           "a common slip; no source found",
           makes([](float x) { return x > 0 ? x + std::log(1 + std::exp(-x)) : std::log(1 + std::exp(x)); })),

        at("gelu_backward", "gelu-upstream-forgotten", "only the slope, not multiplied by dh",
           "nnabla 690: https://github.com/sony/nnabla/pull/690",
           makes([](float, float x) { return share(x) + x * density(x); })),
        at("gelu_backward", "gelu-density-not-normalised", "e^(−x²/2) without 1/√(2π)",
           "a common slip; no source found",
           makes([](float dh, float x) { return dh * (share(x) + x * std::exp(-0.5F * x * x)); })),
        at("gelu_backward", "gelu-forms-mixed", "the derivative of GELU by tanh",
           "near: cs249r_book 1399: https://github.com/harvard-edge/cs249r_book/pull/1399",
           makes([](float dh, float x) { return dh * gelu_tanh_slope(x, tanh_slope(x), inner_slope(x, 3)); })),
        at("gelu_forward", "gelu-without-root", "erf(x) for erf(x/√2)", "a common slip; no source found",
           makes([](float x) { return 0.5F * x * (1 + std::erf(x)); })),

        at("gelu_tanh_forward", "gelu-coefficients-swapped", "0.044715 and √(2/π) in each other's place",
           "transformers 11514: https://github.com/huggingface/transformers/pull/11514",
           makes([](float x) { return 0.5F * x * (1 + std::tanh(kCubic * (x + kScale * x * x * x))); })),
        at("gelu_tanh_forward", "gelu-square-for-cube", "x² for x³",
           "near: Megatron-DeepSpeed 84: https://github.com/deepspeedai/Megatron-DeepSpeed/issues/84",
           makes([](float x) { return 0.5F * x * (1 + std::tanh(kScale * (x + kCubic * x * x))); })),
        at("gelu_tanh_backward", "gelu-cube-without-three", "1 + 0.044715·x² for 1 + 3·0.044715·x²",
           "a common slip; no source found",
           makes([](float dh, float x) { return dh * gelu_tanh_slope(x, tanh_slope(x), inner_slope(x, 1)); })),
        at("gelu_tanh_backward", "gelu-slope-of-tanh-missing", "no factor 1 − t²", "a common slip; no source found",
           makes([](float dh, float x) { return dh * gelu_tanh_slope(x, 1, inner_slope(x, 3)); })),
    };
}

std::vector<Mistake> activation_data_mistakes() {
    return {
        at("relu_backward", "relu-clipped-gradient", "gradients held within ±1e4", "a common slip; no source found",
           makes_clipped(1e4F)),
        at("leaky_relu_backward", "leaky-zero-is-right", "x ≥ 0 for x > 0: at 0 the whole gradient",
           "playground 19: https://github.com/tensorflow/playground/issues/19",
           when([](const Setting& setting) { return slope(setting) != 1; },
                changes([](float made, const Element& x) { return x(1) == 0 ? x(0) : made; }))),
        at("sigmoid_forward", "sigmoid-overflows", "e^x/(1 + e^x), which is NaN where e^x is infinite",
           "dynet 1525: https://github.com/clab/dynet/issues/1525",
           is_nan_where(0, [](float x) { return x > kExpOverflows; })),
        at("sigmoid_forward", "sigmoid-clamped", "the argument held within ±15: never quite 0",
           "near: cs249r_book 1140: https://github.com/harvard-edge/cs249r_book/pull/1140",
           reads_changed(0, [](float x) { return std::clamp(x, -15.0F, 15.0F); })),
        at("silu_backward", "silu-slope-overflows", "e^−x squared, which is ∞/∞ for large negative x",
           "lalamo 328: https://github.com/trymirai/lalamo/pull/328",
           is_nan_where(1, [](float x) { return x < -kExpOverflows; })),
        at("silu_backward", "silu-zero-by-zero", "σ as h/x, which is 0/0 at 0",
           "candle 2082: https://github.com/huggingface/candle/issues/2082",
           is_nan_where(1, [](float x) { return x == 0; })),
        at("softplus_forward", "softplus-overflows", "ln(1 + e^x), which is infinite where e^x is",
           "a common slip; no source found", makes([](float x) { return std::log1p(std::exp(x)); })),
        at("gelu_backward", "gelu-zero-by-zero", "Φ as h/x, which is 0/0 at 0",
           "Paddle 14857: https://github.com/PaddlePaddle/Paddle/pull/14857",
           is_nan_where(1, [](float x) { return x == 0; })),
        at("gelu_tanh_forward", "gelu-tanh-overflows",
           "tanh as (e^2u − 1)/(e^2u + 1), which is NaN where e^2u is infinite",
           "executorch 22323: https://github.com/pytorch/executorch/issues/22323",
           is_nan_where(0, [](float x) { return 2 * inner(x) > kExpOverflows; })),
        at("gelu_tanh_backward", "gelu-slope-overflows", "0·∞ where e^2u is infinite",
           "near: llm-scaler 484: https://github.com/intel/llm-scaler/pull/484",
           is_nan_where(1, [](float x) { return 2 * inner(x) > kExpOverflows; })),
    };
}

}  // namespace byhand::planting
