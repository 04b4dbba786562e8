// LibTorch's side, behind one factory. No header of LibTorch is seen from here, and the module that holds the code is
// opened only when something of it is first wanted (see load.h): linking it costs 0.3 s at every start.
#pragma once

#include <memory>
#include <string>

#include "base/hand_form.h"
#include "base/implementation.h"
#include "base/model.h"
#include "base/network.h"
#include "base/reference_operations.h"
#include "base/timed_operation.h"

namespace byhand::torch_ref {

struct Factory {
    // Every named value by torch:: operations and autograd, in float (DType::float32) or double (DType::float64).
    std::unique_ptr<Implementation> (*stepwise)(const NetworkConfig& config, std::size_t rows, DType dtype);

    // What LibTorch answers for single steps, in double: those of a network in that form, and an operation by itself
    // with its gradients: "batchnorm" by any conventions, "layernorm", "cross_entropy", "squared_error" (answers.h says
    // what each reads and makes).
    std::unique_ptr<ReferenceOperations> (*reference_operations)(HandForm form, const NetworkConfig& config,
                                                                 std::size_t rows);
    std::unique_ptr<ReferenceOperations> (*single_operation)(const std::string& op, const NormConfig& norm,
                                                             std::size_t rows, std::size_t columns);

    // The torch::nn module with torch::optim::SGD, in float, as a side: what a module keeps and its gradients.
    std::unique_ptr<Implementation> (*module_implementation)(const NetworkConfig& config, std::size_t rows);

    // The same module as a model to train.
    std::unique_ptr<Model> (*module_model)(const NetworkConfig& config, std::size_t rows);

    // A single operation of a training step by LibTorch's own functions, in float, to be timed.
    PreparedOperation (*prepared)(const OperationInput& operation);

    // How many threads LibTorch's own operations have from now on; its BLAS is told before it is opened (load.h).
    void (*threads)(std::size_t count);

    // LibTorch's version, "1.13.0".
    std::string (*version)();
};

}  // namespace byhand::torch_ref

// The symbol by which the module is entered. The factory lives as long as the process.
extern "C" const byhand::torch_ref::Factory* byhand_torch_ref();
