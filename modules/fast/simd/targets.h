// The vector types of the CPU, to test the kernels on each, and what it can do at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace byhand::simd {

struct Target {
    std::int64_t number = 0;  // Highway's number
    std::string name;         // "AVX3", "AVX2", "SSE4"
};

// Those that the kernels are compiled for and this CPU supports, the widest first.
std::vector<Target> targets();

// While it exists, all kernels use this vector type, on every thread; then the widest again. No kernel may run while it
// is created or destroyed.
class OnTarget {
public:
    explicit OnTarget(const Target& target);
    ~OnTarget();
    OnTarget(const OnTarget&) = delete;
    OnTarget& operator=(const OnTarget&) = delete;
};

// What a CPU can do at most, as a measure for kernels: its multiply-adds, its reads and writes.

struct MultiplyAdds {
    double flop = 0;    // operations carried out, two per multiply-add
    double result = 0;  // the sum of all, so that none can be optimised away
};

// Multiply-adds of float in registers, in independent sums: `repeats` of a block of some thousands. No kernel can be
// faster.
MultiplyAdds multiply_adds(std::size_t repeats);

// Reads the first `reads` of arrays of this many numbers, which lie one after another, and writes the first `writes`,
// in one loop that does nothing else: no kernel that reads and writes as much can be faster. Preconditions: a multiple
// of 16 numbers; one or two arrays to read, up to two to write.
void pass(float* arrays, std::size_t reads, std::size_t writes, std::size_t numbers);

// The vector type that the kernels use on this CPU, by Highway's name for it: "AVX3_DL", "AVX2", …
std::string target_name();

// Limits the kernels to vectors no wider than AVX2's. To be called before any of them.
void no_wider_than_avx2();

}  // namespace byhand::simd
