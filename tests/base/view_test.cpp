// Shapes, positions and elements of views.
#include "byhand/view.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <limits>

using namespace byhand;

TEST_CASE("view: count is the product of the extents, 1 for a scalar") {
    CHECK(count({}) == 1);
    CHECK(count({7}) == 7);
    CHECK(count({3, 5, 2}) == 30);
    CHECK(count({3, 0, 2}) == 0);
}

TEST_CASE("view: shapes as text") {
    CHECK(to_string(Shape{}) == "()");
    CHECK(to_string(Shape{27}) == "(27)");
    CHECK(to_string(Shape{32, 27}) == "(32, 27)");
    CHECK(to_string(Shape{32, 3, 2}) == "(32, 3, 2)");
    CHECK(to_string(Shape{0, 1}) == "(0, 1)");
}

TEST_CASE("view: the index of a position, rows first") {
    using Index = std::vector<std::size_t>;
    CHECK(index_of({}, 0).empty());
    CHECK(index_of({7}, 6) == Index{6});
    CHECK(index_of({3, 5}, 0) == Index{0, 0});
    CHECK(index_of({3, 5}, 4) == Index{0, 4});
    CHECK(index_of({3, 5}, 5) == Index{1, 0});
    CHECK(index_of({3, 5}, 14) == Index{2, 4});
    std::size_t position = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 1; ++j) {
            for (std::size_t k = 0; k < 5; ++k) {
                CHECK(index_of({3, 1, 5}, position++) == Index{i, j, k});
            }
        }
    }
}

TEST_CASE("view: elements of every type, exact") {
    const std::array<float, 2> f = {0.1F, -std::numeric_limits<float>::denorm_min()};
    const std::array<double, 2> d = {0.1, 1e308};
    const std::array<std::int64_t, 2> i = {-3, std::int64_t{1} << 40};
    CHECK(value_at({"f", {2}, DType::float32, f.data()}, 0) == static_cast<double>(0.1F));
    CHECK(value_at({"f", {2}, DType::float32, f.data()}, 1) == -0x1p-149);
    CHECK(value_at({"d", {2}, DType::float64, d.data()}, 0) == 0.1);
    CHECK(value_at({"d", {2}, DType::float64, d.data()}, 1) == 1e308);
    CHECK(value_at({"i", {2}, DType::int64, i.data()}, 0) == -3);
    CHECK(value_at({"i", {2}, DType::int64, i.data()}, 1) == 0x1p40);
    CHECK(size_of(DType::float32) == 4);
    CHECK(size_of(DType::float64) == 8);
    CHECK(size_of(DType::int64) == 8);
}

TEST_CASE("view: find by name") {
    const std::vector<View> views = {{"a", {}, DType::float32, nullptr}, {"b", {3}, DType::float32, nullptr}};
    CHECK(find(views, "b") == &views[1]);
    CHECK(find(views, "c") == nullptr);
    const std::vector<View> none;
    CHECK(find(none, "a") == nullptr);
}
