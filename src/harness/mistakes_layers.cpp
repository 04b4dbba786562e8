// Mistakes in the embedding, the linear layers and tanh.
#include "base/value.h"
#include "harness/planting.h"

namespace byhand::planting {
namespace {

// Σ in bfloat16: every partial sum keeps eight bits.
float to_bfloat16(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0x8000) & 0xffff0000;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

// The shape of a weight from the step that makes its gradient: (in, out).
struct Extents {
    std::size_t in, out;
};
Extents extents(const Step& step) {
    return {step.shape[0], step.shape[1]};
}

}  // namespace

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a list
std::vector<Mistake> layer_mistakes() {
    return {
        at("embedding_backward", "embedding-overwritten", "= for += in dC: only a character's last place counts",
           "pytorch 1528: https://github.com/pytorch/pytorch/issues/1528",
           [](Network& net, Step& step) {
               return instead(step, [n = net.rows * net.config.context, E = width(step), elements = count(step.shape)](
                                        float* out, Reads r) {
                   std::fill_n(out, elements, 0.0F);
                   for (std::size_t i = 0; i < n; ++i) {
                       std::copy_n(numbers(r, 0) + i * E, E, out + indices(r, 1)[i] * static_cast<std::int64_t>(E));
                   }
               });
           }),
        at("embedding_backward", "embedding-wrong-index", "dC's row by the place in the batch, not by the character",
           "near: eshkol 392: https://github.com/tsotchke/eshkol/pull/392",
           [](Network& net, Step& step) {
               return instead(step, [n = net.rows * net.config.context, E = width(step), V = net.config.vocabulary](
                                        float* out, Reads r) {
                   std::fill_n(out, V * E, 0.0F);
                   for (std::size_t i = 0; i < n * E; ++i) {
                       out[i / E % V * E + i % E] += numbers(r, 0)[i];
                   }
               });
           }),
        at("embedding_backward", "embedding-padding-row", "row 0 taken for padding and left at zero",
           "TuckER 17: https://github.com/ibalazevic/TuckER/issues/17",
           [](Network&, Step& step) {
               return then(step, [E = width(step)](float* out, Reads) { std::fill_n(out, E, 0.0F); });
           }),
        at("embedding_backward", "embedding-last-rows-unwritten",
           "rows past the last whole block of four never written",
           "tt-metal 54561: https://github.com/tenstorrent/tt-metal/issues/54561",
           [](Network& net, Step& step) {
               const std::size_t V = net.config.vocabulary, E = width(step), whole = V / 4 * 4;
               const auto in_blocks = [right = step.in_float.run, V, E, whole](float* out, Reads r) {
                   std::vector<float> all(V * E);
                   right(all.data(), r);
                   std::copy_n(all.data(), whole * E, out);
               };
               return whole < V && instead(step, in_blocks);
           }),
        at("linear_forward", "last-column-left-out", "a kernel without its tail: the last unit is never computed",
           "llama.cpp's columns left over: https://github.com/stew675/llama-cpp-rdna-boosts/issues/19",
           [](Network& net, Step& step) {
               return then(step, [n = net.rows, H = width(step)](float* out, Reads) {
                   for (std::size_t i = 0; i < n; ++i) {
                       out[i * H + H - 1] = 0;
                   }
               });
           }),
        at("linear_input_backward", "matmul-not-transposed", "dy·W for dy·Wᵀ: W walked along the wrong stride",
           "pulp-trainlib 3: https://github.com/pulp-platform/pulp-trainlib/issues/3",
           [](Network& net, Step& step) {
               const Step* weights = nullptr;
               for (const Step* other : all_steps(net)) {
                   weights = other->makes == gradient_of(step.reads[1]) ? other : weights;
               }
               if (weights == nullptr) {
                   return false;
               }
               return instead(step, [n = net.rows, e = extents(*weights)](float* out, Reads r) {
                   for (std::size_t i = 0; i < n; ++i) {
                       for (std::size_t k = 0; k < e.in; ++k) {
                           float sum = 0;
                           for (std::size_t j = 0; j < e.out; ++j) {
                               sum += numbers(r, 0)[i * e.out + j] * numbers(r, 1)[j * e.in + k];
                           }
                           out[i * e.in + k] = sum;
                       }
                   }
               });
           }),
        at("linear_weight_backward", "weight-gradient-transposed", "dW laid out (out, in)",
           "Grokking-Deep-Learning 22: https://github.com/iamtrask/Grokking-Deep-Learning/pull/22",
           [](Network&, Step& step) {
               return instead(step, [right = step.in_float.run, e = extents(step)](float* out, Reads r) {
                   std::vector<float> dW(e.in * e.out);
                   right(dW.data(), r);
                   for (std::size_t k = 0; k < e.in; ++k) {
                       for (std::size_t j = 0; j < e.out; ++j) {
                           out[j * e.in + k] = dW[k * e.out + j];
                       }
                   }
               });
           }),
        at("linear_weight_backward", "last-row-left-out", "the batch's last row left out of dW",
           "AiDotNet.Tensors 402: https://github.com/ooples/AiDotNet.Tensors/pull/402",
           [](Network& net, Step& step) {
               return then(step, [last = net.rows - 1, e = extents(step)](float* out, Reads r) {
                   for (std::size_t i = 0; i < e.in * e.out; ++i) {
                       out[i] -= numbers(r, 0)[last * e.in + i / e.out] * numbers(r, 1)[last * e.out + i % e.out];
                   }
               });
           }),
        at("linear_weight_backward", "half-precision-sum", "dW's sum kept in bfloat16",
           "mxnet 17703: https://github.com/apache/mxnet/issues/17703",
           [](Network& net, Step& step) {
               return instead(step, [n = net.rows, e = extents(step)](float* out, Reads r) {
                   for (std::size_t at = 0; at < e.in * e.out; ++at) {
                       float sum = 0;
                       for (std::size_t i = 0; i < n; ++i) {
                           sum = to_bfloat16(sum + numbers(r, 0)[i * e.in + at / e.out] *
                                                       numbers(r, 1)[i * e.out + at % e.out]);
                       }
                       out[at] = sum;
                   }
               });
           }),
        at("linear_weight_backward", "wrong-activations", "dW from the layer's values before tanh",
           "maziarraissi/backprop 1: https://github.com/maziarraissi/backprop/issues/1",
           [](Network& net, Step& step) {
               for (const Step* tanh : all_steps(net)) {
                   if (tanh->makes == step.reads[0] && tanh->in_float.name == "tanh_forward") {
                       step.reads[0] = tanh->reads[0];
                       return true;
                   }
               }
               return false;
           }),
        at("linear_bias_backward", "bias-gradient-not-summed", "db is the last row of dy",
           "mlpack 3679: https://github.com/mlpack/mlpack/pull/3679",
           [](Network& net, Step& step) {
               return net.rows > 1 && instead(step, [n = net.rows, H = width(step)](float* out, Reads r) {
                          std::copy_n(numbers(r, 0) + (n - 1) * H, H, out);
                      });
           }),
        at("linear_bias_backward", "bias-gradient-mean", "the mean for the sum in db",
           "kvfrans/notes 5: https://github.com/kvfrans/notes/issues/5",
           [](Network& net, Step& step) { return scaled(step, 1 / static_cast<float>(net.rows)); }),
        at("linear_bias_backward", "bias-gradient-one-scalar", "one sum over everything, the same for every bias",
           "stat453 5: https://github.com/rasbt/stat453-deep-learning-ss21/issues/5",
           [](Network&, Step& step) {
               return width(step) > 1 && then(step, [H = width(step)](float* out, Reads) {
                          float sum = 0;
                          std::for_each_n(out, H, [&sum](float x) { sum += x; });
                          std::fill_n(out, H, sum);
                      });
           }),
        at("tanh_backward", "tanh-at-its-input", "1 − x² at what tanh read instead of what it made",
           "neural2d 40: https://github.com/davidrmiller/neural2d/issues/40",
           [](Network&, Step& step) {
               step.reads[1] = without_kind(step.makes);
               return true;
           }),
        at("tanh_backward", "tanh-without-square", "1 − h for 1 − h²",
           "near: DeepLearning-500-questions 466: "
           "https://github.com/scutan90/DeepLearning-500-questions/issues/466",
           [](Network&, Step& step) {
               return instead(step, [elements = count(step.shape)](float* out, Reads r) {
                   for (std::size_t i = 0; i < elements; ++i) {
                       out[i] = numbers(r, 0)[i] * (1 - numbers(r, 1)[i]);
                   }
               });
           }),
        at("tanh_backward", "upstream-forgotten", "the slope alone: not multiplied by dh",
           "numpy_neural_network 6: https://github.com/yizt/numpy_neural_network/issues/6",
           [](Network&, Step& step) {
               return instead(step, [elements = count(step.shape)](float* out, Reads r) {
                   for (std::size_t i = 0; i < elements; ++i) {
                       out[i] = 1 - numbers(r, 1)[i] * numbers(r, 1)[i];
                   }
               });
           }),
    };
}

}  // namespace byhand::planting
