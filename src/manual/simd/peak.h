// How fast the CPU can multiply and add: the measure for kernels that do little else.
#pragma once

#include <cstddef>
#include <string>

namespace byhand::simd {

struct MultiplyAdds {
    double flop = 0;    // that were carried out, two a multiply-add
    double result = 0;  // of them all, so that none can be left out
};

// Multiply-adds of float in registers, in sums that don't wait for one another: `repeats` of a block of some thousands.
// No kernel can be faster.
MultiplyAdds multiply_adds(std::size_t repeats);

// The kind of vectors that the kernels use on this CPU, by Highway's name for it: "AVX3_DL", "AVX2", …
std::string target_name();

// From now on the kernels use no wider vectors than AVX2's. To be called before any of them.
void no_wider_than_avx2();

}  // namespace byhand::simd
