// The handwritten networks in all forms: the fused one with its kernels.
#pragma once

#include <cstddef>
#include <memory>

#include "base/group.h"
#include "base/model.h"
#include "base/network.h"

namespace byhand {

namespace simd {
class Products;
}

// A model to train, in float. The fused form runs on `threads` threads, which do not change its results; if it does not
// support one of the operations (has_fused_step), it runs step by step with the kernels that its steps have. Throws
// InputError where check_network does. Precondition: threads > 0.
std::unique_ptr<Model> make_hand_model(HandForm form, const NetworkConfig& config, std::size_t rows,
                                       std::size_t threads = 1);

// The fused form with another library's matrix products, which must outlive it, on one thread. Precondition:
// has_fused_step(config).
std::unique_ptr<Model> make_fused_model(const NetworkConfig& config, std::size_t rows, const simd::Products& products);

// The same with the rows of each batch in `parts` parts, shared out to the ranks of `group`, which must outlive it
// (base/parts.h). Each step requires the whole batch on all ranks. Preconditions: has_fused_step(config); 0 < parts ≤
// rows.
std::unique_ptr<Model> make_fused_model(const NetworkConfig& config, std::size_t rows, std::size_t parts, Group& group,
                                        std::size_t threads);

// The number of threads that speeds up a fused step of this network: all of the machine's, or one.
std::size_t threads_that_pay(const NetworkConfig& config, std::size_t rows);

// An implementation to compare, in float or double; fused only in float. Throws as above.
std::unique_ptr<Implementation> make_hand_implementation(HandForm form, const NetworkConfig& config, std::size_t rows,
                                                         DType dtype);

}  // namespace byhand
