// The activations of the fused step, in float, for the widest vectors of the CPU (chosen at run time). All arrays start
// on a cache line, and the elements between `count` and the end of the last line are read and written too.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace byhand::simd {

enum class Activation { tanh, sigmoid, relu, leaky_relu, gelu, gelu_tanh, silu };

// The activation of that name; nullopt for other operations.
std::optional<Activation> activation_of(const std::string& op);

// Whether the forward pass stores the derivative for the backward pass, which else computes it from the result.
bool stores_derivative(Activation f);

// h = f(x), and derivative = f′(x) if stores_derivative(f), else it may be null; h may be x itself. a is the slope of a
// leaky_relu for x < 0.
// Twins: tanh_forward, sigmoid_forward, relu_forward, leaky_relu_forward, gelu_forward, gelu_tanh_forward,
// silu_forward.
void activation_forward(float* h, float* derivative, const float* x, std::size_t count, Activation f, float a);

// dx = dh·f′, where `read` is the stored derivative or the result; dx may be dh itself.
// Twins: tanh_backward, sigmoid_backward, relu_backward, leaky_relu_backward, gelu_backward, gelu_tanh_backward,
// silu_backward.
void activation_backward(float* dx, const float* dh, const float* read, std::size_t count, Activation f);

}  // namespace byhand::simd
