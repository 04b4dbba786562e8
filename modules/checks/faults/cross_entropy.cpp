// Mistakes in softmax and the loss.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>

#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

// dlogprobs with another class for each row.
Edit other_class(std::size_t (*of)(const std::int64_t* targets, const Element& x)) {
    return makes([of](const Element& x) {
        return x.column() == of(indices(x.reads, 0), x) ? -1 / static_cast<float>(x.rows) : 0.0F;
    });
}

// exp(x) as 2^k·e^r, the power of two put together from its bits without a look at the exponent's range.
float exp_by_bits(float x) {
    constexpr float kLn2 = std::numbers::ln2_v<float>;
    const float k = std::round(x / kLn2);
    const auto exponent = static_cast<std::uint32_t>(static_cast<std::int32_t>(k) + 127);
    return std::bit_cast<float>(exponent << 23) * std::exp(x - k * kLn2);
}

// A row of logits, which dlogits reads.
std::span<const float> logits_of(const Element& x) {
    return {x.all(2) + x.row() * x.columns, x.columns};
}

// dlogits with the maximum's gradient times `share(row, j)` at class j.
Edit maximum_gradient(float (*share)(std::span<const float> row, std::size_t j)) {
    return makes([share](const Element& x) {
        const float part = share(logits_of(x), x.column());
        return part != 0 ? x(0) + part * x.of_row(1) : x(0);
    });
}

}  // namespace

std::vector<Mistake> cross_entropy_mistakes() {
    const char* forks = "cs231n, Optimization 2, gradients add up at forks: http://cs231n.github.io/optimization-2/";
    return {
        at("softmax_sum", "softmax-axis", "the sum over the batch instead of the classes",
           "deeplearning4j 345: https://github.com/deeplearning4j/deeplearning4j/issues/345",
           makes([](const Element& x) {
               const std::size_t V = x.config.vocabulary;
               float sum = 0;
               for (std::size_t row = 0; row < x.batch; ++row) {
                   sum += x.all(0)[row * V + x.i % V];
               }
               return sum;
           })),
        at("negative_log_likelihood_backward", "loss-gradient-missing-1/n", "the mean's 1/n forgotten",
           "swift-apis 42: https://github.com/tensorflow/swift-apis/pull/42",
           scaled([](const Setting& setting) { return static_cast<float>(setting.batch); })),
        at("negative_log_likelihood_backward", "loss-gradient-double-1/n", "divided by n twice",
           "d2l-en 1000: https://github.com/d2l-ai/d2l-en/pull/1000",
           scaled([](const Setting& setting) { return 1 / static_cast<float>(setting.batch); })),
        at("negative_log_likelihood_backward", "loss-gradient-integer-1/n", "-1/n between integers, which is 0",
           "near: tt-metal 54561, an integer division in an embedding's gradient: "
           "https://github.com/tenstorrent/tt-metal/issues/54561",
           on_several_rows(scaled(0))),
        at("negative_log_likelihood_backward", "one-hot-off-by-one", "the target class counted from 1",
           "ResNet-Matconvnet 4: https://github.com/zhanghang1989/ResNet-Matconvnet/issues/4",
           other_class([](const std::int64_t* targets, const Element& x) {
               return static_cast<std::size_t>(targets[x.row()] + 1) % x.columns;
           })),
        at("negative_log_likelihood_backward", "target-shifted", "each row takes the target of the row before it",
           "transformers 47394: https://github.com/huggingface/transformers/issues/47394",
           on_several_rows(other_class([](const std::int64_t* targets, const Element& x) {
               return static_cast<std::size_t>(targets[(x.row() + x.rows - 1) % x.rows]);
           }))),
        at("softmax_log_backward", "log-gradient-wrong-value",
           "divided by the logarithm instead of what it was taken of",
           "fetchai/ledger 1580: https://github.com/fetchai/ledger/pull/1580",
           [](Network& net, Step& step) {
               return find_step(net, "logprobs") != nullptr && reads_instead(step, 1, "logprobs");
           }),
        at("softmax_inverse_of_probs_backward", "counts-gradient-not-summed",
           "= for += in the sum over the classes: only the last class counts", "a common slip; no source found",
           reads_changed(0,
                         [](float x, const Element& at) {
                             return at.i % at.config.vocabulary == at.config.vocabulary - 1 ? x : 0.0F;
                         })),
        at("softmax_inverse_of_probs_backward", "counts-gradient-axis", "the sum over the batch instead of the classes",
           "a common slip; no source found",
           [](Network& net, Step& step) {
               if (net.rows == 1) {
                   return false;
               }
               return instead(step, [n = net.rows, V = net.config.vocabulary](float* out, Reads r) {
                   for (std::size_t j = 0; j < std::min(n, V); ++j) {  // other elements are not written
                       out[j] = 0;
                       for (std::size_t i = 0; i < n; ++i) {
                           out[j] += numbers(r, 0)[i * V + j] * numbers(r, 1)[i * V + j];
                       }
                   }
               });
           }),
        at("softmax_inverse_backward", "sign-dcounts_sum", "1/x differentiated without its minus",
           "near: mxnet 6719: https://github.com/apache/mxnet/pull/6719", scaled(-1)),
        at("softmax_counts_backward", "second-use-of-counts",
           "= for += at the second use of counts: the path through probs is overwritten", forks,
           makes([](const Element& x) { return x.of_row(2); })),
        at("softmax_counts_backward", "counts-sum-path-forgotten", "the path through the sum of the counts left out",
           forks, makes([](const Element& x) { return x(0) * x.of_row(1); })),
        at("softmax_exp_backward", "exp-gradient-without-counts", "dnorm_logits = dcounts",
           "none found for this very step; near: mxnet 1265: https://github.com/apache/mxnet/pull/1265",
           makes_first_read),
        at("softmax_logits_backward", "maximum-gradient-left-out", "dlogits without the path through the maximum",
           "done on purpose in jax 2260: https://github.com/jax-ml/jax/pull/2260", makes_first_read),
        at("softmax_logits_backward", "second-use-of-logits",
           "= for += at the maximum: the path through norm_logits is overwritten there", forks,
           changes([](float made, const Element& x) {
               const std::span row = logits_of(x);
               const auto maximum = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
               return x.column() == maximum ? x.of_row(1) : made;
           })),
        at("softmax_logits_backward", "maximum-gradient-misplaced", "the maximum's gradient goes to the last class",
           "near: dfdx 111: https://github.com/chelsea0x3b/dfdx/issues/111",
           maximum_gradient(
               [](std::span<const float> row, std::size_t j) { return j == row.size() - 1 ? 1.0F : 0.0F; })),
        at("softmax_logits_backward", "clipped-silently", "gradients clipped at ±0.01 on the way",
           "dynet 1511: https://github.com/clab/dynet/pull/1511", makes_clipped(0.01F)),
    };
}

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a table
std::vector<Mistake> cross_entropy_data_mistakes() {
    return {
        at("softmax_max", "maximum-from-zero", "the search for the maximum starts at 0: wrong where all are negative",
           "tinyengine 107, FLT_MIN as the least float: https://github.com/mit-han-lab/tinyengine/issues/107",
           makes_at_least(0.0F)),
        at("softmax_max", "maximum-from-minus-10000", "the search for the maximum starts at -10000",
           "llm.c 67: https://github.com/karpathy/llm.c/pull/67", makes_at_least(-10000.0F)),
        at("softmax_shift", "shifted-logits-clamped", "logits less their maximum clamped at -50 before exp",
           "nd4j 2030, to keep probabilities from 0: https://github.com/deeplearning4j/nd4j/pull/2030",
           makes_at_least(-50.0F)),
        at("softmax_exp", "exponent-wraps", "2^k from its bits, with no check that k fits: wrong below -87.3",
           "tt-metal 34594: https://github.com/tenstorrent/tt-metal/pull/34594",
           changes(
               [](float made, const Element& x) { return x(0) < -87.3F && x(0) > -1e6F ? exp_by_bits(x(0)) : made; })),
        at("softmax_sum", "classes-beyond-a-warp", "classes from the 33rd on left out of the sum",
           "near: rvllm 1, a reduction for one width only: https://github.com/m0at/rvllm/pull/1",
           reads_changed(0, [](float x, const Element& at) { return at.i % at.config.vocabulary < 32 ? x : 0.0F; })),
        at("softmax_inverse", "reciprocal-through-half", "a sum above 65504 is infinite in half precision",
           "burn 4109: https://github.com/tracel-ai/burn/issues/4109", reads_changed(0, through_half)),
        at("softmax_normalise", "probability-floor", "probabilities kept at 1e-7 at least",
           "keras 17634, which does: https://github.com/keras-team/keras/issues/17634", makes_at_least(1e-7F)),
        at("softmax_log", "log-of-clipped", "the logarithm of probabilities clipped at 1e-10",
           "ReinforcementZeroToAll 16: https://github.com/hunkim/ReinforcementZeroToAll/pull/16",
           reads_at_least(0, 1e-10F)),
        at("negative_log_likelihood", "log-clamped-at-minus-100", "logarithms clamped at -100 in the loss",
           "burn 2741, as in PyTorch's binary cross-entropy: https://github.com/tracel-ai/burn/pull/2741",
           reads_at_least(0, -100.0F)),
        at("negative_log_likelihood", "target-in-a-byte", "targets kept in a byte: class 256 becomes class 0",
           "knnlm 6, the same in 16 bits: https://github.com/urvashik/knnlm/issues/6",
           indices_changed(1, [](std::int64_t y) { return y % 256; })),
        at("negative_log_likelihood_backward", "batch-size-in-the-code", "1/32 for 1/n",
           "spectre-defense 3, a batch size for the batch's size: "
           "https://github.com/SewoongLab/spectre-defense/issues/3",
           changes([](float made) { return made == 0 ? made : -1.0F / 32; })),
        at("negative_log_likelihood_backward", "last-class-ignored", "no gradient for rows of the last class",
           "near: torch for R 1476, a class to ignore that is one off: https://github.com/mlverse/torch/pull/1476",
           is_zero_where([](const Element& x) { return x.column() == x.columns - 1; })),
        at("softmax_log_backward", "log-gradient-floor", "divided by probabilities kept at 1e-7 at least",
           "near: OpenWhiz 50, a floor here and none in the forward pass: https://github.com/AITIAL/OpenWhiz/pull/50",
           reads_at_least(1, 1e-7F)),
        at("softmax_exp_backward", "subnormals-flushed", "subnormal results flushed to zero",
           "near: Kinoko 498, flushed on one platform only: https://github.com/vabold/Kinoko/issues/498",
           changes([](float made) { return std::abs(made) < std::numeric_limits<float>::min() ? 0.0F : made; })),
        at("softmax_logits_backward", "maximum-index-from-zero",
           "the search for the maximum starts at 0, so class 0 is taken where all are negative",
           "near: NNlib.jl 43, the maximum of 0 and the row: https://github.com/FluxML/NNlib.jl/pull/43",
           maximum_gradient([](std::span<const float> row, std::size_t j) {
               const auto most = std::ranges::max_element(row);
               const std::size_t at = *most > 0 ? static_cast<std::size_t>(most - row.begin()) : 0;
               return j == at ? 1.0F : 0.0F;
           })),
        at("softmax_logits_backward", "last-of-equal-maxima", "in a tie the gradient goes to the last: >= for >",
           "near: Theano 5404, on the conventions there are: https://github.com/Theano/Theano/issues/5404",
           maximum_gradient([](std::span<const float> row, std::size_t j) {
               const float most = *std::ranges::max_element(row);
               return row[j] == most && std::ranges::count(row.subspan(j + 1), most) == 0 ? 1.0F : 0.0F;
           })),
        at("softmax_logits_backward", "every-equal-maximum", "in a tie each maximum gets the whole gradient",
           "Theano 5248: https://github.com/Theano/Theano/issues/5248",
           maximum_gradient([](std::span<const float> row, std::size_t j) {
               return row[j] == *std::ranges::max_element(row) ? 1.0F : 0.0F;
           })),
        at("softmax_logits_backward", "shared-among-maxima", "in a tie the maxima share the gradient",
           "tensorflow 4886, where one of two does: https://github.com/tensorflow/tensorflow/issues/4886",
           maximum_gradient([](std::span<const float> row, std::size_t j) {
               const float most = *std::ranges::max_element(row);
               return row[j] == most ? 1 / static_cast<float>(std::ranges::count(row, most)) : 0.0F;
           })),
        at("softmax_logits_backward", "nearly-equal-maxima", "what is within 1e-6 of the maximum counts as the maximum",
           "mni-ml/framework 22, within 1e-2: https://github.com/mni-ml/framework/pull/22",
           maximum_gradient([](std::span<const float> row, std::size_t j) {
               const auto most = std::ranges::max_element(row);
               const bool first = static_cast<std::size_t>(most - row.begin()) == j;
               return first || (row[j] != *most && *most - row[j] < 1e-6F) ? 1.0F : 0.0F;
           })),
    };
}

}  // namespace byhand::planting
