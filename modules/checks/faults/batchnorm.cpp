// Mistakes in batch norm, forward and backward.
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

float epsilon_of(const Setting& setting) {
    return static_cast<float>(setting.operation.norm.epsilon);
}
bool has_epsilon(const Setting& setting) {
    return setting.operation.norm.epsilon > 0;
}

float inside(float variance, float epsilon) {
    return 1 / std::sqrt(variance + epsilon);
}
float outside(float variance, float epsilon) {
    return 1 / (std::sqrt(variance) + epsilon);
}

// The whole of dbnvar_inv → dbnvar, by `slope`.
Edit other_slope(float (*slope)(float variance, float epsilon)) {
    return makes([=](const Element& x) { return slope(x(1), epsilon_of(x)) * x(0); });
}

// The batch's variance, or the gradient through it, by the other divisor.
Edit by_other_divisor() {
    return on_several_rows(scaled(
        [](const Setting& setting) { return to_other_divisor(setting.operation.norm.batch_divisor, setting.rows); }));
}

}  // namespace

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a list
std::vector<Mistake> batchnorm_mistakes() {
    return {
        at("batchnorm_variance", "variance-divisor-forward", "the batch's variance by n for n − 1, or n − 1 for n",
           "PyTorch forum 177382, nn.BatchNorm2d forward pass calculate in training mode: "
           "https://discuss.pytorch.org/t/nn-batchnorm2d-forward-pass-calculate-in-training-mode/177382",
           by_other_divisor()),
        at("batchnorm_square_sum_backward", "variance-divisor-backward",
           "the variance's divisor right in the forward pass, the other one in the backward",
           "tiny-dnn: util/math_functions.h (n − 1) against layers/batch_normalization_layer.h (n): "
           "https://github.com/tiny-dnn/tiny-dnn",
           by_other_divisor()),
        at("batchnorm_mean", "mean-divisor", "the batch's mean by n − 1, like the variance beside it",
           "no source found; tiny-dnn's moments divide one by n, the other by n − 1, side by side",
           on_several_rows(scaled([](const Setting& setting) {
               const auto n = static_cast<float>(setting.rows);
               return n / (n - 1);
           }))),
        at("batchnorm_mean", "statistics-axis", "statistics over the features instead of the batch",
           "RubixML 423, Fix Batch Norm: https://github.com/RubixML/ML/pull/423", makes([](const Element& x) {
               const float* row = x.all(0) + x.i % x.rows * x.columns;
               return std::accumulate(row, row + x.columns, 0.0F) / static_cast<float>(x.columns);
           })),
        at("batchnorm_mean", "mean-without-positions", "the sum over rows and positions divided by the rows alone",
           "a common slip; no source found",
           scaled([](const Setting& setting) { return static_cast<float>(setting.operation.positions); })),
        at("batchnorm_difference", "statistics-per-position", "a mean for each position instead of one for all",
           "the makemore lectures, part 5, 38:50: https://lawwu.github.io/transcripts/transcript_t3YJ5hKiMQ0.html",
           when([](const Setting& setting) { return setting.operation.positions > 1 && setting.batch > 1; },
                makes([](const Element& x) {
                    const std::size_t row = x.operation.positions * x.columns;
                    float sum = 0;  // of this position and unit
                    for (std::size_t i = x.i % row; i < x.elements; i += row) {
                        sum += x.all(0)[i];
                    }
                    return x(0) - sum / static_cast<float>(x.batch);
                }))),
        at("batchnorm_inverse_deviation", "epsilon-outside-root",
           "ε outside the root where it stands inside, or inside", "ncnn 311: https://github.com/Tencent/ncnn/pull/311",
           when(has_epsilon, makes([](const Element& x) {
                    const bool is_inside = x.operation.norm.epsilon_place == EpsilonPlace::inside;
                    return (is_inside ? outside : inside)(x(0), epsilon_of(x));
                }))),
        at("batchnorm_inverse_deviation", "epsilon-left-out", "no ε at all",
           "ncnn 303: https://github.com/Tencent/ncnn/issues/303",
           when(has_epsilon, makes([](float variance) { return 1 / std::sqrt(variance); }))),
        at("batchnorm_inverse_deviation", "normalise-by-variance", "divided by the variance instead of its root",
           "rinuboney/ladder 17: https://github.com/rinuboney/ladder/issues/17",
           makes([](const Element& x) { return 1 / (x(0) + epsilon_of(x)); })),
        at("batchnorm_scale_shift", "gain-bias-exchanged", "γ and β exchanged: they have the same shape",
           "keras 3248: https://github.com/keras-team/keras/pull/3248",
           [](Network&, Step& step) {
               std::swap(step.reads[1], step.reads[2]);
               return true;
           }),
        at("batchnorm_gain_backward", "gain-gradient-from-input",
           "dγ from the norm's input instead of its normalised value",
           "none found for this very tensor; near: https://github.com/tensorflow/tensorflow/issues/14676",
           [](Network& net, Step& step) { return reads_instead(step, 1, operation_of(net, step).input); }),
        at("batchnorm_bias_backward", "sum-skips-first", "dβ summed from the second row on", "no source found",
           changes([](float made, const Element& x) { return made - x(0); })),
        at("batchnorm_raw_backward", "gain-missing",
           "the normalised value's gradient without γ: invisible while γ is 1",
           "Knet 288: https://github.com/denizyuret/Knet.jl/issues/288", makes_first_read),
        at("batchnorm_variance_backward", "sign-dbnvar", "+½ for −½ in the gradient of the variance",
           "mlpack 1327: https://github.com/mlpack/mlpack/pull/1327", scaled(-1)),
        at("batchnorm_variance_backward", "dbnvar-exponent", "the exponent −½ for −3/2 in the gradient of the variance",
           "FlagGems 5222, a power of the saved inverse: https://github.com/flagos-ai/FlagGems/issues/5222",
           other_slope([](float variance, float epsilon) { return -0.5F / std::sqrt(variance + epsilon); })),
        at("batchnorm_variance_backward", "dbnvar-integer-exponent", "the exponent -3/2 between integers, which is -1",
           "a common slip; no source found",
           other_slope([](float variance, float epsilon) { return -0.5F / (variance + epsilon); })),
        at("batchnorm_variance_backward", "dbnvar-without-epsilon", "ε forgotten in the backward pass alone",
           "chainer 4191: https://github.com/chainer/chainer/pull/4191",
           when(has_epsilon,
                other_slope([](float variance, float) { return -0.5F / (variance * std::sqrt(variance)); }))),
        at("batchnorm_difference_backward", "dvar-path-forgotten", "the path through the variance left out",
           "deeplearning4j 8379: https://github.com/deeplearning4j/deeplearning4j/pull/8379",
           makes([](const Element& x) { return x.of_column(1) * x(0); })),
        // After dvar-path-forgotten, which is commoner and changes the parameters' gradients in the same way.
        at("batchnorm_variance_backward", "dbnvar-integer-half", "-1/2 between integers, which is 0",
           "a common slip; no source found", scaled(0)),
        at("batchnorm_difference_backward", "second-use-of-bndiff",
           "= for += at the second use of bndiff: the path through bnraw is overwritten",
           "cs231n, Optimization 2, gradients add up at forks: http://cs231n.github.io/optimization-2/",
           makes([](const Element& x) { return 2 * x(3) * x(2); })),
        at("batchnorm_difference_backward", "square-factor-2", "the 2 of the square's derivative forgotten",
           "near: dlib 1169: https://github.com/davisking/dlib/issues/1169",
           makes([](const Element& x) { return x.of_column(1) * x(0) + x(3) * x(2); })),
        at("batchnorm_mean_backward", "sign-dbnmeani", "the sign of the mean's gradient",
           "micrograd_c 1: https://github.com/KhawajaAbaid/micrograd_c/issues/1", scaled(-1)),
        at("batchnorm_input_backward", "dmean-path-forgotten", "the path through the mean left out",
           "lcn 2: https://github.com/anthonymlortiz/lcn/issues/2", makes_first_read),
        at("batchnorm_input_backward", "dmean-missing-1/n", "the mean's contribution without its 1/n",
           "mlpack 1327: https://github.com/mlpack/mlpack/pull/1327",
           on_several_rows(makes([](const Element& x) { return x(0) + x.of_column(1); }))),
        at("batchnorm_input_backward", "second-use-of-hprebn",
           "= for += at the second use of hprebn: the path through bndiff is overwritten",
           "cs231n, Optimization 2, gradients add up at forks: http://cs231n.github.io/optimization-2/",
           makes([](const Element& x) { return x.of_column(1) / static_cast<float>(x.rows); })),
    };
}

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a table
std::vector<Mistake> batchnorm_data_mistakes() {
    return {
        at("batchnorm_mean", "mean-in-fours", "rows past the last whole block of four left out of the mean",
           "1bit-MONSTER 301, partial blocks ignored: https://github.com/1bit-MONSTER/1bit-MONSTER/issues/301",
           when([](const Setting& setting) { return setting.operation.positions % 4 != 0; },
                rows_left_out(0, [](std::size_t rows) { return rows / 4 * 4; }))),
        at("batchnorm_mean", "mean-in-fixed-point", "a mean that saturates at ±32768",
           "a common slip in fixed-point kernels; no source found", makes_clipped(32768.0F)),
        at("batchnorm_difference", "difference-by-tolerance",
           "0 where a number is within 1e-5 of the mean, relative: a large mean hides the variance",
           "near: caffe 3963, a constant channel and its mean: https://github.com/BVLC/caffe/issues/3963",
           changes([](float made, const Element& x) {
               return std::abs(made) <= 1e-5F * std::abs(x.of_column(1)) ? 0.0F : made;
           })),
        at("batchnorm_square", "square-through-half", "a square above 65504 is infinite in half precision",
           "nntrainer 3935: https://github.com/nntrainer/nntrainer/issues/3935", makes_through_half),
        at("batchnorm_inverse_deviation", "small-variance-left-alone", "a unit with variance below 1e-6 not scaled",
           "near: Synchronized-BatchNorm-PyTorch 38, max(variance, ε): "
           "https://github.com/vacancy/Synchronized-BatchNorm-PyTorch/issues/38",
           changes([](float made, const Element& x) { return x(0) < 1e-6F ? 1.0F : made; })),
        at("batchnorm_normalise", "normalised-clipped", "bnraw clipped at ±10, which 32 rows never reach",
           "near: openai/baselines, vec_normalize.py, clipob: "
           "https://github.com/openai/baselines/blob/master/baselines/common/vec_env/vec_normalize.py",
           makes_clipped(10.0F)),
        at("batchnorm_bias_backward", "sum-by-halves", "rows added by halving: right for powers of two",
           "llm.c 439: https://github.com/karpathy/llm.c/pull/439",
           rows_left_out(0, [](std::size_t rows) { return std::bit_floor(rows); })),
        at("batchnorm_variance_backward", "small-variance-no-gradient", "no gradient for a variance below 1e-6",
           "a common slip; no source found", is_zero_where([](const Element& x) { return x(1) < 1e-6F; })),
        at("batchnorm_square_sum_backward", "divisor-in-the-code", "the variance's divisor of 32 rows, whatever n is",
           "near: swift-models 246, a count of a whole batch: https://github.com/tensorflow/swift-models/pull/246",
           changes([](float made, const Element& x) {
               const Divisor divisor = x.operation.norm.batch_divisor;
               return made * (divisor_of(divisor, x.rows) / divisor_of(divisor, 32));
           })),
    };
}

}  // namespace byhand::planting
