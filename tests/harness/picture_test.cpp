#include "harness/end_to_end/picture.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "harness/end_to_end/compare_views.h"

using namespace byhand;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

View view_of(const Shape& shape, const std::vector<double>& values) {
    return {"x", shape, DType::float64, values.data()};
}

// Of a tensor that is right but for what `errors` add to it.
Picture picture(const Shape& shape, const std::vector<double>& errors, const std::vector<double>& limits) {
    const std::vector<double> right(errors.size(), 1000.0);
    std::vector<double> ours = right;
    for (std::size_t i = 0; i < errors.size(); ++i) {
        ours[i] += errors[i];
    }
    return picture_of(view_of(shape, ours), view_of(shape, right), nullptr, limits);
}

}  // namespace

TEST_CASE("picture: a cell holds the largest share of its elements") {
    // 67 rows of 3 elements: three rows to a cell, the last cell has one.
    std::vector<double> errors(201, 0.0);
    errors[4 * 3 + 1] = 0.25;
    errors[5 * 3 + 1] = -0.5;
    errors[66 * 3 + 2] = 2;
    const Picture p = picture({67, 3}, errors, {1.0});
    CHECK(p.block_rows == 3);
    CHECK(p.block_columns == 1);
    CHECK(p.rows == 23);
    CHECK(p.columns == 3);
    REQUIRE(p.shares.size() == 69);
    CHECK(p.shares[1 * 3 + 1] == 0.5F);
    CHECK(p.shares[22 * 3 + 2] == 2.0F);
    CHECK(std::accumulate(p.shares.begin(), p.shares.end(), 0.0F) == 2.5F);
}

TEST_CASE("picture: however large a tensor is, the grid is not") {
    const std::vector<double> many(10653, 0.0);
    const Picture p = picture({67, 53, 3}, many, {1.0});
    CHECK(p.rows <= kMostRows);
    CHECK(p.columns <= kMostColumns);
    CHECK(p.rows * p.block_rows >= 67);
    CHECK(p.columns * p.block_columns >= 159);
    const Picture flat = picture({301}, std::vector<double>(301, 0.0), {1.0});
    CHECK(flat.rows == 1);
    CHECK(flat.columns == 76);  // four to a cell
    const Picture one = picture({}, {0.5}, {1.0});
    CHECK(one.shares == std::vector<float>{0.5F});
    CHECK(picture({0, 3}, {}, {1.0}).shares.empty());
}

TEST_CASE("picture: the histogram counts by half decades, and a limit that is just met is no breach") {
    const Picture p = picture({7}, {0, 0.125, 1, 1.5, 4, 512, 0.25}, {1.0});
    CHECK(p.bins[0] == 1);
    CHECK(p.bins[9] == 2);   // from 10^-1 to 10^-0.5
    CHECK(p.bins[10] == 1);  // to the limit
    CHECK(p.bins[11] == 1);  // to 10^0.5
    CHECK(p.bins[12] == 1);
    CHECK(p.bins[16] == 1);  // 10^2.5 to 10^3
    CHECK(p.without_figure == 0);
    CHECK(std::accumulate(p.bins.begin(), p.bins.end(), std::size_t{0}) == 7);
    // However far off, nothing falls out of it.
    const Picture far = picture({2}, {1e-30, 1e30}, {1e-24});
    CHECK(std::accumulate(far.bins.begin(), far.bins.end(), std::size_t{0}) == 2);
}

TEST_CASE("picture: the ten worst, the worst first, and what has no figure before all") {
    std::vector<double> errors(13);
    for (std::size_t i = 0; i < errors.size(); ++i) {
        errors[i] = static_cast<double>(i) / 16;
    }
    errors[3] = kNaN;
    std::vector<double> limits(13, 1.0);
    limits[1] = 0.03125;  // an error of two limits
    const Picture p = picture({13}, errors, limits);
    REQUIRE(p.worst.size() == kWorst);
    CHECK(p.worst[0].position == 3);
    CHECK(std::isnan(p.worst[0].share));
    CHECK(p.worst[1].position == 1);
    CHECK(p.worst[1].share == 2);
    CHECK(p.worst[1].error == 0.0625);
    CHECK(p.worst[2].position == 12);
    CHECK(p.worst[9].position == 5);
    CHECK(p.without_figure == 1);
    CHECK(std::isnan(p.shares[3]));
}

TEST_CASE("picture: its worst element is the comparison's, in every kind of limit") {
    const std::vector<double> right = {1000, 2000, 3, 1e-6, 500}, torch = {1000.5, 2000, 3, 1e-6, 499};
    const std::vector<double> ours = {1000.25, 1998, 3.0625, 2e-6, 500};
    const View a = view_of({5}, ours), b = view_of({5}, torch), oracle = view_of({5}, right);
    for (const std::vector<double>& limits :
         {std::vector<double>{1, 8, 0.5, 1e-7, 1}, {1, 8, 100, 100, 1}, {4, 4, 4, 4, 4}, {0, 0, 0, 0, 0}}) {
        const Finding result = compare_tensor(&a, &b, &oracle, limits, Vacuous::constant);
        const Picture p = picture_of(a, b, &oracle, limits);
        CHECK(p.worst[0].position == result.worst->position);
        CHECK(p.worst[0].share == result.used);
        CHECK(p.worst[0].right == right[p.worst[0].position]);
        CHECK(p.worst.size() == 5);
    }
    // One that breaks a limit which says nothing, beside others that keep one which says something.
    const std::vector<double> far = {1000.25, 1998, 203, 2e-6, 500}, wide = {1, 8, 100, 100, 1};
    const View c = view_of({5}, far);
    CHECK(compare_tensor(&c, &b, &oracle, wide, Vacuous::constant).worst->position == 2);
    CHECK(picture_of(c, b, &oracle, wide).worst[0].position == 2);

    const Picture p = picture_of(a, b, &oracle, std::vector<double>{1, 8, 0.5, 1e-7, 4});
    CHECK(p.torch_share == 0.5);  // the first element's; the last takes a quarter
    CHECK_FALSE(picture_of(a, b, nullptr, std::vector<double>{1}).torch_share);
}
