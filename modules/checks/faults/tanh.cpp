// Mistakes in tanh.
#include <algorithm>
#include <cmath>

#include "base/value.h"
#include "checks/faults/planting.h"

namespace byhand::planting {

std::vector<Mistake> tanh_mistakes() {
    return {
        at("tanh_backward", "tanh-at-its-input", "1 − x² at what tanh read instead of what it made",
           "neural2d 40: https://github.com/davidrmiller/neural2d/issues/40",
           [](Network&, Step& step) { return reads_instead(step, 1, without_kind(step.makes)); }),
        at("tanh_backward", "tanh-applied-twice", "1 − tanh(h)²: the tanh of what it made",
           "a common slip; no source found",
           makes([](float dh, float h) { return dh * (1 - std::tanh(h) * std::tanh(h)); })),
        at("tanh_backward", "tanh-without-square", "1 − h for 1 − h²",
           "near: DeepLearning-500-questions 466: "
           "https://github.com/scutan90/DeepLearning-500-questions/issues/466",
           makes([](float dh, float h) { return dh * (1 - h); })),
        at("tanh_backward", "upstream-forgotten", "only the slope, not multiplied by dh",
           "numpy_neural_network 6: https://github.com/yizt/numpy_neural_network/issues/6",
           makes([](float, float h) { return 1 - h * h; })),
    };
}

std::vector<Mistake> tanh_data_mistakes() {
    return {
        at("tanh_forward", "tanh-overflows", "(e^2x - 1)/(e^2x + 1), which is NaN where e^2x is infinite",
           "caffe 1455: https://github.com/BVLC/caffe/pull/1455", is_nan_where(0, [](float x) { return x > 44.36F; })),
        at("tanh_forward", "tanh-clamped", "the argument clamped at ±7.5: never quite 1",
           "tract 2715, on purpose: https://github.com/sonos/tract/pull/2715",
           reads_changed(0, [](float x) { return std::clamp(x, -7.5F, 7.5F); })),
        at("tanh_forward", "tanh-of-small-is-zero", "an argument below 1e-6 taken for 0",
           "a common slip; no source found", reads_changed(0, [](float x) { return std::abs(x) < 1e-6F ? 0.0F : x; })),
        at("tanh_backward", "slope-floor", "the slope kept at 1e-6 at least, so that no unit dies",
           "a common slip; no source found",
           changes([](float made, const Element& x) { return 1 - x(1) * x(1) < 1e-6F ? 1e-6F * x(0) : made; })),
        at("tanh_backward", "saturated-slope-zero", "no slope where |h| is above 0.99999",
           "a common slip; no source found", is_zero_where([](const Element& x) { return std::abs(x(1)) > 0.99999F; })),
    };
}

}  // namespace byhand::planting
