#include "harness/values.h"

#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "harness/owned.h"

using namespace byhand;

TEST_CASE("values: own copies of floats and indices, and doubles rounded to float") {
    Values values;
    {
        test::Owned<float> a{"a", {3}, {1.5F, -2, 0x1p-140F}};
        test::Owned<double> b{"b", {2, 1}, {0.1, -3}};
        const std::vector<std::int64_t> X = {4, 0, 7, 1};
        values.put(a.view());
        values.put(b.view());
        values.put(View{"X", {2, 2}, DType::int64, X.data()});
    }
    CHECK(values.numbers("a") == std::vector<float>{1.5F, -2, 0x1p-140F});
    CHECK(values.numbers("b") == std::vector<float>{0.1F, -3});
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
    CHECK(b->dtype == DType::float32);
    CHECK(value_at(*b, 0) == static_cast<double>(0.1F));
    const View* X = find(views, "X");
    REQUIRE(X != nullptr);
    CHECK(X->dtype == DType::int64);
    CHECK(value_at(*X, 2) == 7);
}

TEST_CASE("values: what is not there, or of the other kind, is an error; what is put again is replaced") {
    Values values;
    values.put({"a", {1}}, std::vector<float>{1});
    values.put({"X", {1}}, std::vector<std::int64_t>{1});
    CHECK_THROWS_AS(values.numbers("b"), std::out_of_range);
    CHECK_THROWS_AS(values.indices("b"), std::out_of_range);
    CHECK_THROWS_AS(values.holds_indices("b"), std::out_of_range);
    CHECK_THROWS_AS(values.numbers("X"), std::out_of_range);
    CHECK_THROWS_AS(values.indices("a"), std::out_of_range);
    values.put({"a", {2}}, std::vector<float>{3, 4});
    CHECK(values.numbers("a") == std::vector<float>{3, 4});
    CHECK(values.views().size() == 2);
}
