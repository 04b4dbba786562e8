// Mistakes in batch norm, forward and backward.
#include "harness/planting.h"

namespace byhand::planting {
namespace {

// bnvar_inv with another ε or another place for it.
bool other_inverse(Network& network, Step& step, float (*formula)(float variance, float epsilon)) {
    const auto epsilon = static_cast<float>(network.config.norm.epsilon);
    return instead(step, [=, H = width(step)](float* out, Reads r) {
        for (std::size_t j = 0; j < H; ++j) {
            out[j] = formula(numbers(r, 0)[j], epsilon);
        }
    });
}

float inside(float variance, float epsilon) {
    return 1 / std::sqrt(variance + epsilon);
}
float outside(float variance, float epsilon) {
    return 1 / (std::sqrt(variance) + epsilon);
}

// The whole of dbnvar_inv → dbnvar, by `slope`.
bool other_slope(Network& network, Step& step, float (*slope)(float variance, float epsilon)) {
    const auto epsilon = static_cast<float>(network.config.norm.epsilon);
    return instead(step, [=, H = width(step)](float* out, Reads r) {
        for (std::size_t j = 0; j < H; ++j) {
            out[j] = slope(numbers(r, 1)[j], epsilon) * numbers(r, 0)[j];
        }
    });
}

// One row's worth of H columns, for every row: out[i, j] = of(i·H + j, j).
template <class Of>
bool elementwise(Step& step, Of of) {
    return instead(step, [of, elements = count(step.shape), H = width(step)](float* out, Reads r) {
        for (std::size_t at = 0; at < elements; ++at) {
            out[at] = of(r, at, at % H);
        }
    });
}

}  // namespace

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a list
std::vector<Mistake> norm_mistakes() {
    return {
        at("batchnorm_variance", "variance-divisor-forward", "the batch's variance by n for n − 1, or n − 1 for n",
           "PyTorch forum 177382, nn.BatchNorm2d forward pass calculate in training mode: "
           "https://discuss.pytorch.org/t/nn-batchnorm2d-forward-pass-calculate-in-training-mode/177382",
           [](Network& net, Step& step) {
               const Divisor right = net.config.norm.batch_divisor;
               return net.rows > 1 && scaled(step, divisor_of(right, net.rows) / divisor_of(other(right), net.rows));
           }),
        at("batchnorm_square_sum_backward", "variance-divisor-backward",
           "the variance's divisor right in the forward pass, the other one in the backward",
           "tiny-dnn: util/math_functions.h (n − 1) against layers/batch_normalization_layer.h (n): "
           "https://github.com/tiny-dnn/tiny-dnn",
           [](Network& net, Step& step) {
               const Divisor right = net.config.norm.batch_divisor;
               return net.rows > 1 && scaled(step, divisor_of(right, net.rows) / divisor_of(other(right), net.rows));
           }),
        at("batchnorm_mean", "mean-divisor", "the batch's mean by n − 1, like the variance beside it",
           "no source found; tiny-dnn's moments divide one by n, the other by n − 1, side by side",
           [](Network& net, Step& step) {
               const auto n = static_cast<float>(net.rows);
               return net.rows > 1 && scaled(step, n / (n - 1));
           }),
        at("batchnorm_mean", "statistics-axis", "statistics over the features instead of the batch",
           "RubixML 423, Fix Batch Norm: https://github.com/RubixML/ML/pull/423",
           [](Network& net, Step& step) {
               return instead(step, [n = net.rows, H = width(step)](float* out, Reads r) {
                   for (std::size_t j = 0; j < H; ++j) {
                       float sum = 0;
                       for (std::size_t k = 0; k < H; ++k) {
                           sum += numbers(r, 0)[j % n * H + k];
                       }
                       out[j] = sum / static_cast<float>(H);
                   }
               });
           }),
        at("batchnorm_inverse_deviation", "epsilon-outside-root",
           "ε outside the root where it stands inside, or inside", "ncnn 311: https://github.com/Tencent/ncnn/pull/311",
           [](Network& net, Step& step) {
               const bool is_inside = net.config.norm.epsilon_place == EpsilonPlace::inside;
               return net.config.norm.epsilon > 0 && other_inverse(net, step, is_inside ? outside : inside);
           }),
        at("batchnorm_inverse_deviation", "epsilon-left-out", "no ε at all",
           "ncnn 303: https://github.com/Tencent/ncnn/issues/303",
           [](Network& net, Step& step) {
               return net.config.norm.epsilon > 0 &&
                      other_inverse(net, step, [](float variance, float) { return 1 / std::sqrt(variance); });
           }),
        at("batchnorm_inverse_deviation", "normalise-by-variance", "divided by the variance instead of its root",
           "rinuboney/ladder 17: https://github.com/rinuboney/ladder/issues/17",
           [](Network& net, Step& step) {
               return other_inverse(net, step, [](float variance, float epsilon) { return 1 / (variance + epsilon); });
           }),
        at("batchnorm_scale_shift", "gain-bias-exchanged", "γ and β exchanged: they have the same shape",
           "keras 3248: https://github.com/keras-team/keras/pull/3248",
           [](Network&, Step& step) {
               std::swap(step.reads[1], step.reads[2]);
               return true;
           }),
        at("batchnorm_gain_backward", "gain-gradient-from-input", "dγ from the norm's input instead of bnraw",
           "none found for this very tensor; near: https://github.com/tensorflow/tensorflow/issues/14676",
           [](Network& net, Step& step) {
               // The norm's input is what this layer's bndiff reads, and bndiff is what the raw value reads.
               for (const Step* raw : all_steps(net)) {
                   if (raw->makes != step.reads[1]) {
                       continue;
                   }
                   for (const Step* difference : all_steps(net)) {
                       if (difference->makes == raw->reads[0]) {
                           step.reads[1] = difference->reads[0];
                           return true;
                       }
                   }
               }
               return false;
           }),
        at("batchnorm_bias_backward", "sum-skips-first", "dβ summed from the second row on", "no source found",
           [](Network&, Step& step) {
               return then(step, [H = width(step)](float* out, Reads r) {
                   for (std::size_t j = 0; j < H; ++j) {
                       out[j] -= numbers(r, 0)[j];
                   }
               });
           }),
        at("batchnorm_raw_backward", "gain-missing", "dbnraw without γ: invisible while γ is 1",
           "Knet 288: https://github.com/denizyuret/Knet.jl/issues/288",
           [](Network&, Step& step) {
               return elementwise(step, [](Reads r, std::size_t i, std::size_t) { return numbers(r, 0)[i]; });
           }),
        at("batchnorm_variance_backward", "sign-dbnvar", "+½ for −½ in the gradient of the variance",
           "mlpack 1327: https://github.com/mlpack/mlpack/pull/1327",
           [](Network&, Step& step) { return scaled(step, -1); }),
        at("batchnorm_variance_backward", "dbnvar-exponent", "the exponent −½ for −3/2 in the gradient of the variance",
           "FlagGems 5222, a power of the saved inverse: https://github.com/flagos-ai/FlagGems/issues/5222",
           [](Network& net, Step& step) {
               return other_slope(net, step,
                                  [](float variance, float epsilon) { return -0.5F / std::sqrt(variance + epsilon); });
           }),
        at("batchnorm_variance_backward", "dbnvar-without-epsilon", "ε forgotten in the backward pass alone",
           "chainer 4191: https://github.com/chainer/chainer/pull/4191",
           [](Network& net, Step& step) {
               return net.config.norm.epsilon > 0 && other_slope(net, step, [](float variance, float) {
                          return -0.5F / (variance * std::sqrt(variance));
                      });
           }),
        at("batchnorm_difference_backward", "dvar-path-forgotten", "the path through the variance left out",
           "deeplearning4j 8379: https://github.com/deeplearning4j/deeplearning4j/pull/8379",
           [](Network&, Step& step) {
               return elementwise(
                   step, [](Reads r, std::size_t i, std::size_t j) { return numbers(r, 1)[j] * numbers(r, 0)[i]; });
           }),
        at("batchnorm_difference_backward", "second-use-of-bndiff",
           "= for += at the second use of bndiff: the path through bnraw is overwritten",
           "cs231n, Optimization 2, gradients add up at forks: http://cs231n.github.io/optimization-2/",
           [](Network&, Step& step) {
               return elementwise(
                   step, [](Reads r, std::size_t i, std::size_t) { return 2 * numbers(r, 3)[i] * numbers(r, 2)[i]; });
           }),
        at("batchnorm_difference_backward", "square-factor-2", "the 2 of the square's derivative forgotten",
           "near: dlib 1169: https://github.com/davisking/dlib/issues/1169",
           [](Network&, Step& step) {
               return elementwise(step, [](Reads r, std::size_t i, std::size_t j) {
                   return numbers(r, 1)[j] * numbers(r, 0)[i] + numbers(r, 3)[i] * numbers(r, 2)[i];
               });
           }),
        at("batchnorm_mean_backward", "sign-dbnmeani", "the sign of the mean's gradient",
           "micrograd_c 1: https://github.com/KhawajaAbaid/micrograd_c/issues/1",
           [](Network&, Step& step) { return scaled(step, -1); }),
        at("batchnorm_input_backward", "dmean-path-forgotten", "the path through the mean left out",
           "lcn 2: https://github.com/anthonymlortiz/lcn/issues/2",
           [](Network&, Step& step) {
               return elementwise(step, [](Reads r, std::size_t i, std::size_t) { return numbers(r, 0)[i]; });
           }),
        at("batchnorm_input_backward", "dmean-missing-1/n", "the mean's contribution without its 1/n",
           "mlpack 1327: https://github.com/mlpack/mlpack/pull/1327",
           [](Network& net, Step& step) {
               return net.rows > 1 && elementwise(step, [](Reads r, std::size_t i, std::size_t j) {
                          return numbers(r, 0)[i] + numbers(r, 1)[j];
                      });
           }),
        at("batchnorm_input_backward", "second-use-of-hprebn",
           "= for += at the second use of hprebn: the path through bndiff is overwritten",
           "cs231n, Optimization 2, gradients add up at forks: http://cs231n.github.io/optimization-2/",
           [](Network& net, Step& step) {
               return elementwise(step, [n = static_cast<float>(net.rows)](Reads r, std::size_t, std::size_t j) {
                   return numbers(r, 1)[j] / n;
               });
           }),
    };
}

}  // namespace byhand::planting
