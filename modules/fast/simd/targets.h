// The vector types of the CPU, to test the kernels on each.
#pragma once

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

}  // namespace byhand::simd
