// The peak multiply-add rate of the CPU, as a measure for kernels that do little else.
#pragma once

#include <cstddef>
#include <string>

namespace byhand::simd {

struct MultiplyAdds {
    double flop = 0;    // operations carried out, two per multiply-add
    double result = 0;  // the sum of all, so that none can be optimised away
};

// Multiply-adds of float in registers, in independent sums: `repeats` of a block of some thousands. No kernel can be
// faster.
MultiplyAdds multiply_adds(std::size_t repeats);

// The vector type that the kernels use on this CPU, by Highway's name for it: "AVX3_DL", "AVX2", …
std::string target_name();

// Limits the kernels to vectors no wider than AVX2's. To be called before any of them.
void no_wider_than_avx2();

}  // namespace byhand::simd
