// One operation of a training step in isolation, timed for each implementation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace byhand {

// n, in and out of each; its inputs and its results:
enum class TimedOperation {
    linear_forward,          // y = x·W + bias              (n, in) → (n, out)
    linear_weight_backward,  // dW = xᵀ·dy                  (n, in), (n, out) → (in, out)
    linear_input_backward,   // dx = dy·Wᵀ                  (n, out) → (n, in)
    norm_forward,            // y = gain·x̂ + bias, and the running statistics; out = in       (n, in) → (n, in)
    norm_backward,           // dx, and the gradients of gain and bias; out = in  (n, in) → (n, in)
    layernorm_forward,       // y = gain·x̂ + bias; out = in  (n, in) → (n, in)
    layernorm_backward,      // as norm_backward
    activation_forward,      // h = f(x)                    (n, in) → (n, in)
    activation_backward,     // dx = f′(x)·dy; out = in     (n, in) → (n, in)
    exp_forward,             // y = exp(x)                  (n, in) → (n, in)
    cross_entropy,           // dx of x as logits, and the loss for the target indices        (n, in) → (n, in)
    embedding_forward,       // y = W[indices]              (in, out) → (n, out)
    embedding_backward,      // dW: each row of dy added to that of its index              (n, out) → (in, out)
    update,                  // W ← W − 0.001·dy; n = in    (in, out) → (in, out)
};

struct OperationShape {
    TimedOperation operation = TimedOperation::linear_forward;
    std::size_t n = 0, in = 0, out = 0;
    bool bias = false;                // linear only
    std::string activation = "tanh";  // activation_forward and _backward only: its op

    bool operator==(const OperationShape&) const = default;
};

// The inputs of the operation.
struct OperationInput {
    OperationShape shape;
    std::vector<float> x;               // (n, in)
    std::vector<float> W;               // (in, out)
    std::vector<float> gain, bias;      // (out)
    std::vector<float> dy;              // (n, out)
    std::vector<std::int64_t> indices;  // (n), each below in
};
inline constexpr float kUpdateRate = 0.001F;
inline constexpr float kNegativeSlope = 0.01F;  // of a leaky_relu

// A prepared operation that can be run repeatedly, on its own memory.
struct PreparedOperation {
    std::function<void()> run;
    std::function<std::vector<float>()> result;  // the result of one run, independent of earlier runs
};

}  // namespace byhand
