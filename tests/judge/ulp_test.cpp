#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

#include "judge/finding.h"

// Distances counted by hand: the bits of a positive number, read as an integer, are its rank.

using namespace byhand;

namespace {

constexpr auto kFloat = std::numeric_limits<float>();
constexpr auto kDouble = std::numeric_limits<double>();

std::uint64_t floats(float a, float b) {
    const std::uint64_t there = ulp_distance(a, b, DType::float32);
    CHECK(ulp_distance(b, a, DType::float32) == there);
    CHECK(ulp_distance(-a, -b, DType::float32) == there);
    return there;
}

std::uint64_t doubles(double a, double b) {
    const std::uint64_t there = ulp_distance(a, b, DType::float64);
    CHECK(ulp_distance(b, a, DType::float64) == there);
    CHECK(ulp_distance(-a, -b, DType::float64) == there);
    return there;
}

}  // namespace

TEST_CASE("ulp: the distance in floats") {
    CHECK(floats(0.1F, 0.1F) == 0);
    CHECK(floats(1.0F, std::nextafter(1.0F, 2.0F)) == 1);
    CHECK(floats(1.0F, std::nextafter(1.0F, 0.0F)) == 1);
    CHECK(floats(1.0F, 1.5F) == 0x400000);
    CHECK(floats(1.0F, 2.0F) == 0x800000);
    CHECK(floats(0.0F, -0.0F) == 0);
    CHECK(floats(0.0F, kFloat.denorm_min()) == 1);
    CHECK(floats(-0.0F, kFloat.denorm_min()) == 1);
    CHECK(floats(kFloat.denorm_min(), -kFloat.denorm_min()) == 2);
    CHECK(floats(3 * kFloat.denorm_min(), 10 * kFloat.denorm_min()) == 7);
    CHECK(floats(0.0F, kFloat.min()) == 0x800000);
    CHECK(floats(kFloat.min(), std::nextafter(kFloat.min(), 0.0F)) == 1);
    CHECK(floats(1.0F, -1.0F) == 2 * std::uint64_t{0x3f800000});
    CHECK(floats(kFloat.max(), kFloat.lowest()) == 2 * std::uint64_t{0x7f7fffff});
    CHECK(floats(kFloat.max(), kFloat.infinity()) == 1);
}

TEST_CASE("ulp: the distance in doubles") {
    CHECK(doubles(0.1, 0.1) == 0);
    CHECK(doubles(0.1 + 0.2, 0.3) == 1);
    CHECK(doubles(1.0, std::nextafter(1.0, 0.0)) == 1);
    CHECK(doubles(1.0, 2.0) == std::uint64_t{1} << 52);
    CHECK(doubles(0.0, -0.0) == 0);
    CHECK(doubles(0.0, kDouble.denorm_min()) == 1);
    CHECK(doubles(kDouble.denorm_min(), -kDouble.denorm_min()) == 2);
    CHECK(doubles(0.0, kDouble.min()) == std::uint64_t{1} << 52);
    CHECK(doubles(1.0, -1.0) == 2 * std::uint64_t{0x3ff0000000000000});
    CHECK(doubles(kDouble.max(), kDouble.lowest()) == 2 * std::uint64_t{0x7fefffffffffffff});
}

TEST_CASE("ulp: neighbouring doubles are the same float") {
    CHECK(ulp_distance(1.0, std::nextafter(1.0, 2.0), DType::float32) == 0);
    CHECK(ulp_distance(1.0F, std::nextafter(1.0F, 2.0F), DType::float64) == std::uint64_t{1} << 29);
}
