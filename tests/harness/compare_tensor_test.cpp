#include <catch2/catch_test_macros.hpp>
#include <tuple>
#include <vector>

#include "harness/end_to_end/compare_views.h"
#include "judge/owned.h"

using namespace byhand;
using test::Owned;
using test::row;

namespace {

const std::vector<double> kOne = {1.0};

}  // namespace

TEST_CASE("compare: the error is from the oracle, the difference from LibTorch") {
    const Owned<float> ours = row({1.0F, 200.0F}), theirs = row({1.0F, 200.5F});
    const Owned<double> truth = row<double>({1.0, 200.25});
    const View manual = ours.view(), torch = theirs.view(), oracle = truth.view();
    const Finding r = compare_tensor(&manual, &torch, &oracle, kOne, Vacuous::constant);
    CHECK(r.verdict == Verdict::within);
    CHECK(r.difference == 0.5);
    CHECK(r.error == 0.25);
    CHECK(r.worst->right == 200.25);
    CHECK(r.worst->reference == 200.5);
    // One that is too wide for the values decides nothing.
    CHECK(compare_tensor(&manual, &torch, &oracle, std::vector<double>{3.0}, Vacuous::constant).verdict ==
          Verdict::undecided);
}

TEST_CASE("compare: an oracle of another shape is none") {
    const Owned<float> ours = row({1.0F, 2.0F});
    const Owned<double> truth{"x", {2, 1}, {1, 2}};
    const View manual = ours.view(), oracle = truth.view();
    const Finding r = compare_tensor(&manual, &manual, &oracle, kOne, Vacuous::constant);
    CHECK(r.verdict == Verdict::exact);
    CHECK_FALSE(r.error.has_value());
    CHECK_FALSE(r.worst->right.has_value());
}

TEST_CASE("compare: constant tensors are vacuous where that is not expected") {
    const Owned<float> zeros = row({0.0F, 0.0F, 0.0F});
    const View view = zeros.view();
    CHECK(compare_tensor(&view, &view, nullptr, kOne, Vacuous::constant).verdict == Verdict::vacuous);
    CHECK(compare_tensor(&view, &view, nullptr, kOne, Vacuous::never).verdict == Verdict::exact);
}

TEST_CASE("compare: the note says how shapes or types differ") {
    const Owned<float> five{"x", {5}, {1, 2, 3, 4, 5}}, column{"x", {5, 1}, five.values};
    const Owned<double> wide{"x", {5}, {1, 2, 3, 4, 5}};
    const View a = five.view(), b = column.view(), c = wide.view();
    const Finding shapes = compare_tensor(&a, &b, nullptr, kOne, Vacuous::constant);
    CHECK(shapes.verdict == Verdict::shape);
    CHECK(shapes.note == "(5) against LibTorch's (5, 1)");
    CHECK(compare_tensor(&a, &c, nullptr, kOne, Vacuous::constant).note == "element types differ");
    CHECK(compare_tensor(&a, &a, nullptr, kOne, Vacuous::constant).note.empty());
}

TEST_CASE("compare: what one side does not have is missing") {
    const Owned<float> there{"x", {2, 1}, {1, 2}};
    const View view = there.view();
    const auto missing = [](const View* ours, const View* theirs) {
        return compare_tensor(ours, theirs, nullptr, std::vector<double>{1e9}, Vacuous::never);
    };
    for (const auto& [r, shape, note] :
         {std::tuple(missing(nullptr, &view), Shape{2, 1}, std::string("the hand-written implementation has none")),
          std::tuple(missing(&view, nullptr), Shape{2, 1}, std::string("LibTorch has none")),
          std::tuple(missing(nullptr, nullptr), Shape{}, std::string("neither side has one"))}) {
        CHECK(r.verdict == Verdict::missing);
        CHECK(r.shape == shape);
        CHECK(r.note == note);
        CHECK_FALSE(r.difference.has_value());
        CHECK_FALSE(r.worst.has_value());
        CHECK_FALSE(r.limit.has_value());
    }
}
