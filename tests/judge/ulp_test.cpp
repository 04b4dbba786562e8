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

template <class T>
std::uint64_t between(T a, T b) {
    constexpr DType kType = sizeof(T) == 4 ? DType::float32 : DType::float64;
    const std::uint64_t there = ulp_distance(a, b, kType);
    CHECK(ulp_distance(b, a, kType) == there);
    CHECK(ulp_distance(-a, -b, kType) == there);
    return there;
}

}  // namespace

TEST_CASE("ulp: the distance in floats") {
    CHECK(between(0.1F, 0.1F) == 0);
    CHECK(between(1.0F, std::nextafter(1.0F, 2.0F)) == 1);
    CHECK(between(1.0F, std::nextafter(1.0F, 0.0F)) == 1);
    CHECK(between(1.0F, 1.5F) == 0x400000);
    CHECK(between(1.0F, 2.0F) == 0x800000);
    CHECK(between(0.0F, -0.0F) == 0);
    CHECK(between(0.0F, kFloat.denorm_min()) == 1);
    CHECK(between(-0.0F, kFloat.denorm_min()) == 1);
    CHECK(between(kFloat.denorm_min(), -kFloat.denorm_min()) == 2);
    CHECK(between(3 * kFloat.denorm_min(), 10 * kFloat.denorm_min()) == 7);
    CHECK(between(0.0F, kFloat.min()) == 0x800000);
    CHECK(between(kFloat.min(), std::nextafter(kFloat.min(), 0.0F)) == 1);
    CHECK(between(1.0F, -1.0F) == 2 * std::uint64_t{0x3f800000});
    CHECK(between(kFloat.max(), kFloat.lowest()) == 2 * std::uint64_t{0x7f7fffff});
    CHECK(between(kFloat.max(), kFloat.infinity()) == 1);
}

TEST_CASE("ulp: the distance in doubles") {
    CHECK(between(0.1, 0.1) == 0);
    CHECK(between(0.1 + 0.2, 0.3) == 1);
    CHECK(between(1.0, std::nextafter(1.0, 0.0)) == 1);
    CHECK(between(1.0, 2.0) == std::uint64_t{1} << 52);
    CHECK(between(0.0, -0.0) == 0);
    CHECK(between(0.0, kDouble.denorm_min()) == 1);
    CHECK(between(kDouble.denorm_min(), -kDouble.denorm_min()) == 2);
    CHECK(between(0.0, kDouble.min()) == std::uint64_t{1} << 52);
    CHECK(between(1.0, -1.0) == 2 * std::uint64_t{0x3ff0000000000000});
    CHECK(between(kDouble.max(), kDouble.lowest()) == 2 * std::uint64_t{0x7fefffffffffffff});
}

TEST_CASE("ulp: neighbouring doubles are the same float") {
    CHECK(ulp_distance(1.0, std::nextafter(1.0, 2.0), DType::float32) == 0);
    CHECK(ulp_distance(1.0F, std::nextafter(1.0F, 2.0F), DType::float64) == std::uint64_t{1} << 29);
}
