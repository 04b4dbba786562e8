// An operation of the network by LibTorch: which torch operations it consists of, each making one named value. The
// stepwise reference runs them from one end to the other and lets autograd find the way back; the answers to single
// steps take one at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/value.h"

namespace byhand::torch_ref {

using TensorReads = const std::vector<at::Tensor>&;

struct TorchStep {
    std::string makes;
    Shape shape;  // of what it makes
    std::vector<std::string> reads;
    std::function<at::Tensor(TensorReads)> apply;
    // Where a derivative goes by the result rather than by what was read (tanh, exp): the vector–Jacobian product from
    // the result and the gradient to it, as autograd itself computes it. Empty elsewhere.
    std::function<at::Tensor(const at::Tensor& result, const at::Tensor& gradient)> by_result = nullptr;
    // The gradient of the first read comes after those of the others (a norm's gain and bias), not before.
    bool first_read_last = false;
    bool constant = false;      // neither what it makes nor what it reads has a gradient
    std::size_t operation = 0;  // that it belongs to, among operations(config)
};
using TorchSteps = std::vector<TorchStep>;

// What a step makes, and how LibTorch answers that from the values it reads.
struct ReferenceOperation {
    std::string name;
    std::vector<TensorSpec> reads;
    std::function<at::Tensor(const std::map<std::string, at::Tensor>& values)> evaluate;
    std::size_t operation = 0;  // whose formula answers it, among operations(config)
};

// An operation in its network of `rows` rows.
struct Site {
    const NetworkConfig& network;
    Operation operation;
    std::size_t rows = 0;  // B times the positions of what the operation makes

    const std::string& x() const { return operation.input; }
    const std::string& y() const { return operation.output; }
    std::string value(const char* name) const { return operation.layer.value(name); }
    // The same of a value that the operation makes on its way, which in evaluation beside training carries eval_ too.
    std::string made(const char* name) const {
        return value_of(y()).kind == Kind::evaluated ? evaluation_of(value(name)) : value(name);
    }
    // (rows, outputs) and (outputs) of its layer.
    Shape wide() const { return {rows, operation.layer.outputs}; }
    Shape narrow() const { return {operation.layer.outputs}; }
};

struct TorchOperation {
    std::string op;
    void (*forward)(TorchSteps& steps, const Site& at);
    // Where they differ from `forward`: in evaluation mode; in one torch operation.
    void (*evaluation)(TorchSteps& steps, const Site& at) = nullptr;
    void (*collapsed)(TorchSteps& steps, const Site& at) = nullptr;
    // new_X of what it keeps for evaluation.
    void (*update)(TorchSteps& steps, const Site& at) = nullptr;
    // What the collapsed and the fused network make by other formulas than the small steps'.
    std::vector<ReferenceOperation> (*collapsed_formulas)(const Site& at) = nullptr;
    std::vector<ReferenceOperation> (*fused_formulas)(const Site& at) = nullptr;
    // The module's one step, of the operation's input and parameters and of the value that it adds, where `forward` is
    // no step of the input.
    TorchStep (*module)(const Site& at) = nullptr;
};
using TorchOperations = std::vector<TorchOperation>;

// All of LibTorch's side.
const TorchOperations& torch_operations();
TorchOperation embedding_operation();
TorchOperation flatten_operation();
TorchOperation linear_operation();
TorchOperation batchnorm_operation();
TorchOperation layernorm_operation();
TorchOperation rmsnorm_operation();
TorchOperation tanh_operation();
TorchOperation sigmoid_operation();
TorchOperation relu_operation();
TorchOperation leaky_relu_operation();
TorchOperation gelu_operation();
TorchOperation gelu_tanh_operation();
TorchOperation silu_operation();
TorchOperation residual_operation();
TorchOperation dropout_operation();
TorchOperation cross_entropy_operation();

}  // namespace byhand::torch_ref
