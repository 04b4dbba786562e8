// Rounded: float's errors have the magnitude that the variance predicts.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "steps/rounded_numbers.h"
#include "steps/rounded_sums.h"

using namespace byhand;
using namespace byhand::test;

TEST_CASE("rounded: errors of sums have the predicted variance") {
    std::mt19937_64 random(8);
    for (const std::size_t count : {11UL, 101UL, 1001UL}) {
        double squares = 0, bound_shares = 0;
        constexpr int kRuns = 400;
        for (int run = 0; run < kRuns; ++run) {
            const Terms t = terms(random, count, -2, 1, false);
            const Number sum = t.rounded();
            const auto error = static_cast<double>(static_cast<long double>(t.in_order()) - t.exactly());
            squares += error * error / sum.variance / kRuns;
            bound_shares += std::abs(error) / sum.error / kRuns;
        }
        INFO(count << " terms: error over deviation " << std::sqrt(squares) << ", over bound " << bound_shares);
        CHECK(std::sqrt(squares) < 1.2);
        CHECK(std::sqrt(squares) > 0.3);
        CHECK(bound_shares < 0.3);  // else the variance would be useless
    }
}

TEST_CASE("rounded: errors of mixed computations have the predicted variance") {
    std::mt19937_64 random(9);
    // 1/√(mean of squares)³·x, as a norm's backward has it: a power of a rounded number, then a product.
    const auto computation = [](const auto& x) {
        using std::sqrt;
        auto sum = x[0] * x[0];
        for (std::size_t i = 1; i < x.size(); ++i) {
            sum += x[i] * x[i];
        }
        const auto root = sqrt(sum);
        return x[1] / (root * root * root);
    };
    double squares = 0;
    constexpr int kRuns = 2000;
    for (int run = 0; run < kRuns; ++run) {
        std::vector<float> x;
        std::vector<Number> rounded;
        std::vector<long double> exactly;
        for (int i = 0; i < 31; ++i) {
            x.push_back(drawn(random, -2, 1));
            rounded.push_back(exact(x.back()));
            exactly.push_back(static_cast<long double>(x.back()));
        }
        const Number made = computation(rounded);
        const auto error = static_cast<double>(static_cast<long double>(computation(x)) - computation(exactly));
        REQUIRE(std::abs(error) <= made.error * 1.000001);
        squares += error * error / made.variance / kRuns;
    }
    INFO("error over deviation " << std::sqrt(squares));
    CHECK(std::sqrt(squares) < 1.2);
    CHECK(std::sqrt(squares) > 0.3);

    // Cubing multiplies a relative error by three, whether the number is one operand or two.
    const Number x = exact(1.1F) * exact(1.3F);
    const double relative = std::sqrt(x.variance) / x.value;
    const Number cube = x * x * x;
    CHECK(std::sqrt(cube.variance) / cube.value >= 3 * relative);
    CHECK(std::sqrt(cube.variance) / cube.value < 3.5 * relative);
}
