#include "harness/isolated/values.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <stdexcept>
#include <variant>

#include "judge/owned.h"

using namespace byhand;

TEST_CASE("values: own copies of floats, doubles and indices") {
    Values values;
    {
        test::Owned<float> a{"a", {3}, {1.5F, -2, 0x1p-140F}};
        test::Owned<double> b{"b", {2, 1}, {0.1, -3}};
        const std::vector<std::int64_t> X = {4, 0, 7, 1};
        values.put(a.view());
        values.put(b.view());
        values.put(View{"X", {2, 2}, DType::int64, X.data()});
    }
    CHECK(values.numbers("a") == std::vector<double>{1.5, -2, 0x1p-140});
    CHECK(values.numbers("b") == std::vector<double>{0.1, -3});
    CHECK(values.indices("X") == std::vector<std::int64_t>{4, 0, 7, 1});
    CHECK(values.contains("a"));
    CHECK_FALSE(values.contains("c"));
    CHECK(values.holds_indices("X"));
    CHECK_FALSE(values.holds_indices("a"));

    const std::vector<View> views = values.views();
    REQUIRE(views.size() == 3);
    const View* b = find(views, "b");
    REQUIRE(b != nullptr);
    CHECK(b->shape == Shape{2, 1});
    CHECK(b->dtype == DType::float64);
    CHECK(value_at(*b, 0) == 0.1);
    const View* X = find(views, "X");
    REQUIRE(X != nullptr);
    CHECK(X->dtype == DType::int64);
    CHECK(value_at(*X, 2) == 7);
}

TEST_CASE("values: a missing value, or one of the other kind, is an error; a second put replaces the first") {
    Values values;
    values.put({"a", {1}}, std::vector<double>{1});
    values.put({"X", {1}}, std::vector<std::int64_t>{1});
    CHECK_THROWS_AS(values.numbers("b"), std::out_of_range);
    CHECK_THROWS_AS(values.indices("b"), std::out_of_range);
    CHECK_THROWS_AS(values.holds_indices("b"), std::out_of_range);
    CHECK_THROWS_AS(values.numbers("X"), std::bad_variant_access);
    CHECK_THROWS_AS(values.indices("a"), std::bad_variant_access);
    values.put({"none", {0}}, std::vector<std::int64_t>());
    CHECK(values.holds_indices("none"));
    values.put({"a", {2}}, std::vector<double>{3, 4});
    CHECK(values.numbers("a") == std::vector<double>{3, 4});
    CHECK(values.views().size() == 3);
}

TEST_CASE("values: digits that a float has no room for leave each number next to the same float") {
    const std::vector<float> floats = {
        0, -0.0F, 1, -0.5F, 1.25F, 0.1F, -0.3F, 0.1F, 0x1.fffffep-1F, 0x1.fffffep127F, 0x1.234568p-127F};
    Values values;
    values.put({"a", {floats.size()}}, floats);
    values.put({"X", {1}}, std::vector<std::int64_t>{1});
    const Values doubles = with_digits_of_doubles(values);
    CHECK(doubles.indices("X") == values.indices("X"));
    const std::vector<double>& numbers = doubles.numbers("a");
    REQUIRE(numbers.size() == floats.size());
    for (std::size_t i = 0; i < floats.size(); ++i) {
        CAPTURE(i, floats[i], numbers[i]);
        const auto before = static_cast<double>(floats[i]);
        const bool stays = i < 5 || i == 10;  // of few digits, or subnormal
        CHECK((numbers[i] == before) == stays);
        CHECK(static_cast<float>(numbers[i]) == floats[i]);
        CHECK(std::signbit(numbers[i]) == std::signbit(floats[i]));
        CHECK((stays || std::abs(numbers[i] / before - 1) > 0x1p-28));
    }
    CHECK(numbers[5] == numbers[7]);
    CHECK(numbers[8] < 1);
}
