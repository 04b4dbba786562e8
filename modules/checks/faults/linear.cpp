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

// The term of this row of the batch in an element of dW: x (n, in) times dy (n, out).
float product(const Element& dW, std::size_t row) {
    return dW.all(0)[row * dW.shape[0] + dW.row()] * dW.all(1)[row * dW.columns + dW.column()];
}

// The layer that runs first; with a bias or without.
Step* first_linear(Network& network) {
    return step_by(network.forward, {"linear_forward", "matmul_forward"});
}

// Whether the number of inputs may be.
bool may_be_odd(const Setting& first) {
    return !flattens_by_parts(first.config) || operations(first.config)[1].joined % 2 != 0;
}

}  // namespace

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a list
std::vector<Mistake> linear_mistakes() {
    return {
        at("linear_forward", "last-column-left-out", "a kernel without its tail: the last unit is never computed",
           "llama.cpp's columns left over: https://github.com/stew675/llama-cpp-rdna-boosts/issues/19",
           is_zero_where([](const Element& x) { return x.column() == x.columns - 1; })),
        at("linear_input_backward", "matmul-not-transposed", "dy·W for dy·Wᵀ: W walked along the wrong stride",
           "pulp-trainlib 3: https://github.com/pulp-platform/pulp-trainlib/issues/3",
           [](Network& net, Step& step) {
               const Step* weights = find_step(net, gradient_of(step.reads[1]));
               if (weights == nullptr) {
                   return false;
               }
               return makes([out = weights->shape[1]](const Element& x) {
                   float sum = 0;
                   for (std::size_t j = 0; j < out; ++j) {
                       sum += x.all(0)[x.row() * out + j] * x.all(1)[j * x.columns + x.column()];
                   }
                   return sum;
               })(net, step);
           }),
        at("linear_weight_backward", "weight-gradient-transposed", "dW laid out (out, in)",
           "Grokking-Deep-Learning 22: https://github.com/iamtrask/Grokking-Deep-Learning/pull/22",
           [](Network&, Step& step) {
               return then(step, [in = step.shape[0], columns = step.shape[1]](float* out, Reads) {
                   const std::vector<float> dW(out, out + in * columns);
                   for (std::size_t i = 0; i < dW.size(); ++i) {
                       out[i % columns * in + i / columns] = dW[i];
                   }
               });
           }),
        at("linear_weight_backward", "last-row-left-out", "the batch's last row left out of dW",
           "AiDotNet.Tensors 402: https://github.com/ooples/AiDotNet.Tensors/pull/402",
           changes([](float made, const Element& x) { return made - product(x, x.rows - 1); })),
        at("linear_weight_backward", "half-precision-sum", "dW's sum kept in bfloat16",
           "mxnet 17703: https://github.com/apache/mxnet/issues/17703", makes([](const Element& x) {
               float sum = 0;
               for (std::size_t row = 0; row < x.rows; ++row) {
                   sum = to_bfloat16(sum + product(x, row));
               }
               return sum;
           })),
        at("linear_weight_backward", "wrong-activations", "dW from the layer's values before tanh",
           "maziarraissi/backprop 1: https://github.com/maziarraissi/backprop/issues/1",
           [](Network& net, Step& step) {
               const Step* tanh = find_step(net, step.reads[0]);
               return tanh != nullptr && tanh->in_float.name == "tanh_forward" &&
                      reads_instead(step, 0, tanh->reads[0]);
           }),
        at("linear_bias_backward", "bias-gradient-not-summed", "db is the last row of dy",
           "mlpack 3679: https://github.com/mlpack/mlpack/pull/3679",
           on_several_rows(makes([](const Element& x) { return x.all(0)[(x.rows - 1) * x.columns + x.i]; }))),
        at("linear_bias_backward", "bias-gradient-first-row", "db is the first row of dy",
           "a common slip; no source found", on_several_rows(makes_first_read)),
        at("linear_bias_backward", "bias-gradient-mean", "the mean for the sum in db",
           "kvfrans/notes 5: https://github.com/kvfrans/notes/issues/5",
           scaled([](const Setting& setting) { return 1 / static_cast<float>(setting.rows); })),
        at("linear_bias_backward", "bias-gradient-one-scalar", "one sum over everything, the same for every bias",
           "stat453 5: https://github.com/rasbt/stat453-deep-learning-ss21/issues/5",
           [](Network&, Step& step) {
               if (step.shape[0] == 1) {
                   return false;
               }
               return then(step, [H = step.shape[0]](float* out, Reads) {
                   std::fill_n(out, H, std::accumulate(out, out + H, 0.0F));
               });
           }),
    };
}

std::vector<Mistake> linear_data_mistakes() {
    return {
        at(first_linear, "inner-tail-of-two", "the inner loop unrolled by two, without its last turn where it is odd",
           "cutlass 3536, the tail of K dropped: https://github.com/NVIDIA/cutlass/issues/3536",
           when(may_be_odd, reads_changed(0,
                                          [](float x, const Element& at) {
                                              const std::size_t in = at.operation.layer.inputs;
                                              return at.i % in < in / 2 * 2 ? x : 0.0F;
                                          }))),
        at(first_linear, "columns-in-fours", "columns past the last whole block of four never written",
           "tilelang 2537, columns left unwritten: https://github.com/tile-ai/tilelang/issues/2537",
           unwritten_where([](const Element& x) { return x.column() >= x.columns / 4 * 4; })),
        at("linear_weight_backward", "rows-in-eights", "rows past the last whole block of eight left out of dW",
           "Azure-Kinect-Sensor-SDK 1177: https://github.com/microsoft/Azure-Kinect-Sensor-SDK/pull/1177",
           rows_left_out(1, [](std::size_t rows) { return rows / 8 * 8; })),
        at("linear_weight_backward", "clipped-at-50", "dW clipped at ±50 on the way",
           "near: min-char-rnn, which clips at ±5 on purpose: https://gist.github.com/karpathy/d4dee566867f8291f086",
           makes_clipped(50.0F)),
        at("linear_bias_backward", "sum-through-half", "a sum above 65504 is infinite in half precision",
           "burn 4109: https://github.com/tracel-ai/burn/issues/4109", makes_through_half),
        at("linear_bias_backward", "rows-beyond-64", "rows from the 65th on left out of db: one block, no loop",
           "EN605.617 14, what is past the block's threads skipped: "
           "https://github.com/JHU-EP-Intro2GPU/EN605.617/pull/14",
           rows_left_out(0, [](std::size_t) -> std::size_t { return 64; })),
        at("linear_input_backward", "small-taken-for-zero", "dy below 1e-9 skipped as if it were 0",
           "a common slip in sparse kernels; no source found",
           reads_changed(0, [](float x) { return std::abs(x) < 1e-9F ? 0.0F : x; })),
    };
}

}  // namespace byhand::planting
