#include "base/narrow.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace byhand {
namespace {

struct Format {
    int digits;    // of the significand
    int smallest;  // exponent e of the smallest normal numbers m · 2^e, m from 0.5 to 1
};

Format format_of(DType dtype) {
    switch (dtype) {
        case DType::bfloat16:
            return {8, -125};
        case DType::float16:
            return {11, -13};
        case DType::float32:
            return {24, -125};
        default:
            return {53, -1021};
    }
}

int exponent_of(double x, int smallest) {
    int exponent = 0;
    std::frexp(x, &exponent);
    return x == 0 ? smallest : std::max(exponent, smallest);
}

constexpr std::uint16_t kSign = 0x8000;

}  // namespace

double of_bfloat16(std::uint16_t bits) {
    return std::bit_cast<float>(std::uint32_t{bits} << 16U);  // the first half of a float
}

double of_float16(std::uint16_t bits) {
    const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
    double size = std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 0) {
        size = std::ldexp(fraction, -24);  // subnormal
    } else if (exponent == 31) {
        size = fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    }
    return (bits & kSign) != 0 ? -size : size;
}

std::uint16_t bfloat16_of(double x) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(x));
    if (std::isnan(x)) {
        return 0x7fc0;
    }
    const std::uint32_t odd = (bits >> 16U) & 1U;
    return static_cast<std::uint16_t>((bits + 0x7fffU + odd) >> 16U);
}

std::uint16_t float16_of(double x) {
    constexpr std::uint16_t kInfinity = 0x7c00;
    if (std::isnan(x)) {
        return 0x7e00;
    }
    const std::uint16_t sign = std::signbit(x) ? kSign : 0;
    if (std::abs(x) > 2 * largest_of(DType::float16)) {
        return sign | kInfinity;
    }
    // A multiple of the spacing: the significand, to which the exponent's bits are added.
    const auto [digits, smallest] = format_of(DType::float16);
    const int exponent = exponent_of(x, smallest);
    const auto significand = static_cast<int>(std::nearbyint(std::ldexp(std::abs(x), digits - exponent)));
    const int bits = ((exponent - smallest) << 10) + significand;
    return static_cast<std::uint16_t>(sign | std::min<int>(bits, kInfinity));
}

double rounded_to(DType dtype, double x) {
    if (!is_narrow(dtype)) {
        return dtype == DType::float32 ? static_cast<float>(x) : x;
    }
    const double near = std::clamp(x, -largest_of(dtype), largest_of(dtype));
    return dtype == DType::bfloat16 ? of_bfloat16(bfloat16_of(near)) : of_float16(float16_of(near));
}

double spacing_at(double x, DType dtype) {
    const auto [digits, smallest] = format_of(dtype);
    return std::ldexp(1, exponent_of(x, smallest) - digits);
}

double largest_of(DType dtype) {
    return dtype == DType::bfloat16 ? 0x1.fep127 : 65504;
}

}  // namespace byhand
