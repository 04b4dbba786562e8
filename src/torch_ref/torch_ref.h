// The LibTorch implementation, behind one factory. This header includes none of LibTorch's, and the module that
// contains the code is loaded on first use (see load.h): linking it would cost 0.3 s at every start.
#pragma once

#include <memory>
#include <string>

#include "base/group.h"
#include "base/model.h"
#include "base/network.h"
#include "base/reference_operations.h"
#include "base/timed_step.h"

namespace byhand::torch_ref {

struct Factory {
    // Every named value by torch:: operations and autograd, in float (DType::float32) or double (DType::float64).
    std::unique_ptr<Model> (*stepwise)(const NetworkConfig& config, std::size_t rows, DType dtype);

    // Reference operations in double: the single steps of a network in that form, and an operation in isolation with
    // its gradients: "batchnorm" with any conventions, "layernorm", "cross_entropy", "squared_error" (inputs and
    // results: see stepwise.h).
    std::unique_ptr<ReferenceOperations> (*reference_operations)(HandForm form, const NetworkConfig& config,
                                                                 std::size_t rows);
    std::unique_ptr<ReferenceOperations> (*single_operation)(const std::string& op, const NormConfig& norm,
                                                             std::size_t rows, std::size_t columns);

    // The torch::nn module with torch::optim, in float, to train or to compare (module.h). A division requires
    // Opening::threads = 1 (load.h).
    std::unique_ptr<Trainable> (*module_model)(const NetworkConfig& config, std::size_t rows, Keep keep,
                                               const Division& division);

    // A step by LibTorch's own functions, in float, for timing. Throws std::out_of_range for a name not in
    // base/timed_step.h.
    PackedOperation (*packed)(const TimedStep& step);

    // Sets the number of threads of LibTorch's own operations; that of its BLAS is set before it is loaded (load.h).
    void (*threads)(std::size_t count);

    // LibTorch's version, "1.13.0".
    std::string (*version)();
};

}  // namespace byhand::torch_ref

// The entry symbol of the module. The factory lives as long as the process.
extern "C" const byhand::torch_ref::Factory* byhand_torch_ref();
