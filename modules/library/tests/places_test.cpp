#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "library/kernel_inputs.h"

using namespace byhand;

namespace {

std::vector<float> places(double (*f)(double), std::size_t most = 24) {
    return places_of([f](double x) { return std::vector<double>{f(x), 1}; }, most);
}

}  // namespace

TEST_CASE("places: smooth functions have none") {
    for (double (*f)(double) :
         {+[](double x) { return std::exp(x); }, +[](double x) { return std::tanh(x); },
          +[](double x) { return 1 / (1 + std::exp(-x)); }, +[](double x) { return std::sin(x / 9); },
          +[](double x) { return x * x * x; }, +[](double x) { return 3 * x + 1; }}) {
        CHECK(places(f) == std::vector<float>());
    }
}

TEST_CASE("places: kinks and clamps are found to the float") {
    CHECK(places([](double x) { return std::max(x, 0.0); }) == std::vector<float>{0});
    CHECK(places([](double x) { return std::clamp(x, 0.0, 6.0); }) == std::vector<float>{0, 6});
    CHECK(places([](double x) { return std::clamp(x, -1.0, 1.0); }) == std::vector<float>{-1, 1});
    CHECK(places([](double x) { return std::abs(x - 3) + std::exp(x / 50); }) == std::vector<float>{3});
}

TEST_CASE("places: thresholds are found to the float") {
    CHECK(places([](double x) { return x > 0.7 ? x : 0; }) == std::vector<float>{0.7F});
    CHECK(places([](double x) { return x >= 20 ? x + 1 : std::tanh(x); }) == std::vector<float>{20});
}

TEST_CASE("places: roundings are found at their ties, and no more than asked for") {
    const std::vector<float> found = places([](double x) { return std::nearbyint(x); });
    CHECK(found.size() > 12);
    CHECK(found.size() <= 24);
    for (const float x : found) {
        CHECK(std::abs(x - std::floor(x)) == 0.5F);
    }
    CHECK(places([](double x) { return std::floor(x); }, 3).size() <= 3);
}
