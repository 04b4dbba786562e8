#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <optional>
#include <string>

#include "harness/compare.h"
#include "harness/owned.h"

using namespace byhand;
using test::Owned;
using test::row;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

template <class A, class B>
TensorResult compared(const Owned<A>& manual, const Owned<B>& torch, double limit = 1e-3,
                      AllZero all_zero = AllZero::vacuous) {
    const View ours = manual.view(), theirs = torch.view();
    return compare_tensor("dW1", &ours, &theirs, nullptr, limit, all_zero);
}

}  // namespace

TEST_CASE("equal to the bit is exact, whatever the limit") {
    for (const double limit : {0.0, 1e-3, -1.0}) {
        const TensorResult r = compared(row({0.5F, -2.0F, 0.0F}), row({0.5F, -2.0F, 0.0F}), limit);
        CHECK(r.name == "dW1");
        CHECK(r.shape == Shape{3});
        CHECK(r.verdict == Verdict::exact);
        CHECK(r.bit_equal);
        CHECK(r.max_abs_diff == 0.0);
        CHECK(r.max_ulp == 0U);
        CHECK(r.limit == limit);
        CHECK(r.note.empty());
        CHECK_FALSE(r.error_manual.has_value());
        CHECK_FALSE(r.error_torch.has_value());
    }
    CHECK(compared(row<double>({0.1, 0.2}), row<double>({0.1, 0.2})).verdict == Verdict::exact);
}

TEST_CASE("within, up to the limit and no further") {
    const Owned<float> ours = row({1.0F, 4.0F, -0.5F}), theirs = row({1.0F, 4.25F, -0.5F});
    const TensorResult r = compared(ours, theirs, 0.5);
    CHECK(r.verdict == Verdict::within);
    CHECK_FALSE(r.bit_equal);
    CHECK(r.max_abs_diff == 0.25);
    CHECK(r.max_ulp == 0x80000U);  // a sixteenth of the 2^23 floats from 4 to 8
    REQUIRE(r.worst.has_value());
    CHECK(r.worst->position == 1);
    CHECK(r.worst->manual == 4.0);
    CHECK(r.worst->torch == 4.25);
    CHECK_FALSE(r.worst->oracle.has_value());

    CHECK(compared(ours, theirs, 0.25).verdict == Verdict::within);
    CHECK(compared(ours, theirs, 0.2499999).verdict == Verdict::mismatch);
    CHECK(compared(ours, theirs, 0.0).verdict == Verdict::mismatch);
    CHECK(compared(ours, theirs, std::numeric_limits<double>::quiet_NaN()).verdict == Verdict::mismatch);
}

TEST_CASE("a mismatch carries the same figures as a pass") {
    const TensorResult r = compared(row({1.0F, 4.0F, -0.5F}), row({1.0F, 4.25F, -0.5F}), 0.125);
    CHECK(r.verdict == Verdict::mismatch);
    CHECK(r.max_abs_diff == 0.25);
    CHECK(r.max_ulp == 0x80000U);
    CHECK(r.limit == 0.125);
    CHECK(r.worst->position == 1);
}

TEST_CASE("the largest difference and the largest ULP may stand in different places") {
    const float tiny = std::numeric_limits<float>::denorm_min();
    const TensorResult r = compared(row({8.0F, 1000 * tiny, 3.0F}), row({8.5F, -1000 * tiny, 3.0F}), 1);
    CHECK(r.worst->position == 0);
    CHECK(r.max_abs_diff == 0.5);
    CHECK(r.max_ulp == 0x80000U);  // 8 to 8.5; the second pair is 2,000 apart
    const TensorResult s = compared(row({8.0F, 1.0F}), row({8.0625F, -1.0F}), 3);
    CHECK(s.worst->position == 1);
    CHECK(s.max_ulp == 2 * std::uint64_t{0x3f800000});
}

TEST_CASE("zeros of either sign are no different numbers, and not the same bits") {
    const TensorResult r = compared(row({0.0F, 1.0F}), row({-0.0F, 1.0F}), 0.0);
    CHECK(r.verdict == Verdict::within);
    CHECK_FALSE(r.bit_equal);
    CHECK(r.max_abs_diff == 0.0);
    CHECK(r.max_ulp == 0U);
}

TEST_CASE("the worst element's index is that of its row and column") {
    Owned<float> ours{"x", {3, 1, 5}, std::vector<float>(15, 1.0F)}, theirs = ours;
    theirs.values[13] = 1.5F;
    const TensorResult r = compared(ours, theirs);
    CHECK(r.verdict == Verdict::mismatch);
    CHECK(r.shape == Shape{3, 1, 5});
    CHECK(index_of(r.shape, r.worst->position) == std::vector<std::size_t>{2, 0, 3});
    CHECK(compared(test::scalar(2.0F), test::scalar(3.0F)).worst->position == 0);
}

TEST_CASE("a NaN passes on no side, and not on both") {
    for (const std::size_t at : {0U, 2U}) {
        Owned<float> good = row({1.0F, 2.0F, 3.0F}), bad = good;
        bad.values[at] = kNaN;
        for (const TensorResult& r : {compared(bad, good, kInf), compared(good, bad, kInf), compared(bad, bad, kInf)}) {
            CHECK(r.verdict == Verdict::non_finite);
            CHECK(r.worst->position == at);
            CHECK_FALSE(r.max_abs_diff.has_value());
            CHECK_FALSE(r.max_ulp.has_value());
            CHECK_FALSE(agrees(r.verdict));
        }
    }
    const TensorResult r = compared(row({1.0F, kNaN, kNaN}), row({1.0F, 2.0F, 3.0F}));
    CHECK(r.worst->position == 1);
    CHECK(r.worst->manual != r.worst->manual);
    CHECK(r.worst->torch == 2.0);
}

TEST_CASE("an infinity passes on no side, and not on both") {
    for (const float infinity : {kInf, -kInf}) {
        const Owned<float> good = row({1.0F, 2.0F}), bad = row({1.0F, infinity});
        CHECK(compared(bad, good, kInf).verdict == Verdict::non_finite);
        CHECK(compared(good, bad, kInf).verdict == Verdict::non_finite);
        CHECK(compared(bad, bad, kInf).verdict == Verdict::non_finite);
        CHECK(compared(bad, good).worst->manual == infinity);
    }
    CHECK(compared(row<double>({1e300}), row<double>({std::numeric_limits<double>::infinity()})).verdict ==
          Verdict::non_finite);
}

TEST_CASE("shapes are equal or they differ") {
    const Owned<float> five{"x", {5}, {1, 2, 3, 4, 5}};
    for (const Shape& shape : {Shape{1, 5}, Shape{5, 1}, Shape{5, 1, 1}}) {
        const TensorResult r = compared(five, Owned<float>{"x", shape, five.values}, 1e9);
        CHECK(r.verdict == Verdict::shape);
        CHECK(r.shape == Shape{5});
        CHECK(r.note == "(5) against LibTorch's " + to_string(shape));
        CHECK_FALSE(r.max_abs_diff.has_value());
        CHECK_FALSE(r.worst.has_value());
        CHECK(compared(Owned<float>{"x", shape, five.values}, five).verdict == Verdict::shape);
    }
    CHECK(compared(five, Owned<float>{"x", {4}, {1, 2, 3, 4}}).verdict == Verdict::shape);
    CHECK(compared(test::scalar(1.0F), row({1.0F})).verdict == Verdict::shape);
    // Shape comes before what the numbers are.
    CHECK(compared(row({kNaN}), test::scalar(1.0F)).verdict == Verdict::shape);
}

TEST_CASE("float against double is a difference of shape") {
    const TensorResult r = compared(row<float>({1, 2}), row<double>({1, 2}));
    CHECK(r.verdict == Verdict::shape);
    CHECK(r.note == "element types differ");
    CHECK(compared(row<double>({1, 2}), row<float>({1, 2})).verdict == Verdict::shape);
}

TEST_CASE("what one side does not have is missing") {
    const Owned<float> there{"x", {2, 1}, {1, 2}};
    const View view = there.view();
    const auto missing = [](const View* ours, const View* theirs) {
        return compare_tensor("dW1", ours, theirs, nullptr, 1e9, AllZero::expected);
    };
    for (const auto& [r, shape, note] :
         {std::tuple(missing(nullptr, &view), Shape{2, 1}, std::string("the hand-written side has none")),
          std::tuple(missing(&view, nullptr), Shape{2, 1}, std::string("LibTorch's side has none")),
          std::tuple(missing(nullptr, nullptr), Shape{}, std::string("neither side has one"))}) {
        CHECK(r.verdict == Verdict::missing);
        CHECK(r.name == "dW1");
        CHECK(r.shape == shape);
        CHECK(r.note == note);
        CHECK_FALSE(r.max_abs_diff.has_value());
        CHECK_FALSE(r.worst.has_value());
        CHECK_FALSE(r.limit.has_value());
    }
}

TEST_CASE("what was never written is told from a NaN that was computed") {
    for (const std::size_t at : {0U, 3U}) {
        Owned<float> good = row({1.0F, 2.0F, 3.0F, 4.0F}), hole = good, computed = good;
        hole.unwrite(at);
        CHECK(compared(hole, good).verdict == Verdict::unwritten);
        CHECK(compared(good, hole).verdict == Verdict::unwritten);
        CHECK(compared(hole, hole).verdict == Verdict::unwritten);
        CHECK(compared(hole, good).worst->position == at);
        CHECK_FALSE(compared(hole, good).max_abs_diff.has_value());

        computed.values[at] = hole.values[at] + 1.0F;  // arithmetic makes it a quiet NaN
        CHECK(compared(computed, good).verdict == Verdict::non_finite);
    }
    Owned<double> good = row<double>({1, 2, 3}), hole = good;
    hole.unwrite(2);
    CHECK(compared(hole, good).verdict == Verdict::unwritten);
    good.values[2] = hole.values[2] * 2;
    CHECK(compared(good, row<double>({1, 2, 3})).verdict == Verdict::non_finite);
}

TEST_CASE("never written is said before not finite, wherever the two stand") {
    Owned<float> ours = row({kNaN, 2.0F, 3.0F});
    ours.unwrite(2);
    const TensorResult r = compared(ours, row({1.0F, 2.0F, 3.0F}));
    CHECK(r.verdict == Verdict::unwritten);
    CHECK(r.worst->position == 2);
}

TEST_CASE("all zero on both sides shows nothing, unless it is expected") {
    const Owned<float> zeros = row({0.0F, 0.0F}), signed_zeros = row({0.0F, -0.0F});
    CHECK(compared(zeros, zeros).verdict == Verdict::vacuous);
    CHECK(compared(zeros, signed_zeros).verdict == Verdict::vacuous);
    CHECK_FALSE(agrees(compared(zeros, zeros).verdict));
    CHECK(compared(zeros, zeros).max_abs_diff == 0.0);
    CHECK(compared(zeros, zeros, 1e-3, AllZero::expected).verdict == Verdict::exact);
    CHECK(compared(zeros, signed_zeros, 0.0, AllZero::expected).verdict == Verdict::within);

    // Zero on one side only, or in all places but one, is an ordinary figure.
    const Owned<float> one = row({0.0F, 1e-5F});
    CHECK(compared(zeros, one, 1e-4).verdict == Verdict::within);
    CHECK(compared(zeros, one, 1e-6).verdict == Verdict::mismatch);
    CHECK(compared(one, one).verdict == Verdict::exact);
    // An empty tensor shows nothing either.
    const Owned<float> empty{"x", {0, 3}, {}};
    CHECK(compared(empty, empty).verdict == Verdict::vacuous);
    CHECK_FALSE(compared(empty, empty).worst.has_value());
}

TEST_CASE("each side's error is its distance to the oracle") {
    const Owned<float> ours = row({1.0F, 2.0F, 3.0F}), theirs = row({1.0F, 2.5F, 2.875F});
    const Owned<double> oracle = row<double>({1.0625, 2.25, 3.0});
    const View a = ours.view(), b = theirs.view(), o = oracle.view();
    for (const double limit : {1.0, 1e-9}) {
        const TensorResult r = compare_tensor("h", &a, &b, &o, limit, AllZero::vacuous);
        CHECK(r.error_manual == 0.25);
        CHECK(r.error_torch == 0.25);
        CHECK(r.worst->position == 1);
        CHECK(r.worst->oracle == 2.25);
    }
    const Owned<double> near_ours = row<double>({1.0, 2.0, 3.03125});
    const View n = near_ours.view();
    const TensorResult r = compare_tensor("h", &a, &b, &n, 1, AllZero::vacuous);
    CHECK(r.error_manual == 0.03125);
    CHECK(r.error_torch == 0.5);

    // An exact match may still be far from the truth.
    const TensorResult both = compare_tensor("h", &a, &a, &o, 1e-9, AllZero::vacuous);
    CHECK(both.verdict == Verdict::exact);
    CHECK(both.error_manual == 0.25);
    CHECK(both.error_torch == 0.25);
}

TEST_CASE("an oracle of another shape is none") {
    const Owned<float> ours = row({1.0F, 2.0F});
    const Owned<double> oracle{"x", {2, 1}, {1, 2}};
    const View a = ours.view(), o = oracle.view();
    const TensorResult r = compare_tensor("h", &a, &a, &o, 1, AllZero::vacuous);
    CHECK(r.verdict == Verdict::exact);
    CHECK_FALSE(r.error_manual.has_value());
    CHECK_FALSE(r.worst->oracle.has_value());
}

TEST_CASE("an oracle that is not a number does not look like one that agrees") {
    const Owned<float> ours = row({1.0F, 2.0F, 3.0F});
    Owned<double> oracle = row<double>({1, std::numeric_limits<double>::quiet_NaN(), 3});
    const View a = ours.view(), o = oracle.view();
    const TensorResult r = compare_tensor("h", &a, &a, &o, 1, AllZero::vacuous);
    REQUIRE(r.error_manual.has_value());
    CHECK(*r.error_manual != *r.error_manual);
    CHECK(*r.error_torch != *r.error_torch);
}

TEST_CASE("only exact and within are agreement") {
    CHECK(agrees(Verdict::exact));
    CHECK(agrees(Verdict::within));
    for (const Verdict verdict : {Verdict::mismatch, Verdict::non_finite, Verdict::shape, Verdict::missing,
                                  Verdict::unwritten, Verdict::vacuous}) {
        CHECK_FALSE(agrees(verdict));
    }
    CHECK_FALSE(agrees(TensorResult{}.verdict));
}

TEST_CASE("verdicts by their names") {
    CHECK(to_string(Verdict::exact) == "exact");
    CHECK(to_string(Verdict::within) == "within");
    CHECK(to_string(Verdict::mismatch) == "mismatch");
    CHECK(to_string(Verdict::non_finite) == "non-finite");
    CHECK(to_string(Verdict::shape) == "shape");
    CHECK(to_string(Verdict::missing) == "missing");
    CHECK(to_string(Verdict::unwritten) == "unwritten");
    CHECK(to_string(Verdict::vacuous) == "vacuous");
}
