#include "lab/geometry/eigen.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <numbers>
#include <vector>

using byhand::lab::condition_number;
using byhand::lab::Eigen;
using byhand::lab::symmetric_eigen;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

TEST_CASE("eigenvalues: worked by hand") {
    CHECK(symmetric_eigen({-3}, 1).values == std::vector<double>{-3});
    // (2 − λ)² = 1.
    const Eigen two = symmetric_eigen({2, 1, 1, 2}, 2);
    CHECK_THAT(two.values[0], WithinAbs(3, 1e-15));
    CHECK_THAT(two.values[1], WithinAbs(1, 1e-15));
    CHECK_THAT(std::abs(two.vectors[0]), WithinAbs(std::numbers::sqrt2 / 2, 1e-15));
    CHECK_THAT(two.vectors[0] - two.vectors[1], WithinAbs(0, 1e-15));
    CHECK(symmetric_eigen({1, 0, 0, 0, 5, 0, 0, 0, -2}, 3).values == std::vector<double>{5, 1, -2});
}

TEST_CASE("eigenvalues: of second differences, 2 − 2·cos(kπ/(n + 1))") {
    constexpr std::size_t kSize = 11;
    std::vector<double> matrix(kSize * kSize, 0);
    for (std::size_t i = 0; i < kSize; ++i) {
        matrix[i * kSize + i] = 2;
        if (i > 0) {
            matrix[i * kSize + i - 1] = matrix[(i - 1) * kSize + i] = -1;
        }
    }
    const Eigen eigen = symmetric_eigen(matrix, kSize);
    for (std::size_t k = 0; k < kSize; ++k) {
        CAPTURE(k);
        const double angle = static_cast<double>(kSize - k) * std::numbers::pi / (kSize + 1);
        CHECK_THAT(eigen.values[k], WithinAbs(2 - 2 * std::cos(angle), 1e-14));
        // A·v = λ·v, and v is of length 1.
        double length = 0;
        for (std::size_t i = 0; i < kSize; ++i) {
            double product = 0;
            for (std::size_t j = 0; j < kSize; ++j) {
                product += matrix[i * kSize + j] * eigen.vectors[k * kSize + j];
            }
            CHECK_THAT(product, WithinAbs(eigen.values[k] * eigen.vectors[k * kSize + i], 1e-14));
            length += std::pow(eigen.vectors[k * kSize + i], 2);
        }
        CHECK_THAT(length, WithinAbs(1, 1e-14));
    }
}

TEST_CASE("condition numbers: Hilbert's matrices, and a singular one") {
    // The published ones of order 3 and 5: 524.057 and 4.76607e5.
    for (const auto& [size, published] : {std::pair<std::size_t, double>{3, 524.0567775860644}, {5, 476607.250242}}) {
        std::vector<double> hilbert;
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t j = 0; j < size; ++j) {
                hilbert.push_back(1 / static_cast<double>(i + j + 1));
            }
        }
        CHECK_THAT(condition_number(symmetric_eigen(hilbert, size)), WithinRel(published, 1e-6));
    }
    CHECK(std::isinf(condition_number(symmetric_eigen({1, 2, 2, 4}, 2))));
}
