// The handwritten networks, as models to train and as implementations to compare.
#pragma once

#include <memory>
#include <string>

#include "base/group.h"
#include "base/model.h"
#include "manual/operation.h"
#include "steps/step.h"

namespace byhand {

namespace simd {
class Products;
}

// The form of that name: "stepwise", "collapsed", "fused". Throws std::invalid_argument for any other.
HandForm hand_form(const std::string& name);

// A model to train, in float. The fused form runs on `threads` threads, which do not change its results; if it does not
// support one of the operations (has_fused_step), it runs step by step with the kernels that its steps have. Throws
// InputError where check_network does. Precondition: threads > 0.
std::unique_ptr<Model> make_hand_model(HandForm form, const NetworkConfig& config, std::size_t rows,
                                       std::size_t threads = 1);

// The fused form with another library's matrix products, which must outlive it, on one thread. Precondition:
// has_fused_step(config).
std::unique_ptr<Model> make_fused_model(const NetworkConfig& config, std::size_t rows, const simd::Products& products);

// The same with the rows of each batch in `parts` parts, shared out to the ranks of `group`, which must outlive it
// (base/parts.h). Each step requires the whole batch on all ranks. Precondition: 0 < parts ≤ rows.
std::unique_ptr<Model> make_model_in_parts(HandForm form, const NetworkConfig& config, std::size_t rows,
                                           std::size_t parts, Group& group, std::size_t threads = 1);

// The number of threads that speeds up a fused step of this network: all of the machine's, or one.
std::size_t threads_that_pay(const NetworkConfig& config, std::size_t rows);

// A model to train from any step lists, such as one with external functions.
std::unique_ptr<Model> make_step_model(Graph graph);

// An implementation to compare, in float or double; fused only in float. Throws as above.
std::unique_ptr<Implementation> make_hand_implementation(HandForm form, const NetworkConfig& config, std::size_t rows,
                                                         DType dtype);

// An implementation to compare from any step lists, such as one with an injected fault.
std::unique_ptr<Implementation> make_step_implementation(Graph graph);

}  // namespace byhand
