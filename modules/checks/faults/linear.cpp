// Mistakes in the linear layers.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/value.h"
#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

// Σ in bfloat16: every partial sum keeps eight bits.
float to_bfloat16(float value) {
    return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) + 0x8000) & 0xffff0000);
}

// The shape of a weight from the step that makes its gradient: (in, out).
struct Extents {
    std::size_t in, out;
};
Extents extents(const Step& step) {
    return {step.shape[0], step.shape[1]};
}

// The layer that runs first; with a bias or without.
Step* first_linear(Network& network) {
    return step_by(network.forward, {"linear_forward", "matmul_forward"});
}

}  // namespace

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a list
std::vector<Mistake> linear_mistakes() {
    return {
        at("linear_forward", "last-column-left-out", "a kernel without its tail: the last unit is never computed",
           "llama.cpp's columns left over: https://github.com/stew675/llama-cpp-rdna-boosts/issues/19",
           [](Network&, Step& step) {
               return makes_zero_where(step, [H = width(step)](std::size_t i) { return i % H == H - 1; });
           }),
        at("linear_input_backward", "matmul-not-transposed", "dy·W for dy·Wᵀ: W walked along the wrong stride",
           "pulp-trainlib 3: https://github.com/pulp-platform/pulp-trainlib/issues/3",
           [](Network& net, Step& step) {
               const Step* weights = find_step(net, gradient_of(step.reads[1]));
               if (weights == nullptr) {
                   return false;
               }
               return elementwise(step, [e = extents(*weights)](std::size_t i, Reads r) {
                   float sum = 0;
                   for (std::size_t j = 0; j < e.out; ++j) {
                       sum += numbers(r, 0)[i / e.in * e.out + j] * numbers(r, 1)[j * e.in + i % e.in];
                   }
                   return sum;
               });
           }),
        at("linear_weight_backward", "weight-gradient-transposed", "dW laid out (out, in)",
           "Grokking-Deep-Learning 22: https://github.com/iamtrask/Grokking-Deep-Learning/pull/22",
           [](Network&, Step& step) {
               return then(step, [e = extents(step)](float* out, Reads) {
                   const std::vector<float> dW(out, out + e.in * e.out);
                   for (std::size_t i = 0; i < dW.size(); ++i) {
                       out[i % e.out * e.in + i / e.out] = dW[i];
                   }
               });
           }),
        at("linear_weight_backward", "last-row-left-out", "the batch's last row left out of dW",
           "AiDotNet.Tensors 402: https://github.com/ooples/AiDotNet.Tensors/pull/402",
           [](Network& net, Step& step) {
               return makes_changed(
                   step, [last = rows_of(net, step) - 1, e = extents(step)](float made, std::size_t i, Reads r) {
                       return made - numbers(r, 0)[last * e.in + i / e.out] * numbers(r, 1)[last * e.out + i % e.out];
                   });
           }),
        at("linear_weight_backward", "half-precision-sum", "dW's sum kept in bfloat16",
           "mxnet 17703: https://github.com/apache/mxnet/issues/17703",
           [](Network& net, Step& step) {
               return elementwise(step, [n = rows_of(net, step), e = extents(step)](std::size_t i, Reads r) {
                   float sum = 0;
                   for (std::size_t row = 0; row < n; ++row) {
                       sum = to_bfloat16(sum + numbers(r, 0)[row * e.in + i / e.out] *
                                                   numbers(r, 1)[row * e.out + i % e.out]);
                   }
                   return sum;
               });
           }),
        at("linear_weight_backward", "wrong-activations", "dW from the layer's values before tanh",
           "maziarraissi/backprop 1: https://github.com/maziarraissi/backprop/issues/1",
           [](Network& net, Step& step) {
               const Step* tanh = find_step(net, step.reads[0]);
               return tanh != nullptr && tanh->in_float.name == "tanh_forward" &&
                      reads_instead(step, 0, tanh->reads[0]);
           }),
        at("linear_bias_backward", "bias-gradient-not-summed", "db is the last row of dy",
           "mlpack 3679: https://github.com/mlpack/mlpack/pull/3679",
           [](Network& net, Step& step) {
               return rows_of(net, step) > 1 &&
                      elementwise(step, [last = (rows_of(net, step) - 1) * width(step)](std::size_t j, Reads r) {
                          return numbers(r, 0)[last + j];
                      });
           }),
        at("linear_bias_backward", "bias-gradient-first-row", "db is the first row of dy",
           "a common slip; no source found",
           [](Network& net, Step& step) { return rows_of(net, step) > 1 && makes_first_read(step); }),
        at("linear_bias_backward", "bias-gradient-mean", "the mean for the sum in db",
           "kvfrans/notes 5: https://github.com/kvfrans/notes/issues/5",
           [](Network& net, Step& step) { return scaled(step, 1 / static_cast<float>(rows_of(net, step))); }),
        at("linear_bias_backward", "bias-gradient-one-scalar", "one sum over everything, the same for every bias",
           "stat453 5: https://github.com/rasbt/stat453-deep-learning-ss21/issues/5",
           [](Network&, Step& step) {
               return width(step) > 1 && then(step, [H = width(step)](float* out, Reads) {
                          std::fill_n(out, H, std::accumulate(out, out + H, 0.0F));
                      });
           }),
    };
}

std::vector<Mistake> linear_data_mistakes() {
    return {
        at(first_linear, "inner-tail-of-two", "the inner loop unrolled by two, without its last turn where it is odd",
           "cutlass 3536, the tail of K dropped: https://github.com/NVIDIA/cutlass/issues/3536",
           [](Network& net, Step& step) {
               if (flattens_by_parts(net.config) && operations(net.config)[1].joined % 2 == 0) {
                   return false;  // then it never is
               }
               return reads_changed(net, step, 0,
                                    [in = elements_read(net, step, 0) / rows_of(net, step)](float x, std::size_t i) {
                                        return i % in < in / 2 * 2 ? x : 0.0F;
                                    });
           }),
        at(first_linear, "columns-in-fours", "columns past the last whole block of four never written",
           "tilelang 2537, columns left unwritten: https://github.com/tile-ai/tilelang/issues/2537",
           [](Network&, Step& step) {
               const std::size_t out = width(step);
               return unwritten_where(step, [out](std::size_t i) { return i % out >= out / 4 * 4; });
           }),
        at("linear_weight_backward", "rows-in-eights", "rows past the last whole block of eight left out of dW",
           "Azure-Kinect-Sensor-SDK 1177: https://github.com/microsoft/Azure-Kinect-Sensor-SDK/pull/1177",
           [](Network& net, Step& step) { return rows_left_out(net, step, 1, rows_of(net, step) / 8 * 8); }),
        at("linear_weight_backward", "clipped-at-50", "dW clipped at ±50 on the way",
           "near: min-char-rnn, which clips at ±5 on purpose: https://gist.github.com/karpathy/d4dee566867f8291f086",
           [](Network&, Step& step) { return makes_clipped(step, 50.0F); }),
        at("linear_bias_backward", "sum-through-half", "a sum above 65504 is infinite in half precision",
           "burn 4109: https://github.com/tracel-ai/burn/issues/4109",
           [](Network&, Step& step) { return makes_through_half(step); }),
        at("linear_bias_backward", "rows-beyond-64", "rows from the 65th on left out of db: one block, no loop",
           "EN605.617 14, what is past the block's threads skipped: "
           "https://github.com/JHU-EP-Intro2GPU/EN605.617/pull/14",
           [](Network& net, Step& step) { return rows_left_out(net, step, 0, 64); }),
        at("linear_input_backward", "small-taken-for-zero", "dy below 1e-9 skipped as if it were 0",
           "a common slip in sparse kernels; no source found",
           [](Network& net, Step& step) {
               return reads_changed(net, step, 0, [](float x, std::size_t) { return std::abs(x) < 1e-9F ? 0.0F : x; });
           }),
    };
}

}  // namespace byhand::planting
