#include "judge/finding.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "judge/owned.h"

using namespace byhand;
using test::Owned;
using test::row;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

JudgeOptions end_to_end(Vacuous vacuous = Vacuous::constant) {
    return {.too_wide = TooWide::held_to_widest, .vacuous = vacuous};
}

// With a reference only.
template <class A, class B>
Finding compared(const Owned<A>& ours, const Owned<B>& reference, double limit = 1e-3,
                 Vacuous vacuous = Vacuous::constant) {
    const View other = reference.view();
    return judge(ours.view(), nullptr, &other, std::span(&limit, 1), end_to_end(vacuous));
}

// With the right values, a reference, and a limit for each element.
template <class T>
Finding judged(const Owned<T>& ours, const Owned<T>& reference, const Owned<double>& right,
               const std::vector<double>& limits) {
    const View other = reference.view(), truth = right.view();
    return judge(ours.view(), &truth, &other, limits, end_to_end());
}

}  // namespace

TEST_CASE("judge: equal bits are exact, whatever the limit") {
    for (const double limit : {0.0, 1e-3, -1.0}) {
        const Finding r = compared(row({0.5F, -2.0F, 0.0F}), row({0.5F, -2.0F, 0.0F}), limit);
        CHECK(r.shape == Shape{3});
        CHECK(r.verdict == Verdict::exact);
        CHECK(r.bit_equal);
        CHECK(r.difference == 0.0);
        CHECK(r.ulp == 0U);
        CHECK(r.limit == limit);
        CHECK(r.used == 0.0);
        CHECK(r.scale == 2.0);
        CHECK(r.around.empty());
        CHECK(r.note.empty());
        CHECK_FALSE(r.error.has_value());
        CHECK_FALSE(r.reference_error.has_value());
    }
    CHECK(compared(row<double>({0.1, 0.2}), row<double>({0.1, 0.2})).verdict == Verdict::exact);
}

TEST_CASE("judge: within, up to the limit and no further") {
    const Owned<float> ours = row({1.0F, 4.0F, -0.5F, 100.0F}), theirs = row({1.0F, 4.25F, -0.5F, 100.0F});
    const Finding r = compared(ours, theirs, 0.5);
    CHECK(r.verdict == Verdict::within);
    CHECK_FALSE(r.bit_equal);
    CHECK(r.difference == 0.25);
    CHECK(r.ulp == 0x80000U);  // a sixteenth of the 2^23 floats from 4 to 8
    REQUIRE(r.worst.has_value());
    CHECK(r.worst->position == 1);
    CHECK(r.worst->ours == 4.0);
    CHECK(r.worst->reference == 4.25);
    CHECK_FALSE(r.worst->right.has_value());
    CHECK(r.used == 0.5);
    CHECK(r.scale == 100.0);
    CHECK_FALSE(r.error.has_value());
    CHECK_FALSE(r.reference_further_off);

    CHECK(compared(ours, theirs, 0.25).verdict == Verdict::within);
    CHECK(compared(ours, theirs, 0.2499999).verdict == Verdict::mismatch);
    CHECK(compared(ours, theirs, 0.0).verdict == Verdict::mismatch);
    CHECK(compared(ours, theirs, -1.0).verdict == Verdict::mismatch);
}

TEST_CASE("judge: a mismatch has the same figures as a pass") {
    const Finding r = compared(row({1.0F, 4.0F, -0.5F}), row({1.0F, 4.25F, -0.5F}), 0.125);
    CHECK(r.verdict == Verdict::mismatch);
    CHECK(r.difference == 0.25);
    CHECK(r.ulp == 0x80000U);
    CHECK(r.limit == 0.125);
    CHECK(r.used == 2.0);
    CHECK(r.worst->position == 1);
}

TEST_CASE("judge: a wrong element is shown with its neighbours in the row, and no others") {
    const auto around = [](std::size_t at) {
        Owned<float> ours{"x", {2, 7}, std::vector<float>(14, 1.0F)}, theirs = ours;
        for (std::size_t i = 0; i < 14; ++i) {
            ours.values[i] = static_cast<float>(i + 1);
            theirs.values[i] = static_cast<float>(i + 1);
        }
        theirs.values[at] += 1.0F;
        std::vector<std::size_t> positions;
        for (const Neighbour& neighbour : compared(ours, theirs).around) {
            CHECK(neighbour.ours == static_cast<double>(neighbour.position) + 1);
            CHECK(neighbour.reference == neighbour.ours + (neighbour.position == at ? 1 : 0));
            positions.push_back(neighbour.position);
        }
        return positions;
    };
    CHECK(around(3) == std::vector<std::size_t>{1, 2, 3, 4, 5});
    CHECK(around(6) == std::vector<std::size_t>{4, 5, 6});
    CHECK(around(7) == std::vector<std::size_t>{7, 8, 9});
    CHECK(around(8) == std::vector<std::size_t>{7, 8, 9, 10});
    CHECK(compared(test::scalar(2.0F), test::scalar(3.0F)).around.size() == 1);
    CHECK(compared(row({1.0F, kNaN, 3.0F}), row({1.0F, 2.0F, 3.0F})).around.size() == 3);
}

TEST_CASE("judge: the largest difference and the largest ULP may be in different elements") {
    const float tiny = std::numeric_limits<float>::denorm_min();
    const Finding r = compared(row({8.0F, 1000 * tiny, 300.0F}), row({8.5F, -1000 * tiny, 300.0F}), 1);
    CHECK(r.worst->position == 0);
    CHECK(r.difference == 0.5);
    CHECK(r.ulp == 0x80000U);  // 8 to 8.5; the second pair is 2,000 apart
    const Finding s = compared(row({8.0F, 1.0F}), row({8.0625F, -1.0F}), 3);
    CHECK(s.worst->position == 1);
    CHECK(s.ulp == 2 * std::uint64_t{0x3f800000});
}

TEST_CASE("judge: zeros of either sign are equal numbers with different bits") {
    const Finding r = compared(row({0.0F, 1.0F}), row({-0.0F, 1.0F}), 0.0);
    CHECK(r.verdict == Verdict::within);
    CHECK_FALSE(r.bit_equal);
    CHECK(r.difference == 0.0);
    CHECK(r.ulp == 0U);
}

TEST_CASE("judge: the worst element's index is its row and column") {
    Owned<float> ours{"x", {3, 1, 5}, std::vector<float>(15, 1.0F)}, theirs = ours;
    theirs.values[13] = 1.5F;
    const Finding r = compared(ours, theirs);
    CHECK(r.verdict == Verdict::mismatch);
    CHECK(r.shape == Shape{3, 1, 5});
    CHECK(index_of(r.shape, r.worst->position) == std::vector<std::size_t>{2, 0, 3});
    CHECK(compared(test::scalar(2.0F), test::scalar(3.0F)).worst->position == 0);
}

TEST_CASE("judge: a NaN never passes, in either array or in both") {
    for (const std::size_t at : {0U, 2U}) {
        Owned<float> good = row({1.0F, 2.0F, 3.0F}), bad = good;
        bad.values[at] = kNaN;
        for (const Finding& r : {compared(bad, good, 1e30), compared(good, bad, 1e30), compared(bad, bad, 1e30)}) {
            CHECK(r.verdict == Verdict::non_finite);
            CHECK(r.worst->position == at);
            CHECK_FALSE(r.difference.has_value());
            CHECK_FALSE(r.ulp.has_value());
            CHECK_FALSE(agrees(r.verdict));
        }
    }
    const Finding r = compared(row({1.0F, kNaN, kNaN}), row({1.0F, 2.0F, 3.0F}));
    CHECK(r.worst->position == 1);
    CHECK(r.worst->ours != r.worst->ours);
    CHECK(r.worst->reference == 2.0);
}

TEST_CASE("judge: an infinity never passes, in either array or in both") {
    for (const float infinity : {kInf, -kInf}) {
        const Owned<float> good = row({1.0F, 2.0F}), bad = row({1.0F, infinity});
        CHECK(compared(bad, good, 1e30).verdict == Verdict::non_finite);
        CHECK(compared(good, bad, 1e30).verdict == Verdict::non_finite);
        CHECK(compared(bad, bad, 1e30).verdict == Verdict::non_finite);
        CHECK(compared(bad, good).worst->ours == infinity);
    }
    CHECK(compared(row<double>({1e300}), row<double>({std::numeric_limits<double>::infinity()})).verdict ==
          Verdict::non_finite);
}

TEST_CASE("judge: shapes must be equal, and limits one or one per element") {
    const Owned<float> five{"x", {5}, {1, 2, 3, 4, 5}};
    for (const Shape& shape : {Shape{1, 5}, Shape{5, 1}, Shape{5, 1, 1}}) {
        const Finding r = compared(five, Owned<float>{"x", shape, five.values}, 1e9);
        CHECK(r.verdict == Verdict::shape);
        CHECK(r.shape == Shape{5});
        CHECK_FALSE(r.difference.has_value());
        CHECK_FALSE(r.worst.has_value());
        CHECK(compared(Owned<float>{"x", shape, five.values}, five).verdict == Verdict::shape);
    }
    CHECK(compared(five, Owned<float>{"x", {4}, {1, 2, 3, 4}}).verdict == Verdict::shape);
    CHECK(compared(test::scalar(1.0F), row({1.0F})).verdict == Verdict::shape);
    const Owned<double> right{"x", {5, 1}, {1, 2, 3, 4, 5}};
    CHECK(judged(five, five, right, {1}).verdict == Verdict::shape);
    CHECK(judged(five, five, {"x", {5}, right.values}, {1, 1, 1, 1}).verdict == Verdict::shape);
    // Shape takes precedence over the numbers.
    CHECK(compared(row({kNaN}), test::scalar(1.0F)).verdict == Verdict::shape);
}

TEST_CASE("judge: without a right value or reference the verdict is missing") {
    const Owned<float> ours = row({1.0F, 2.0F});
    const Finding r = judge(ours.view(), nullptr, nullptr, std::vector<double>{1e9}, {});
    CHECK(r.verdict == Verdict::missing);
    CHECK_FALSE(r.worst.has_value());
}

TEST_CASE("judge: float against double is a difference of shape") {
    const Finding r = compared(row<float>({1, 2}), row<double>({1, 2}));
    CHECK(r.verdict == Verdict::shape);
    CHECK(compared(row<double>({1, 2}), row<float>({1, 2})).verdict == Verdict::shape);
}

TEST_CASE("judge: unwritten elements are distinguished from computed NaNs") {
    for (const std::size_t at : {0U, 3U}) {
        Owned<float> good = row({1.0F, 2.0F, 3.0F, 4.0F}), hole = good, computed = good;
        hole.unwrite(at);
        CHECK(compared(hole, good).verdict == Verdict::unwritten);
        CHECK(compared(good, hole).verdict == Verdict::unwritten);
        CHECK(compared(hole, hole).verdict == Verdict::unwritten);
        CHECK(compared(hole, good).worst->position == at);
        CHECK_FALSE(compared(hole, good).difference.has_value());

        computed.values[at] = hole.values[at] + 1.0F;  // arithmetic makes it a quiet NaN
        CHECK(compared(computed, good).verdict == Verdict::non_finite);
    }
    Owned<double> good = row<double>({1, 2, 3}), hole = good;
    hole.unwrite(2);
    CHECK(compared(hole, good).verdict == Verdict::unwritten);
    good.values[2] = hole.values[2] * 2;
    CHECK(compared(good, row<double>({1, 2, 3})).verdict == Verdict::non_finite);
}

TEST_CASE("judge: unwritten takes precedence over non-finite, whatever their positions") {
    Owned<float> ours = row({kNaN, 2.0F, 3.0F});
    ours.unwrite(2);
    const Finding r = compared(ours, row({1.0F, 2.0F, 3.0F}));
    CHECK(r.verdict == Verdict::unwritten);
    CHECK(r.worst->position == 2);
}

TEST_CASE("judge: all zero in both is vacuous, unless it is expected") {
    const Owned<float> zeros = row({0.0F, 0.0F}), signed_zeros = row({0.0F, -0.0F});
    CHECK(compared(zeros, zeros).verdict == Verdict::vacuous);
    CHECK(compared(zeros, signed_zeros).verdict == Verdict::vacuous);
    CHECK_FALSE(agrees(compared(zeros, zeros).verdict));
    CHECK(compared(zeros, zeros).difference == 0.0);
    CHECK(compared(zeros, zeros, 1e-3, Vacuous::never).verdict == Verdict::exact);
    CHECK(compared(zeros, signed_zeros, 0.0, Vacuous::never).verdict == Verdict::within);

    // Zero in only one of them, or in all elements but one, is an ordinary figure.
    const Owned<float> one = row({0.0F, 1e-5F});
    CHECK(compared(zeros, one, 1e-4).verdict == Verdict::undecided);  // the limit is wider than the values
    CHECK(compared(zeros, one, 1e-6).verdict == Verdict::mismatch);
    CHECK(compared(one, one).verdict == Verdict::exact);
    // An empty tensor is vacuous too.
    const Owned<float> empty{"x", {0, 3}, {}};
    CHECK(compared(empty, empty).verdict == Verdict::vacuous);
    CHECK_FALSE(compared(empty, empty).worst.has_value());
}

TEST_CASE("judge: all equal in both is vacuous too, unless it is expected") {
    const Owned<float> equal = row({0.5F, 0.5F, 0.5F}), other = row({0.5F, 0.5F, 0.25F});
    CHECK(compared(equal, equal).verdict == Verdict::vacuous);
    CHECK(compared(equal, row({0.50001F, 0.50001F, 0.50001F})).verdict == Verdict::vacuous);
    // A mismatch takes precedence over vacuous.
    CHECK(compared(equal, row({0.75F, 0.75F, 0.75F})).verdict == Verdict::mismatch);
    CHECK(compared(equal, equal, 1e-3, Vacuous::never).verdict == Verdict::exact);
    CHECK(compared(other, other).verdict == Verdict::exact);
    CHECK(compared(equal, other).verdict == Verdict::mismatch);
    CHECK(compared(other, equal).verdict == Verdict::mismatch);
    CHECK(compared(row({0.5F, 0.5F, 0.50001F}), equal).verdict == Verdict::within);
    CHECK(compared(equal, row({0.5F, 0.5F, 0.50001F})).verdict == Verdict::within);
    // A single number equals itself, which is no reason for vacuous.
    CHECK(compared(row({0.5F}), row({0.5F})).verdict == Verdict::exact);
    CHECK(compared(test::scalar(0.5F), test::scalar(0.5F)).verdict == Verdict::exact);
    CHECK(compared(test::scalar(0.0F), test::scalar(0.0F)).verdict == Verdict::vacuous);
}

TEST_CASE("judge: each error is the distance to the right value") {
    const Owned<float> ours = row({1.0F, 2.0F, 3.0F}), theirs = row({1.0F, 2.5F, 2.875F});
    for (const double limit : {1.0, 1e-9}) {
        const Finding r = judged(ours, theirs, row<double>({1.0625, 2.25, 3.0}), {limit});
        CHECK(r.error == 0.25);
        CHECK(r.reference_error == 0.25);
        CHECK(r.scale == 3.0);
        CHECK(r.worst->position == 1);
        CHECK(r.worst->right == 2.25);
        CHECK(r.used == 0.25 / limit);
    }
    const Finding r = judged(ours, theirs, row<double>({1.0, 2.0, 3.03125}), {1.0});
    CHECK(r.error == 0.03125);
    CHECK(r.reference_error == 0.5);

    // An exact match may still be far from the truth.
    const Finding both = judged(ours, ours, row<double>({1.0625, 2.25, 3.0}), {1e-9});
    CHECK(both.verdict == Verdict::exact);
    CHECK(both.error == 0.25);
    CHECK(both.reference_error == 0.25);
}

TEST_CASE("judge: with right values, our distance to them decides, not that to LibTorch") {
    const Owned<double> truth = row<double>({1.0, 200.0});
    // LibTorch is off by 1, we are right.
    const Finding right = judged(row({1.0F, 200.0F}), row({1.0F, 201.0F}), truth, {0.5});
    CHECK(right.verdict == Verdict::within);
    CHECK(right.difference == 1.0);
    CHECK(right.used == 0.0);
    // We are wrong, although LibTorch is wrong by almost the same amount.
    CHECK(judged(row({1.0F, 201.0F}), row({1.0F, 200.875F}), truth, {0.5}).verdict == Verdict::mismatch);
}

TEST_CASE("judge: each element has its own limit") {
    const Owned<float> ours = row({1.0F, 100.0F, 5.0F}), theirs = row({1.0F, 100.5F, 5.0F});
    const Owned<double> truth = row<double>({1.125, 100.5, 5.0});
    CHECK(judged(ours, theirs, truth, {0.125, 0.5, 0.0}).verdict == Verdict::within);
    CHECK(judged(ours, theirs, truth, {0.124, 0.5, 0.0}).verdict == Verdict::mismatch);
    CHECK(judged(ours, theirs, truth, {0.125, 0.499, 0.0}).verdict == Verdict::mismatch);
    // The worst is the one with the largest share of its limit, not the largest error.
    const Finding r = judged(ours, theirs, truth, {0.25, 4.0, 0.0});
    CHECK(r.worst->position == 0);
    CHECK(r.limit == 0.25);
    CHECK(r.used == 0.5);
    CHECK(r.error == 0.5);
}

TEST_CASE("judge: with a limit of 0 the largest error is the worst") {
    const Finding r = compared(row({1.0F, 2.0F, 3.0F, 4.0F}), row({1.0F, 2.25F, 3.75F, 4.5F}), 0.0);
    CHECK(r.worst->position == 2);
    CHECK(r.used == std::numeric_limits<double>::infinity());
}

TEST_CASE("judge: the first of equal shares is the worst") {
    const Finding r = compared(row({1.0F, 2.25F, 3.0F, 4.25F}), row({1.0F, 2.0F, 3.0F, 4.0F}), 0.125);
    CHECK(r.worst->position == 1);
}

TEST_CASE("judge: an element with an uninformative limit is held to the tensor's widest") {
    const Owned<double> truth = row<double>({1.0, 100.0, 5.0});
    const Finding r = judged(row({3.0F, 100.0F, 5.0F}), row({1.0F, 100.0F, 5.0F}), truth, {1.125, 4.0, 2.0});
    CHECK(r.verdict == Verdict::undecided);
    CHECK(r.used == 0.5);
    CHECK(judged(row({6.0F, 100.0F, 5.0F}), row({1.0F, 100.0F, 5.0F}), truth, {1.125, 4.0, 2.0}).limit == 4.0);
    CHECK(judged(row({6.0F, 100.0F, 5.0F}), row({1.0F, 100.0F, 5.0F}), truth, {1.125, 4.0, 2.0}).verdict ==
          Verdict::mismatch);
}

TEST_CASE("judge: the extremes excludes non-finite elements, and those without a limit") {
    const double infinity = std::numeric_limits<double>::infinity();
    const Owned<double> right = row<double>({-2.0, 1.0, 300.0, infinity});
    const Extremes extremes = extremes_of(right.view(), std::vector<double>{0.25, 0.5, infinity, 7.0});
    CHECK(extremes.scale == 2.0);
    CHECK(extremes.widest == 0.5);
}

TEST_CASE("judge: a limit too wide for the scale is undecided, but a mismatch remains one") {
    const Owned<float> ours = row({1.0F, 100.0F}), theirs = row({1.0F, 100.25F});
    const Owned<double> truth = row<double>({1.0, 100.25});
    CHECK(judged(ours, theirs, truth, {1.0}).verdict == Verdict::within);  // exactly a hundredth of 100.25
    CHECK(judged(ours, theirs, truth, {1.01}).verdict == Verdict::undecided);
    CHECK(judged(ours, theirs, truth, {1.01, 0.25}).verdict == Verdict::undecided);  // one element suffices
    CHECK(judged(ours, theirs, truth, {1.01, 0.125}).verdict == Verdict::mismatch);
    CHECK(judged(ours, ours, truth, {1.01}).verdict == Verdict::exact);
    CHECK_FALSE(agrees(Verdict::undecided));
}

TEST_CASE("judge: an element with a non-finite limit or right value is out of range") {
    const Owned<float> ours = row({1.0F, 100.0F, kInf}), theirs = row({1.0F, 100.0F, kInf});
    const Owned<double> truth = row<double>({1.0, 100.0, 1e39});
    const double out = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    for (const double limit : {out, nan}) {
        const Finding r = judged(ours, theirs, truth, {0.5, 0.5, limit});
        CHECK(r.verdict == Verdict::out_of_range);
        CHECK(r.worst->position == 2);
        CHECK(r.difference == 0.0);  // of those in range
    }
    CHECK(judged(ours, theirs, truth, {0.5}).verdict == Verdict::non_finite);
    CHECK(judged(ours, theirs, row<double>({1.0, 100.0, out}), {0.5}).verdict == Verdict::out_of_range);
    CHECK(judged(ours, theirs, row<double>({1.0, 100.0, nan}), {0.5}).verdict == Verdict::out_of_range);
    CHECK_FALSE(agrees(Verdict::out_of_range));
    // Elements in range are still judged, and so are their NaNs.
    CHECK(judged(row({2.0F, 100.0F, kInf}), theirs, truth, {0.5, 0.5, out}).verdict == Verdict::mismatch);
    CHECK(judged(row({kNaN, 100.0F, kInf}), theirs, truth, {0.5, 0.5, out}).verdict == Verdict::non_finite);
    CHECK(judged(row({1.0F, 100.0F, kNaN}), theirs, truth, {0.5, 0.5, out}).verdict == Verdict::out_of_range);
    Owned<float> hole = ours;
    hole.unwrite(2);
    CHECK(judged(hole, theirs, truth, {0.5, 0.5, out}).verdict == Verdict::unwritten);
}

TEST_CASE("judge: LibTorch is further off if its error exceeds the limit and ours") {
    const Owned<double> truth = row<double>({1.0, 100.0});
    const Owned<float> right = row({1.0F, 100.0F}), near = row({1.0F, 100.25F}), far = row({1.0F, 102.0F});
    CHECK(judged(right, far, truth, {0.5}).reference_further_off);
    CHECK(judged(right, far, truth, {0.5}).verdict == Verdict::within);
    CHECK_FALSE(judged(right, near, truth, {0.5}).reference_further_off);
    CHECK_FALSE(judged(far, far, truth, {0.5}).reference_further_off);
    CHECK_FALSE(judged(far, near, truth, {0.125}).reference_further_off);
    CHECK(judged(near, far, truth, {0.125}).reference_further_off);  // neither is right
    CHECK(judged(near, far, truth, {0.125}).verdict == Verdict::mismatch);
    CHECK_FALSE(compared(right, far, 0.5).reference_further_off);  // unknown without right values
    const Finding overflown = judged(right, row({1.0F, kInf}), truth, {0.5});
    CHECK(overflown.verdict == Verdict::within);
    CHECK(overflown.reference_further_off);
    CHECK(overflown.difference == std::numeric_limits<double>::infinity());
    CHECK(overflown.reference_error == std::numeric_limits<double>::infinity());
}
