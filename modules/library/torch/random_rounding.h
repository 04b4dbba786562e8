// LibTorch's operations with random rounding errors (Monte Carlo arithmetic: Parker 1997).
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <cstdint>

#include "byhand/reference.h"

namespace byhand {

// While it exists, every operation of this thread on tensors of the precision's type, those of autograd's backward pass
// and those in place included, moves its inputs and its result at random: by one unit in the last place if it works
// element by element, and by √n/2 of them, n roundings that are independent, if it adds up n elements. (What a stable
// implementation makes of its inputs is exact for inputs that are off by their rounding: one operation of LibTorch's
// may be a formula of many.) Additions, subtractions, multiplications, divisions and square roots move their result
// only, except where a mean is subtracted. Zeros stay zeros, and what an operation only copies, chooses or views is
// left alone. The seed also selects the formulation of norms and softmaxes (moves.h) and the order of sums
// (moves.h). With seed 0 every operation is LibTorch's as it is.
class RandomRounding {
public:
    // `of` tells apart what is evaluated: one evaluation may use numbers of the one before (moves.h).
    RandomRounding(Precision precision, const void* of);
    RandomRounding(const RandomRounding&) = delete;
    RandomRounding& operator=(const RandomRounding&) = delete;

    // Notes what the operations so far have done: whether they only copied numbers, whether none of them has rounded,
    // and how many numbers they have computed.
    void describe(Computed& result) const;

private:
    c10::impl::IncludeDispatchKeyGuard included_;
};

// Whether some are subnormal, or may be where products are grouped in another way: below 1024 times the smallest normal
// number. A kernel may lose them, for instance x in (x·a)·b where the reference computes x·(a·b).
bool has_tiny_numbers(const at::Tensor& tensor);
// A copy in which each of those is a half more or less, at random.
at::Tensor with_tiny_numbers_moved(const at::Tensor& tensor, std::uint64_t seed);

}  // namespace byhand
