// The distance of two floats.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>

namespace byhand::test {

// The number of floats from one to the other; 0 and −0 are equal.
inline std::int64_t ulp_distance(float a, float b) {
    const auto place = [](float value) -> std::int64_t {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        const std::int64_t size = bits & 0x7fffffffu;
        return bits >> 31 ? -size : size;
    };
    return std::llabs(place(a) - place(b));
}

}  // namespace byhand::test
