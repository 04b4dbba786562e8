// The kinds of vectors that the CPU has, one after another, to try the kernels on each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace byhand::simd {

struct Target {
    std::int64_t number = 0;  // Highway's
    std::string name;         // "AVX3", "AVX2", "SSE4"
};

// Those that the kernels are compiled for and this CPU has, the widest first.
std::vector<Target> targets();

// While it lives all kernels use this kind of vectors, on every thread; then the widest again. To be used where no
// kernel runs at the same time.
class OnTarget {
public:
    explicit OnTarget(const Target& target);
    ~OnTarget();
    OnTarget(const OnTarget&) = delete;
    OnTarget& operator=(const OnTarget&) = delete;
};

}  // namespace byhand::simd
