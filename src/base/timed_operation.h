// One operation of a training step by itself, to be timed by whoever computes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace byhand {

// n, in and out of each, what it reads of the question, and what it makes:
enum class TimedOperation {
    linear_forward,          // y = x·W + bias              (n, in) → (n, out)
    linear_weight_backward,  // dW = xᵀ·dy                  (n, in), (n, out) → (in, out)
    linear_input_backward,   // dx = dy·Wᵀ                  (n, out) → (n, in)
    norm_forward,            // y = gain·x̂ + bias, and the running statistics; out = in       (n, in) → (n, in)
    norm_backward,           // dx, with those of gain and bias; out = in                  (n, in) → (n, in)
    tanh_forward,            // h = tanh(x)                 (n, in) → (n, in)
    tanh_backward,           // dx = (1 − h²)·dy with h = tanh(x); out = in                (n, in) → (n, in)
    exp_forward,             // y = exp(x)                  (n, in) → (n, in)
    cross_entropy,           // dx of x as logits, and the loss of the right indices       (n, in) → (n, in)
    embedding_forward,       // y = W[indices]              (in, out) → (n, out)
    embedding_backward,      // dW: each row of dy added to that of its index              (n, out) → (in, out)
    update,                  // W ← W − 0.001·dy; n = in    (in, out) → (in, out)
};

struct OperationShape {
    TimedOperation operation = TimedOperation::linear_forward;
    std::size_t n = 0, in = 0, out = 0;
    bool bias = false;  // of a linear

    bool operator==(const OperationShape&) const = default;
};

// What it is given.
struct OperationInput {
    OperationShape shape;
    std::vector<float> x;               // (n, in)
    std::vector<float> W;               // (in, out)
    std::vector<float> gain, bias;      // (out)
    std::vector<float> dy;              // (n, out)
    std::vector<std::int64_t> indices;  // (n), each below in
};
inline constexpr float kUpdateRate = 0.001F;

// One that can be run time and again, on memory of its own.
struct PreparedOperation {
    std::function<void()> run;
    std::function<std::vector<float>()> result;  // what one run makes of the question, however many there were before
};

}  // namespace byhand
