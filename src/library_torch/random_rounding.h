// LibTorch's operations with random rounding errors (Monte Carlo arithmetic: Parker 1997).
#pragma once

#include <c10/core/impl/LocalDispatchKeySet.h>

#include <cstdint>

namespace byhand {

// While it exists, every operation of this thread on tensors of floats, those of autograd's backward pass included,
// moves its inputs and its result at random: by one unit in the last place, of float's precision, if it works element
// by element, and by √n/2 of them, n roundings that are independent, if it may sum n elements. (What a stable
// implementation makes of its inputs is exact for inputs that are off by their rounding: one operation of LibTorch's
// may be a formula of many.) A sum, difference, product, quotient or root of two moves its result alone. Zeros stay
// zeros, and what an operation only copies or views is left alone.
class RandomRounding {
public:
    explicit RandomRounding(std::uint64_t seed);
    RandomRounding(const RandomRounding&) = delete;
    RandomRounding& operator=(const RandomRounding&) = delete;

private:
    c10::impl::IncludeDispatchKeyGuard included_;
};

}  // namespace byhand
