// Mistakes that show only on some data, in softmax, the loss and the embedding: at ties, on rows that are all negative,
// where numbers saturate, overflow or vanish, for one class, or at sizes that are no multiple of a block.
//
// The recipes hide them: 32 rows are a whole number of eights and a power of two, all widths are even, 27 classes fit a
// warp and a byte, and the values of a batch are moderate. Of the 50 here and in mistakes_data_layers.cpp, planted 594
// times by `byhand mistakes --score`, a batch and one random draw catch 46 without the battery: the three of the last
// class or character each time, two others at times.
#include <bit>
#include <limits>
#include <numbers>

#include "harness/planting.h"
#include "harness/planting_data.h"

namespace byhand::planting {
namespace {

// exp(x) as 2^k·e^r, the power of two put together from its bits without a look at the exponent's range.
float exp_by_bits(float x) {
    constexpr float kLn2 = std::numbers::ln2_v<float>;
    const float k = std::round(x / kLn2);
    const auto exponent = static_cast<std::uint32_t>(static_cast<std::int32_t>(k) + 127);
    return std::bit_cast<float>(exponent << 23) * std::exp(x - k * kLn2);
}

// dlogits with the maximum's gradient times `share(row, j)` at class j.
bool maximum_gradient(Network& net, Step& step, float (*share)(std::span<const float> row, std::size_t j)) {
    return instead(step, [=, n = net.rows, V = net.config.vocabulary](float* out, Reads r) {
        std::copy_n(numbers(r, 0), n * V, out);
        for (std::size_t i = 0; i < n; ++i) {
            const std::span row(numbers(r, 2) + i * V, V);
            for (std::size_t j = 0; j < V; ++j) {
                if (const float part = share(row, j); part != 0) {
                    out[i * V + j] += part * numbers(r, 1)[i];
                }
            }
        }
    });
}

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a table
std::vector<Mistake> softmax_data_mistakes() {
    return {
        at("softmax_max", "maximum-from-zero", "the search for the maximum starts at 0: wrong where all are negative",
           "tinyengine 107, FLT_MIN as the least float: https://github.com/mit-han-lab/tinyengine/issues/107",
           [](Network&, Step& step) { return makes_at_least(step, 0.0F); }),
        at("softmax_max", "maximum-from-minus-10000", "the search for the maximum starts at -10000",
           "llm.c 67: https://github.com/karpathy/llm.c/pull/67",
           [](Network&, Step& step) { return makes_at_least(step, -10000.0F); }),
        at("softmax_shift", "shifted-logits-clamped", "logits less their maximum clamped at -50 before exp",
           "nd4j 2030, to keep probabilities from 0: https://github.com/deeplearning4j/nd4j/pull/2030",
           [](Network&, Step& step) { return makes_at_least(step, -50.0F); }),
        at("softmax_exp", "exponent-wraps", "2^k from its bits, with no check that k fits: wrong below -87.3",
           "tt-metal 34594: https://github.com/tenstorrent/tt-metal/pull/34594",
           [](Network&, Step& step) {
               return makes_changed(step, [](float made, std::size_t i, Reads r) {
                   const float x = numbers(r, 0)[i];
                   return x < -87.3F && x > -1e6F ? exp_by_bits(x) : made;
               });
           }),
        at("softmax_sum", "classes-beyond-a-warp", "classes from the 33rd on left out of the sum",
           "near: rvllm 1, a reduction for one width only: https://github.com/m0at/rvllm/pull/1",
           [](Network& net, Step& step) {
               const std::size_t V = net.config.vocabulary;
               return reads_changed(step, 0, net.rows * V,
                                    [V](float x, std::size_t i) { return i % V < 32 ? x : 0.0F; });
           }),
        at("softmax_inverse", "reciprocal-through-half", "a sum above 65504 is infinite in half precision",
           "burn 4109: https://github.com/tracel-ai/burn/issues/4109",
           [](Network&, Step& step) {
               return reads_changed(step, 0, count(step.shape), [](float x, std::size_t) { return through_half(x); });
           }),
        at("softmax_normalise", "probability-floor", "probabilities kept at 1e-7 at least",
           "keras 17634, which does: https://github.com/keras-team/keras/issues/17634",
           [](Network&, Step& step) { return makes_at_least(step, 1e-7F); }),
        at("softmax_log", "log-of-clipped", "the logarithm of probabilities clipped at 1e-10",
           "ReinforcementZeroToAll 16: https://github.com/hunkim/ReinforcementZeroToAll/pull/16",
           [](Network&, Step& step) { return reads_at_least(step, 0, count(step.shape), 1e-10F); }),
        at("negative_log_likelihood", "log-clamped-at-minus-100", "logarithms clamped at -100 in the loss",
           "burn 2741, as in PyTorch's binary cross-entropy: https://github.com/tracel-ai/burn/pull/2741",
           [](Network& net, Step& step) { return reads_at_least(step, 0, net.rows * net.config.vocabulary, -100.0F); }),
        at("negative_log_likelihood", "target-in-a-byte", "targets kept in a byte: class 256 becomes class 0",
           "knnlm 6, the same in 16 bits: https://github.com/urvashik/knnlm/issues/6",
           [](Network& net, Step& step) {
               return indices_changed(step, 1, net.rows, [](std::int64_t y) { return y % 256; });
           }),
        at("negative_log_likelihood_backward", "batch-size-in-the-code", "1/32 for 1/n",
           "spectre-defense 3, a batch size for the batch's size: "
           "https://github.com/SewoongLab/spectre-defense/issues/3",
           [](Network&, Step& step) {
               return makes_changed(step, [](float x, std::size_t) { return x == 0 ? x : -1.0F / 32; });
           }),
        at("negative_log_likelihood_backward", "last-class-ignored", "no gradient for rows of the last class",
           "near: torch for R 1476, a class to ignore that is one off: https://github.com/mlverse/torch/pull/1476",
           [](Network& net, Step& step) {
               return then(step, [n = net.rows, V = net.config.vocabulary](float* out, Reads) {
                   for (std::size_t i = 0; i < n; ++i) {
                       out[i * V + V - 1] = 0;
                   }
               });
           }),
        at("softmax_log_backward", "log-gradient-floor", "divided by probabilities kept at 1e-7 at least",
           "near: OpenWhiz 50, a floor here and none in the forward pass: https://github.com/AITIAL/OpenWhiz/pull/50",
           [](Network&, Step& step) { return reads_at_least(step, 1, count(step.shape), 1e-7F); }),
        at("softmax_exp_backward", "subnormals-flushed", "subnormal results flushed to zero",
           "near: Kinoko 498, flushed on one platform only: https://github.com/vabold/Kinoko/issues/498",
           [](Network&, Step& step) {
               return makes_changed(step, [](float x, std::size_t) {
                   return std::abs(x) < std::numeric_limits<float>::min() ? 0.0F : x;
               });
           }),
        at("softmax_logits_backward", "maximum-index-from-zero",
           "the search for the maximum starts at 0, so class 0 is taken where all are negative",
           "near: NNlib.jl 43, the maximum of 0 and the row: https://github.com/FluxML/NNlib.jl/pull/43",
           [](Network& net, Step& step) {
               return maximum_gradient(net, step, [](std::span<const float> row, std::size_t j) {
                   const auto most = std::ranges::max_element(row);
                   const std::size_t at = *most > 0 ? static_cast<std::size_t>(most - row.begin()) : 0;
                   return j == at ? 1.0F : 0.0F;
               });
           }),
        at("softmax_logits_backward", "last-of-equal-maxima", "in a tie the gradient goes to the last: >= for >",
           "near: Theano 5404, on the conventions there are: https://github.com/Theano/Theano/issues/5404",
           [](Network& net, Step& step) {
               return maximum_gradient(net, step, [](std::span<const float> row, std::size_t j) {
                   const float most = *std::ranges::max_element(row);
                   return row[j] == most && std::ranges::count(row.subspan(j + 1), most) == 0 ? 1.0F : 0.0F;
               });
           }),
        at("softmax_logits_backward", "every-equal-maximum", "in a tie each maximum gets the whole gradient",
           "Theano 5248: https://github.com/Theano/Theano/issues/5248",
           [](Network& net, Step& step) {
               return maximum_gradient(net, step, [](std::span<const float> row, std::size_t j) {
                   return row[j] == *std::ranges::max_element(row) ? 1.0F : 0.0F;
               });
           }),
        at("softmax_logits_backward", "shared-among-maxima", "in a tie the maxima share the gradient",
           "tensorflow 4886, where one of two does: https://github.com/tensorflow/tensorflow/issues/4886",
           [](Network& net, Step& step) {
               return maximum_gradient(net, step, [](std::span<const float> row, std::size_t j) {
                   const float most = *std::ranges::max_element(row);
                   return row[j] == most ? 1 / static_cast<float>(std::ranges::count(row, most)) : 0.0F;
               });
           }),
        at("softmax_logits_backward", "nearly-equal-maxima", "what is within 1e-6 of the maximum counts as the maximum",
           "mni-ml/framework 22, within 1e-2: https://github.com/mni-ml/framework/pull/22",
           [](Network& net, Step& step) {
               return maximum_gradient(net, step, [](std::span<const float> row, std::size_t j) {
                   const auto most = std::ranges::max_element(row);
                   const bool first = static_cast<std::size_t>(most - row.begin()) == j;
                   return first || (row[j] != *most && *most - row[j] < 1e-6F) ? 1.0F : 0.0F;
               });
           }),
    };
}

std::vector<Mistake> embedding_data_mistakes() {
    return {
        at("embedding_forward", "character-in-a-byte", "characters kept in a byte: character 256 becomes character 0",
           "near: HighPerfLLMs2024 7: https://github.com/rwitten/HighPerfLLMs2024/issues/7",
           [](Network& net, Step& step) {
               return indices_changed(step, 1, net.rows * net.config.context, [](std::int64_t x) { return x % 256; });
           }),
        at("embedding_backward", "characters-modulo-26", "dC's row by the letter's place among 26, where there are 27",
           "a common slip; no source found",
           [](Network& net, Step& step) {
               return indices_changed(step, 1, net.rows * net.config.context, [](std::int64_t x) { return x % 26; });
           }),
        at("embedding_backward", "last-character-left-out", "the last character's row of dC left at zero",
           "near: TuckER 17, a row taken for padding: https://github.com/ibalazevic/TuckER/issues/17",
           [](Network& net, Step& step) {
               const std::size_t E = width(step), last = net.config.vocabulary - 1;
               return makes_changed(step, [=](float x, std::size_t i) { return i / E == last ? 0.0F : x; });
           }),
        at("embedding_backward", "places-beyond-256", "places in the batch from the 257th on never added to dC",
           "near: pyg-lib 718, rows beyond the grid dropped: https://github.com/pyg-team/pyg-lib/pull/718",
           [](Network& net, Step& step) { return rows_left_out(step, 0, net.rows * net.config.context, 256); }),
    };
}

}  // namespace

std::vector<Mistake> data_mistakes() {
    std::vector<Mistake> all = softmax_data_mistakes();
    std::ranges::move(embedding_data_mistakes(), std::back_inserter(all));
    return all;
}

}  // namespace byhand::planting
