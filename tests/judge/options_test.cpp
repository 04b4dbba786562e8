// The options of judge() for isolated steps, gradcheck, files and the lab.
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "judge/finding.h"
#include "judge/owned.h"

using namespace byhand;
using test::Owned;
using test::row;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// An isolated step's float result against the reference in double.
Finding isolated(const Owned<float>& ours, const std::vector<double>& exact, const std::vector<double>& limits) {
    const View right = view_of(exact);
    return judge(ours.view(), &right, nullptr, limits, {.vacuous = Vacuous::all_zero});
}

// A gradient against finite differences.
Finding gradient(const std::vector<double>& ours, const std::vector<double>& differences,
                 const std::vector<double>& limits) {
    const View right = view_of(differences);
    return judge(view_of(ours), &right, nullptr, limits, {.too_wide = TooWide::undecided, .scale_of_both = true});
}

// The lab's numbers against LibTorch's.
Finding in_lab(const std::vector<double>& ours, const std::vector<double>& reference,
               const std::vector<double>& limits) {
    const View other = view_of(reference);
    return judge(view_of(ours), nullptr, &other, limits, {.needs_no_limit = NeedsNoLimit::equal});
}

// Two files.
Finding files(const View& a, const View& b, double limit) {
    return judge(a, nullptr, &b, std::span(&limit, 1),
                 {.needs_no_limit = NeedsNoLimit::same_bits, .scale_of_both = true});
}
template <class T>
Finding files(const std::vector<T>& a, const std::vector<T>& b, double limit = 0) {
    return files(view_of(a), view_of(b), limit);
}

View whole(const std::vector<std::int64_t>& numbers) {
    return {"x", {numbers.size()}, DType::int64, numbers.data()};
}

}  // namespace

TEST_CASE("isolated: zero error is exact, and a wide limit decides") {
    const Finding exact = isolated(row({1.0F, -2.5F}), {1, -2.5}, {0, 0});
    CHECK(exact.verdict == Verdict::exact);
    CHECK(exact.error == 0.0);
    CHECK(exact.scale == 2.5);
    CHECK_FALSE(exact.difference.has_value());
    CHECK_FALSE(exact.worst->reference.has_value());
    const Finding wide = isolated(row({1.0F, -2.5F, 3.0F}), {1, -2, 2}, {0, 3, 5});
    CHECK(wide.verdict == Verdict::within);
    CHECK(wide.worst->position == 2);
    CHECK(wide.worst->right == 2.0);
    CHECK(wide.used == 0.2);
    CHECK(wide.limit == 5.0);
    CHECK(wide.catches == 2 * 5.0 / 2);
    CHECK(wide.around.empty());
    CHECK(isolated(row({1.0F, -2.5F, 3.0F}), {1, -2, 2}, {0, 0.499, 5}).verdict == Verdict::mismatch);
}

TEST_CASE("isolated: only zeros are vacuous, equal numbers are not") {
    CHECK(isolated(row({0.0F, -0.0F, 0.0F}), {0, 0, 0}, {1, 1, 1}).verdict == Verdict::vacuous);
    CHECK(isolated(row({0.5F, 0.5F, 0.5F}), {0.5, 0.5, 0.5}, {1, 1, 1}).verdict == Verdict::exact);
    CHECK(isolated(row({0.0F, 1e-5F, 0.0F}), {0, 0, 0}, {1, 1, 1}).verdict == Verdict::within);
    CHECK(isolated(row({0.0F, 0.0F, 0.0F}), {0, 1e-50, 0}, {1, 1, 1}).verdict == Verdict::within);
    // Zeros that float might not have reached prove even less.
    CHECK(isolated(row({0.0F, 0.0F, 0.0F}), {0, 0, 0}, {1, kInfinity, 1}).verdict == Verdict::out_of_range);
}

TEST_CASE("isolated: with an unwritten element, the others still have figures") {
    Owned<float> ours = row({1.5F, 2.0F, kNaN, 100.0F});
    const Finding nan = isolated(ours, {1, 2, 3, 100}, {1, 1, 1, 1});
    CHECK(nan.verdict == Verdict::non_finite);
    CHECK(nan.worst->position == 2);
    CHECK(nan.error == 0.5);
    CHECK(nan.used == 0.5);
    CHECK(nan.scale == 100.0);
    ours.unwrite(3);
    const Finding hole = isolated(ours, {1, 2, 3, 100}, {1, 1, 1, 1});
    CHECK(hole.verdict == Verdict::unwritten);
    CHECK(hole.worst->position == 3);
    CHECK(hole.scale == 2.0);
    // Of the elements without figures, the first whose cause is not the range is reported.
    CHECK(isolated(row({kNaN, kNaN}), {1, 2}, {kInfinity, 1}).worst->position == 1);
    CHECK(isolated(row({kNaN, 2.0F}), {kInfinity, 2}, {1, 1}).verdict == Verdict::out_of_range);
    CHECK(isolated(row({kNaN, 9.0F}), {kInfinity, 2}, {1, 1}).verdict == Verdict::mismatch);
}

TEST_CASE("gradcheck: too wide a limit is applied, and undecided") {
    const Finding clear = gradient({1, 100}, {1.25, 100}, {0.5, 1});
    CHECK(clear.verdict == Verdict::within);
    CHECK(clear.worst->position == 0);
    CHECK(gradient({1, 100}, {1.25, 100}, {1.5, 1}).verdict == Verdict::undecided);
    CHECK(gradient({1, 100}, {1.25, 100}, {0.125, 30}).verdict == Verdict::mismatch);  // not held to the widest
    CHECK(gradient({1, 100}, {1.25, 100}, {kInfinity, 1}).verdict == Verdict::undecided);
    CHECK(gradient({1, 100}, {1.25, 100}, {std::nan(""), 1}).verdict == Verdict::mismatch);
    CHECK(gradient({0, 0}, {0, 0}, {1, 1}).verdict == Verdict::undecided);
    // Either of the two may be the larger one.
    CHECK(gradient({1, 2}, {1.25, 100}, {0.5, 100}).scale == 100.0);
    CHECK(gradient({1, -100}, {1.25, 2}, {0.5, 100}).scale == 100.0);
    CHECK(gradient({std::nan(""), 1}, {0, 1}, {1, 1}).verdict == Verdict::non_finite);
}

TEST_CASE("lab: without a limit equal numbers agree, others are out of range, and a NaN fails") {
    for (const double none : {std::nan(""), kInfinity}) {
        CHECK(in_lab({0, 2}, {0, 2}, {none, 0}).verdict == Verdict::exact);
        CHECK(in_lab({0, 2}, {-0.0, 2}, {none, 0}).verdict == Verdict::within);
        CHECK(in_lab({0, 2}, {1e-9, 2}, {none, 0}).verdict == Verdict::out_of_range);
        CHECK(in_lab({0, 2}, {1e-9, 2.5}, {none, 0}).verdict == Verdict::mismatch);
        CHECK(in_lab({0, 2}, {std::nan(""), 2}, {none, 0}).verdict == Verdict::non_finite);
        CHECK(in_lab({kInfinity, 2}, {kInfinity, 2}, {none, 0}).verdict == Verdict::non_finite);
    }
}

TEST_CASE("files: equal bits agree, whatever they are") {
    const float infinity = std::numeric_limits<float>::infinity();
    const Finding same = files<float>({kNaN, 2, -infinity}, {kNaN, 2, -infinity});
    CHECK(same.verdict == Verdict::exact);
    CHECK(same.scale == 2.0);
    CHECK_FALSE(same.worst.has_value());
    CHECK(files<float>({kNaN, 2}, {kNaN, 2.5F}, 0.5).verdict == Verdict::within);
    Owned<float> hole = row({1.0F, 2.0F});
    hole.unwrite(0);
    CHECK(files(hole.view(), hole.view(), 0).verdict == Verdict::exact);
    CHECK(files(hole.view(), row({1.0F, 2.0F}).view(), 1).verdict == Verdict::non_finite);
    // Zeros of either sign differ in their bits, by nothing.
    const Finding zeros = files<float>({1, 0}, {1, -0.0F});
    CHECK(zeros.verdict == Verdict::within);
    CHECK(zeros.worst->position == 1);
    CHECK(zeros.ulp == 0U);
}

TEST_CASE("files: a non-finite element differs from all but the same bits, beyond any limit") {
    const float infinity = std::numeric_limits<float>::infinity();
    const auto other_nan = std::bit_cast<float>(std::bit_cast<std::uint32_t>(kNaN) ^ 1U);
    for (const auto& [a, b] : {std::pair{kNaN, 1.0F},
                               {1.0F, kNaN},
                               {infinity, 1.0F},
                               {1.0F, -infinity},
                               {infinity, -infinity},
                               {kNaN, infinity},
                               {kNaN, other_nan}}) {
        CAPTURE(a, b);
        const Finding found = files<float>({2, 3, a, a}, {2, 4, b, b}, 1e300);
        CHECK(found.verdict == Verdict::non_finite);
        REQUIRE(found.worst);
        CHECK(found.worst->position == 2);
        CHECK_FALSE(found.difference);
        CHECK_FALSE(found.ulp);
        CHECK_FALSE(found.scale);
    }
    CHECK(files<double>({std::nan("")}, {1.0}, 1e300).verdict == Verdict::non_finite);
}

TEST_CASE("files: integers that double cannot distinguish differ") {
    constexpr std::int64_t kLarge = std::int64_t{1} << 60;
    const std::vector<std::int64_t> a = {7, kLarge}, b = {7, kLarge + 1}, least = {INT64_MIN}, most = {INT64_MAX};
    const Finding one = files(whole(a), whole(b), 0);
    CHECK(one.verdict == Verdict::mismatch);
    CHECK(one.difference == 1.0);
    CHECK(one.ulp == 1U);
    CHECK(one.worst->position == 1);
    CHECK(files(whole(least), whole(most), 0).ulp == UINT64_MAX);
    const std::vector<std::int64_t> low = {-3}, high = {4};
    CHECK(files(whole(low), whole(high), 7).verdict == Verdict::within);
}

TEST_CASE("largest_difference: a NaN is preserved") {
    CHECK(largest_difference(std::vector<double>{1, 2, 3}, {1, 5, 2}) == 3);
    CHECK(std::isnan(largest_difference(std::vector<float>{1, kNaN, 9}, {1, 1, 1})));
    CHECK(std::isnan(largest_difference(std::vector<double>{9, 1}, {1, std::nan("")})));
    CHECK(largest_difference(std::vector<double>{}, {}) == 0);
}
