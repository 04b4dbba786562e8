// Mistakes that show only on some data, in the layers, the norm, the update and evaluation (see mistakes_data.cpp).
#include <bit>

#include "base/value.h"
#include "harness/planting_data.h"

namespace byhand::planting {
namespace {

// Of the linear layer that runs first; with a bias or without.
Mistake at_linear(std::string name, std::string what, std::string source,
                  const std::function<bool(Network&, Step&)>& edit) {
    return {std::move(name), std::move(what), std::move(source), [edit](Network& network, const Catches&) -> Names {
                for (Step& step : network.forward) {
                    if (step.in_float.name == "linear_forward" || step.in_float.name == "matmul_forward") {
                        return edit(network, step) ? Names{step.makes} : Names{};
                    }
                }
                return {};
            }};
}

// The same of evaluation, by the beginning of the function's name.
Mistake at_evaluation(const std::vector<std::string>& functions, std::string name, std::string what, std::string source,
                      const std::function<bool(Network&, Step&)>& edit) {
    return {std::move(name), std::move(what), std::move(source),
            [functions, edit](Network& network, const Catches&) -> Names {
                for (Step& step : network.evaluation) {
                    if (std::ranges::find(functions, step.in_float.name) != functions.end()) {
                        return edit(network, step) ? Names{step.makes} : Names{};
                    }
                }
                return {};
            }};
}

// The update of the last linear layer's weight.
Mistake at_weight_update(std::string name, std::string what, std::string source,
                         const std::function<bool(Step&)>& edit) {
    return {std::move(name), std::move(what), std::move(source), [edit](Network& network, const Catches&) -> Names {
                const Step* gradient = step_by(network, "linear_weight_backward");
                for (Step& step : network.update) {
                    if (gradient != nullptr && step.makes == update_of(without_kind(gradient->makes))) {
                        return edit(step) ? Names{step.makes} : Names{};
                    }
                }
                return {};
            }};
}

// How many numbers a value has.
std::size_t elements_of(const Network& network, const std::string& name) {
    for (const Step* step : all_steps(network)) {
        if (step->makes == name) {
            return count(step->shape);
        }
    }
    return 0;
}

std::vector<Mistake> linear_data_mistakes() {
    return {
        at_linear("inner-tail-of-two", "the inner loop unrolled by two, without its last turn where it is odd",
                  "cutlass 3536, the tail of K dropped: https://github.com/NVIDIA/cutlass/issues/3536",
                  [](Network& net, Step& step) {
                      const std::size_t elements = elements_of(net, step.reads[0]), in = elements / net.rows;
                      return reads_changed(step, 0, elements,
                                           [in](float x, std::size_t i) { return i % in < in / 2 * 2 ? x : 0.0F; });
                  }),
        at_linear("columns-in-fours", "columns past the last whole block of four never written",
                  "tilelang 2537, columns left unwritten: https://github.com/tile-ai/tilelang/issues/2537",
                  [](Network&, Step& step) {
                      const std::size_t out = width(step);
                      return unwritten_where(step, [out](std::size_t i) { return i % out >= out / 4 * 4; });
                  }),
        at("linear_weight_backward", "rows-in-eights", "rows past the last whole block of eight left out of dW",
           "Azure-Kinect-Sensor-SDK 1177: https://github.com/microsoft/Azure-Kinect-Sensor-SDK/pull/1177",
           [](Network& net, Step& step) { return rows_left_out(step, 1, net.rows, net.rows / 8 * 8); }),
        at("linear_weight_backward", "clipped-at-50", "dW clipped at ±50 on the way",
           "near: min-char-rnn, which clips at ±5 on purpose: https://gist.github.com/karpathy/d4dee566867f8291f086",
           [](Network&, Step& step) { return makes_clipped(step, 50.0F); }),
        at("linear_bias_backward", "sum-through-half", "a sum above 65504 is infinite in half precision",
           "burn 4109: https://github.com/tracel-ai/burn/issues/4109",
           [](Network&, Step& step) { return makes_through_half(step); }),
        at("linear_bias_backward", "rows-beyond-64", "rows from the 65th on left out of db: one block, no loop",
           "EN605.617 14, what is past the block's threads skipped: "
           "https://github.com/JHU-EP-Intro2GPU/EN605.617/pull/14",
           [](Network& net, Step& step) { return rows_left_out(step, 0, net.rows, 64); }),
        at("linear_input_backward", "small-taken-for-zero", "dy below 1e-9 skipped as if it were 0",
           "a common slip in sparse kernels; no source found",
           [](Network& net, Step& step) {
               return reads_changed(step, 0, elements_of(net, step.reads[0]),
                                    [](float x, std::size_t) { return std::abs(x) < 1e-9F ? 0.0F : x; });
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
           [](Network&, Step& step) {
               return reads_changed(step, 0, count(step.shape),
                                    [](float x, std::size_t) { return std::clamp(x, -7.5F, 7.5F); });
           }),
        at("tanh_forward", "tanh-of-small-is-zero", "an argument below 1e-6 taken for 0",
           "a common slip; no source found",
           [](Network&, Step& step) {
               return reads_changed(step, 0, count(step.shape),
                                    [](float x, std::size_t) { return std::abs(x) < 1e-6F ? 0.0F : x; });
           }),
        at("tanh_backward", "slope-floor", "the slope kept at 1e-6 at least, lest a unit die",
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

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a table
std::vector<Mistake> norm_data_mistakes() {
    return {
        at("batchnorm_mean", "mean-in-fours", "rows past the last whole block of four left out of the mean",
           "1bit-MONSTER 301, partial blocks ignored: https://github.com/1bit-MONSTER/1bit-MONSTER/issues/301",
           [](Network& net, Step& step) { return rows_left_out(step, 0, net.rows, net.rows / 4 * 4); }),
        at("batchnorm_mean", "mean-in-fixed-point", "a mean that saturates at ±32768",
           "a common slip in fixed-point kernels; no source found",
           [](Network&, Step& step) { return makes_clipped(step, 32768.0F); }),
        at("batchnorm_difference", "difference-by-tolerance",
           "0 where a number is within 1e-5 of the mean, relative: a large mean hides the variance",
           "near: caffe 3963, a constant channel and its mean: https://github.com/BVLC/caffe/issues/3963",
           [](Network&, Step& step) {
               return makes_changed(step, [H = width(step)](float made, std::size_t i, Reads r) {
                   return std::abs(made) <= 1e-5F * std::abs(numbers(r, 1)[i % H]) ? 0.0F : made;
               });
           }),
        at("batchnorm_square", "square-through-half", "a square above 65504 is infinite in half precision",
           "nntrainer 3935: https://github.com/nntrainer/nntrainer/issues/3935",
           [](Network&, Step& step) { return makes_through_half(step); }),
        at("batchnorm_inverse_deviation", "small-variance-left-alone", "a unit with variance below 1e-6 not scaled",
           "near: Synchronized-BatchNorm-PyTorch 38, max(variance, ε): "
           "https://github.com/vacancy/Synchronized-BatchNorm-PyTorch/issues/38",
           [](Network&, Step& step) {
               return makes_changed(
                   step, [](float made, std::size_t i, Reads r) { return numbers(r, 0)[i] < 1e-6F ? 1.0F : made; });
           }),
        at("batchnorm_normalise", "normalised-clipped", "bnraw clipped at ±10, which 32 rows never reach",
           "near: openai/baselines, vec_normalize.py, clipob: "
           "https://github.com/openai/baselines/blob/master/baselines/common/vec_env/vec_normalize.py",
           [](Network&, Step& step) { return makes_clipped(step, 10.0F); }),
        at("batchnorm_bias_backward", "sum-by-halves", "rows added by halving: right for powers of two",
           "llm.c 439: https://github.com/karpathy/llm.c/pull/439",
           [](Network& net, Step& step) { return rows_left_out(step, 0, net.rows, std::bit_floor(net.rows)); }),
        at("batchnorm_variance_backward", "small-variance-no-gradient", "no gradient for a variance below 1e-6",
           "a common slip; no source found",
           [](Network&, Step& step) {
               return makes_changed(
                   step, [](float made, std::size_t i, Reads r) { return numbers(r, 1)[i] < 1e-6F ? 0.0F : made; });
           }),
        at("batchnorm_square_sum_backward", "divisor-in-the-code", "the variance's divisor of 32 rows, whatever n is",
           "near: swift-models 246, a count of a whole batch: https://github.com/tensorflow/swift-models/pull/246",
           [](Network& net, Step& step) {
               const Divisor divisor = net.config.norm.batch_divisor;
               const float ratio = divisor_of(divisor, net.rows) / divisor_of(divisor, 32);
               return makes_changed(step, [ratio](float x, std::size_t) { return x * ratio; });
           }),
    };
}

std::vector<Mistake> update_data_mistakes() {
    return {
        at_weight_update("small-step-skipped", "a weight not moved where the step is below 1e-8",
                         "near: OLMo 636, gradients of 0 skipped: https://github.com/allenai/OLMo/pull/636",
                         [](Step& step) {
                             return makes_changed(step, [](float made, std::size_t i, Reads r) {
                                 const float change = *numbers(r, 2) * numbers(r, 1)[i];
                                 return std::abs(change) < 1e-8F ? numbers(r, 0)[i] : made;
                             });
                         }),
        at_weight_update("update-in-fours", "weights past the last whole block of four not moved",
                         "Azure-Kinect-Sensor-SDK 1177: https://github.com/microsoft/Azure-Kinect-Sensor-SDK/pull/1177",
                         [](Step& step) {
                             const std::size_t whole = count(step.shape) / 4 * 4;
                             return reads_changed(step, 1, count(step.shape),
                                                  [whole](float d, std::size_t i) { return i < whole ? d : 0.0F; });
                         }),
        at_weight_update("rate-capped", "a learning rate above 1 taken for 1", "a common slip; no source found",
                         [](Step& step) {
                             return reads_changed(step, 2, 1,
                                                  [](float rate, std::size_t) { return std::min(rate, 1.0F); });
                         }),
        at("running_mean_update", "zero-taken-for-unset", "a running mean of 0 replaced by the batch's",
           "near: flax 1360, which asks for it in the first step: https://github.com/google/flax/issues/1360",
           [](Network&, Step& step) {
               return makes_changed(step, [](float made, std::size_t i, Reads r) {
                   return numbers(r, 0)[i] == 0 ? numbers(r, 1)[i] : made;
               });
           }),
        at_evaluation({"batchnorm_evaluate", "batchnorm_evaluate_raw"}, "small-running-variance",
                      "a running variance below 1e-6 taken for 1", "a common slip; no source found",
                      [](Network&, Step& step) {
                          const std::size_t H = width(step);
                          return reads_changed(step, 2, H, [](float x, std::size_t) { return x < 1e-6F ? 1.0F : x; });
                      }),
        at_evaluation({"linear_forward", "matmul_forward"}, "evaluation-rows-in-pairs",
                      "in evaluation rows go in pairs: the last of an odd number is never written",
                      "near: udacity's deep-learning-v2-pytorch 60, the last batch of another size: "
                      "https://github.com/udacity/deep-learning-v2-pytorch/pull/60",
                      [](Network& net, Step& step) {
                          const std::size_t whole = net.rows / 2 * 2 * width(step);
                          return unwritten_where(step, [whole](std::size_t i) { return i >= whole; });
                      }),
    };
}

}  // namespace

std::vector<Mistake> layer_data_mistakes() {
    std::vector<Mistake> all;
    for (auto part : {linear_data_mistakes(), tanh_data_mistakes(), norm_data_mistakes(), update_data_mistakes()}) {
        std::ranges::move(part, std::back_inserter(all));
    }
    return all;
}

}  // namespace byhand::planting
