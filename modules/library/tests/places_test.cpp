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

TEST_CASE("neighbours: extents that are equal in all cases of the same ranks vary as one") {
    const std::vector<std::vector<Shape>> cases = {{{5, 5}, {5}}, {{9, 27}, {27}}, {{7}, {4}}};
    const std::vector<TiedExtent> extents = tied_extents(cases);
    REQUIRE(extents.size() == 4);
    CHECK(with_extent(cases[extents[0].beside], extents[0], 11) == std::vector<Shape>{{7}, {11}});
    CHECK(with_extent(cases[extents[1].beside], extents[1], 11) == std::vector<Shape>{{11}, {4}});
    CHECK(with_extent(cases[extents[2].beside], extents[2], 11) == std::vector<Shape>{{11, 5}, {5}});
    CHECK(with_extent(cases[extents[3].beside], extents[3], 11) == std::vector<Shape>{{5, 11}, {11}});
}

TEST_CASE("neighbours: they are those of the smallest shapes that are not degenerate, where there is more than one") {
    const std::vector<TiedExtent> extents = tied_extents({{{1, 1}}, {{0, 27}}, {{33, 100}}, {{7, 27}}, {{2, 4}}});
    REQUIRE(extents.size() == 2);
    CHECK((extents[0].beside == 3 && extents[0].value == 7));
    CHECK(tied_extents({{{1, 128}}}).size() == 1);
    CHECK(tied_extents({{{1}, {0}}}).empty());
}

TEST_CASE("neighbours: one less, one more, and whole blocks") {
    CHECK(extents_near(2) == std::vector<std::size_t>{1, 3, 64, 65});
    CHECK(extents_near(27) == std::vector<std::size_t>{1, 2, 26, 28, 64, 65});
    CHECK(extents_near(64) == std::vector<std::size_t>{1, 2, 63, 65, 128, 129});
}
