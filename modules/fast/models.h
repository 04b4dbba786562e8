// The handwritten networks in all forms, the fused one with its kernels, and this one in a comparison.
#pragma once

#include <cstddef>
#include <memory>

#include "base/model.h"
#include "base/network.h"

namespace byhand {

struct Reference;      // compare/candidates.h
struct StepCandidate;  // harness/end_to_end/comparison.h

namespace simd {
class Products;
}

// How a handwritten network runs, which changes none of its formulas.
struct HandOptions {
    Keep keep = Keep::needed;
    DType dtype = DType::float32;  // or float64, unless it is fused
    // Of the fused form alone. Threads do not change its results. Another library's matrix products must outlive it.
    std::size_t threads = 1;
    Division division = {};
    const simd::Products* products = nullptr;
};

// The fused form, if it does not support one of the operations (has_fused_step), runs step by step with the kernels
// that its steps have. Throws InputError where check_network does. Preconditions: threads > 0; has_fused_step(config)
// with a division or products.
std::unique_ptr<Trainable> make_hand_model(HandForm form, const NetworkConfig& config, std::size_t rows,
                                           const HandOptions& options = {});

// The number of threads that speeds up a fused step of this network: all of the machine's, or one.
std::size_t threads_that_pay(const NetworkConfig& config, std::size_t rows);

// The fused network as a candidate, with each of its kernels that can run in isolation. The reference must outlive it.
std::unique_ptr<StepCandidate> fused_candidate(const Reference& reference);

}  // namespace byhand
