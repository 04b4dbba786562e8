// LibTorch's side, behind one factory. No header of LibTorch is seen from here, and the module that holds the code is
// opened only when something of it is first wanted (see load.h): linking it costs 0.3 s at every start.
#pragma once

#include <memory>
#include <string>

#include "base/answers.h"
#include "base/losses.h"
#include "base/model.h"
#include "base/network.h"
#include "base/norms.h"
#include "base/side.h"
#include "base/timed_operation.h"

namespace byhand::torch_ref {

struct Factory {
    // Every named value by torch:: operations and autograd, in float (DType::float32) or double (DType::float64).
    std::unique_ptr<Side> (*stepwise)(const NetworkConfig& config, std::size_t rows, DType dtype);

    // What LibTorch says to single steps, in double: of the stepwise network, the collapsed and the fused one.
    std::unique_ptr<Answers> (*stepwise_answers)(const NetworkConfig& config, std::size_t rows);
    std::unique_ptr<Answers> (*collapsed_answers)(const NetworkConfig& config, std::size_t rows);
    std::unique_ptr<Answers> (*fused_answers)(const NetworkConfig& config, std::size_t rows);

    // The torch::nn module with torch::optim::SGD, in float, as a side: what a module keeps and its gradients.
    std::unique_ptr<Side> (*module_side)(const NetworkConfig& config, std::size_t rows);

    // The same module as a model to train.
    std::unique_ptr<Model> (*module_model)(const NetworkConfig& config, std::size_t rows);

    // A norm by itself, forwards and backwards, with γ and β: batch norm by any conventions (`place` and `output` do
    // not count), and layer norm, each row by itself.
    NormAnswer (*batch_norm)(const NormQuestion& question, const NormConfig& conventions);
    NormAnswer (*layer_norm)(const NormQuestion& question, double epsilon);

    // A loss over logits and its gradient: cross-entropy, and half the squared error of the probabilities.
    LossAnswer (*cross_entropy)(const LossQuestion& question);
    LossAnswer (*squared_error)(const LossQuestion& question);

    // A single operation of a training step by LibTorch's own functions, in float, to be timed.
    PreparedOperation (*prepared)(const OperationQuestion& question);

    // How many threads LibTorch's own operations have from now on; its BLAS is told before it is opened (load.h).
    void (*threads)(std::size_t count);

    // LibTorch's version, "1.13.0".
    std::string (*version)();
};

}  // namespace byhand::torch_ref

// The symbol by which the module is entered. The factory lives as long as the process.
extern "C" const byhand::torch_ref::Factory* byhand_torch_ref();
