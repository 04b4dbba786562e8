// Mistakes in tanh.
#include <algorithm>
#include <cmath>
#include <limits>

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
           [](Network&, Step& step) {
               return elementwise(step, [](std::size_t i, Reads r) {
                   const float twice = std::tanh(numbers(r, 1)[i]);
                   return numbers(r, 0)[i] * (1 - twice * twice);
               });
           }),
        at("tanh_backward", "tanh-without-square", "1 − h for 1 − h²",
           "near: DeepLearning-500-questions 466: "
           "https://github.com/scutan90/DeepLearning-500-questions/issues/466",
           [](Network&, Step& step) {
               return elementwise(step,
                                  [](std::size_t i, Reads r) { return numbers(r, 0)[i] * (1 - numbers(r, 1)[i]); });
           }),
        at("tanh_backward", "upstream-forgotten", "only the slope, not multiplied by dh",
           "numpy_neural_network 6: https://github.com/yizt/numpy_neural_network/issues/6",
           [](Network&, Step& step) {
               return elementwise(step, [](std::size_t i, Reads r) { return 1 - numbers(r, 1)[i] * numbers(r, 1)[i]; });
           }),
    };
}

std::vector<Mistake> tanh_data_mistakes() {
    return {
        at("tanh_forward", "tanh-overflows", "(e^2x - 1)/(e^2x + 1), which is NaN where e^2x is infinite",
           "caffe 1455: https://github.com/BVLC/caffe/pull/1455",
           [](Network&, Step& step) {
               return makes_changed(step, [](float made, std::size_t i, Reads r) {
                   return numbers(r, 0)[i] > 44.36F ? std::numeric_limits<float>::quiet_NaN() : made;
               });
           }),
        at("tanh_forward", "tanh-clamped", "the argument clamped at ±7.5: never quite 1",
           "tract 2715, on purpose: https://github.com/sonos/tract/pull/2715",
           [](Network& net, Step& step) {
               return reads_changed(net, step, 0, [](float x, std::size_t) { return std::clamp(x, -7.5F, 7.5F); });
           }),
        at("tanh_forward", "tanh-of-small-is-zero", "an argument below 1e-6 taken for 0",
           "a common slip; no source found",
           [](Network& net, Step& step) {
               return reads_changed(net, step, 0, [](float x, std::size_t) { return std::abs(x) < 1e-6F ? 0.0F : x; });
           }),
        at("tanh_backward", "slope-floor", "the slope kept at 1e-6 at least, so that no unit dies",
           "a common slip; no source found",
           [](Network&, Step& step) {
               return makes_changed(step, [](float made, std::size_t i, Reads r) {
                   const float h = numbers(r, 1)[i];
                   return 1 - h * h < 1e-6F ? 1e-6F * numbers(r, 0)[i] : made;
               });
           }),
        at("tanh_backward", "saturated-slope-zero", "no slope where |h| is above 0.99999",
           "a common slip; no source found",
           [](Network&, Step& step) {
               return makes_changed(step, [](float made, std::size_t i, Reads r) {
                   return std::abs(numbers(r, 1)[i]) > 0.99999F ? 0.0F : made;
               });
           }),
    };
}

}  // namespace byhand::planting
