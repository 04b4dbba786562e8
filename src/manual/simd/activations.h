// The activations of the fused step, in float, for the widest vectors that the CPU has (chosen at run time). All arrays
// begin on a cache line, and what lies between `count` and the end of the last one is read and written too.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace byhand::simd {

enum class Activation { tanh, sigmoid, relu, leaky_relu, gelu, gelu_tanh, silu };

// By its op; none where that is another operation's.
std::optional<Activation> activation_of(const std::string& op);

// Whether its backward reads its input; else its result.
bool is_backward_by_input(Activation f);

// h = f(x); h may be x itself. a is the slope of a leaky_relu for x < 0.
// Twins: tanh_forward, sigmoid_forward, relu_forward, leaky_relu_forward, gelu_forward, gelu_tanh_forward,
// silu_forward.
void activation_forward(float* h, const float* x, std::size_t count, Activation f, float a);

// dx = dh·f′, of the input or the result in `read`; dx may be dh itself.
// Twins: tanh_backward, sigmoid_backward, relu_backward, leaky_relu_backward, gelu_backward, gelu_tanh_backward,
// silu_backward.
void activation_backward(float* dx, const float* dh, const float* read, std::size_t count, Activation f, float a);

}  // namespace byhand::simd
