// Mistakes in softmax and the loss.
#include "harness/planting.h"

namespace byhand::planting {
namespace {

// Rewires one read.
bool reads_instead(Network& network, Step& step, std::size_t position, const std::string& name) {
    const bool is_there = std::ranges::any_of(all_steps(network), [&](const auto* s) { return s->makes == name; });
    if (is_there) {
        step.reads[position] = name;
    }
    return is_there;
}

}  // namespace

std::vector<Mistake> softmax_mistakes() {
    const char* forks = "cs231n, Optimization 2, gradients add up at forks: http://cs231n.github.io/optimization-2/";
    return {
        at("softmax_sum", "softmax-axis", "the sum over the batch instead of the classes",
           "deeplearning4j 345: https://github.com/deeplearning4j/deeplearning4j/issues/345",
           [](Network& net, Step& step) {
               return instead(step, [n = net.rows, V = net.config.vocabulary](float* out, Reads r) {
                   for (std::size_t i = 0; i < n; ++i) {
                       float sum = 0;
                       for (std::size_t row = 0; row < n; ++row) {
                           sum += numbers(r, 0)[row * V + i % V];
                       }
                       out[i] = sum;
                   }
               });
           }),
        at("negative_log_likelihood_backward", "loss-gradient-missing-1/n", "the mean's 1/n forgotten",
           "swift-apis 42: https://github.com/tensorflow/swift-apis/pull/42",
           [](Network& net, Step& step) { return scaled(step, static_cast<float>(net.rows)); }),
        at("negative_log_likelihood_backward", "loss-gradient-double-1/n", "divided by n twice",
           "d2l-en 1000: https://github.com/d2l-ai/d2l-en/pull/1000",
           [](Network& net, Step& step) { return scaled(step, 1 / static_cast<float>(net.rows)); }),
        at("negative_log_likelihood_backward", "loss-gradient-integer-1/n", "-1/n between integers, which is 0",
           "near: tt-metal 54561, an integer division in an embedding's gradient: "
           "https://github.com/tenstorrent/tt-metal/issues/54561",
           [](Network& net, Step& step) { return net.rows > 1 && scaled(step, 0); }),
        at("negative_log_likelihood_backward", "one-hot-off-by-one", "the answer's class counted from 1",
           "ResNet-Matconvnet 4: https://github.com/zhanghang1989/ResNet-Matconvnet/issues/4",
           [](Network& net, Step& step) {
               return instead(step, [n = net.rows, V = net.config.vocabulary](float* out, Reads r) {
                   std::fill_n(out, n * V, 0.0F);
                   for (std::size_t i = 0; i < n; ++i) {
                       const auto answer = static_cast<std::size_t>(indices(r, 0)[i]);
                       out[i * V + (answer + 1) % V] = -1 / static_cast<float>(n);
                   }
               });
           }),
        at("negative_log_likelihood_backward", "target-shifted", "each row takes the answer of the row before it",
           "transformers 47394: https://github.com/huggingface/transformers/issues/47394",
           [](Network& net, Step& step) {
               if (net.rows < 2) {
                   return false;
               }
               return instead(step, [n = net.rows, V = net.config.vocabulary](float* out, Reads r) {
                   std::fill_n(out, n * V, 0.0F);
                   for (std::size_t i = 0; i < n; ++i) {
                       const std::int64_t answer = indices(r, 0)[(i + n - 1) % n];
                       out[i * V + static_cast<std::size_t>(answer)] = -1 / static_cast<float>(n);
                   }
               });
           }),
        at("softmax_log_backward", "log-gradient-wrong-value",
           "divided by the logarithm instead of what it was taken of",
           "fetchai/ledger 1580: https://github.com/fetchai/ledger/pull/1580",
           [](Network& net, Step& step) { return reads_instead(net, step, 1, "logprobs"); }),
        at("softmax_inverse_backward", "sign-dcounts_sum", "1/x differentiated without its minus",
           "near: mxnet 6719: https://github.com/apache/mxnet/pull/6719",
           [](Network&, Step& step) { return scaled(step, -1); }),
        at("softmax_counts_backward", "second-use-of-counts",
           "= for += at the second use of counts: the path through probs is overwritten", forks,
           [](Network& net, Step& step) {
               return instead(step, [n = net.rows, V = net.config.vocabulary](float* out, Reads r) {
                   for (std::size_t i = 0; i < n * V; ++i) {
                       out[i] = numbers(r, 2)[i / V];
                   }
               });
           }),
        at("softmax_exp_backward", "exp-gradient-without-counts", "dnorm_logits = dcounts",
           "none found for this very step; near: mxnet 1265: https://github.com/apache/mxnet/pull/1265",
           [](Network&, Step& step) {
               return instead(step, [elements = count(step.shape)](float* out, Reads r) {
                   std::copy_n(numbers(r, 0), elements, out);
               });
           }),
        at("softmax_logits_backward", "maximum-gradient-left-out", "dlogits without the path through the maximum",
           "done on purpose in jax 2260: https://github.com/jax-ml/jax/pull/2260",
           [](Network&, Step& step) {
               return instead(step, [elements = count(step.shape)](float* out, Reads r) {
                   std::copy_n(numbers(r, 0), elements, out);
               });
           }),
        at("softmax_logits_backward", "maximum-gradient-misplaced", "the maximum's gradient goes to the last class",
           "near: dfdx 111: https://github.com/chelsea0x3b/dfdx/issues/111",
           [](Network& net, Step& step) {
               return instead(step, [n = net.rows, V = net.config.vocabulary](float* out, Reads r) {
                   std::copy_n(numbers(r, 0), n * V, out);
                   for (std::size_t i = 0; i < n; ++i) {
                       out[i * V + V - 1] += numbers(r, 1)[i];
                   }
               });
           }),
        at("softmax_logits_backward", "clipped-silently", "gradients clipped at ±0.01 on the way",
           "dynet 1511: https://github.com/clab/dynet/pull/1511",
           [](Network&, Step& step) {
               return then(step, [elements = count(step.shape)](float* out, Reads) {
                   std::for_each_n(out, elements, [](float& x) { x = std::clamp(x, -0.01F, 0.01F); });
               });
           }),
    };
}

}  // namespace byhand::planting
