// LibTorch's operations with random rounding errors (Monte Carlo arithmetic: Parker 1997).
#pragma once

#include <c10/core/impl/LocalDispatchKeySet.h>

#include <cstdint>

namespace byhand {

// While it exists, every operation of this thread on tensors of floats, those of autograd's backward pass included,
// moves its result at random: by one unit in the last place, of float's precision, if it works element by element, and
// by √n/2 of them, n roundings that are independent, if it may sum n elements; then it moves its inputs by as much, as
// an implementation that is stable may. Zeros stay zeros, and what an operation only copies or views is left alone.
class RandomRounding {
public:
    explicit RandomRounding(std::uint64_t seed);
    RandomRounding(const RandomRounding&) = delete;
    RandomRounding& operator=(const RandomRounding&) = delete;

private:
    c10::impl::IncludeDispatchKeyGuard included_;
};

}  // namespace byhand
