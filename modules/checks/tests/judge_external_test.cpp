// External values: each is judged by the other external values.
#include "checks/external/judge_external.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/tensors.h"
#include "checks/tests/external_file.h"
#include "harness/hand_made.h"

using namespace byhand;
using Catch::Matchers::ContainsSubstring;
using test::FakeReferenceOperations;
using test::File;

namespace {

constexpr std::size_t kElements = 7;
constexpr double kHalfAsMuchAgain = 1.5;

template <class T>
void square(T* y, const T* x) {
    test::square(y, x, kElements);
}
template <class T>
void scale(T* y, const T* x) {
    test::times(y, x, kElements, kHalfAsMuchAgain);
}
template <class T>
void product(T* y, const T* a, const T* b) {
    for (std::size_t i = 0; i < kElements; ++i) {
        y[i] = a[i] * b[i];
    }
}
template <class T>
void by_index(T* y, const T* a, const std::int64_t* indices) {
    for (std::size_t i = 0; i < kElements; ++i) {
        y[i] = a[static_cast<std::size_t>(indices[i])];
    }
}

// y ← x, 1.5 times; dy ← y, its square; dx ← dy, y, their product; dz ← dx, 1.5 times; dg ← dy by the indices X.
Graph small_chain() {
    Graph network = test::empty_network();
    add(network.forward, "y", {kElements}, {"x"}, BYHAND_FUNCTION(scale));
    add(network.backward, "dy", {kElements}, {"y"}, BYHAND_FUNCTION(square));
    add(network.backward, "dx", {kElements}, {"dy", "y"}, BYHAND_FUNCTION(product));
    add(network.backward, "dz", {kElements}, {"dx"}, BYHAND_FUNCTION(scale));
    add(network.backward, "dg", {kElements}, {"dy", "X"}, BYHAND_FUNCTION(by_index));
    return network;
}

// In one step from y: dx ← y, its square. (Another formula than above, so that it shows which was taken.)
Graph collapsed_chain() {
    Graph network = test::empty_network();
    add(network.backward, "dx", {kElements}, {"y"}, BYHAND_FUNCTION(square));
    return network;
}

using Row = std::vector<float>;
const Row kX = {0.5F, -1.25F, 3, 0.0625F, -7, 0.3F, 11};
const std::vector<std::int64_t> kPlaces = {6, 6, 0, 3, 1, 5, 2};

Row scaled(Row row) {
    std::ranges::for_each(row, [](float& x) { x *= static_cast<float>(kHalfAsMuchAgain); });
    return row;
}
Row times(Row a, const Row& b) {
    std::ranges::transform(a, b, a.begin(), std::multiplies<>());
    return a;
}
Row squared(const Row& row) {
    return times(row, row);
}
Row picked(const Row& row) {
    Row all;
    for (const std::int64_t place : kPlaces) {
        all.push_back(row[static_cast<std::size_t>(place)]);
    }
    return all;
}

struct Chain {
    FakeReferenceOperations stepwise, collapsed;
    Limits limits;
    Row y = scaled(kX), dy = squared(y), dx = times(dy, y), dz = scaled(dx), dg = picked(dy);  // all right

    Chain() {
        const TensorSpec x{"x", {kElements}}, sy{"y", {kElements}}, sdy{"dy", {kElements}}, sdx{"dx", {kElements}},
            X{"X", {kElements}};
        const auto one_and_a_half = [](double v) { return kHalfAsMuchAgain * v; };
        const auto to_square = [](double v) { return v * v; };
        stepwise.add("y", {x}, test::element_by_element("x", one_and_a_half));
        stepwise.add("dy", {sy}, test::element_by_element("y", to_square));
        stepwise.add("dx", {sdy, sy}, [](const std::vector<View>& values) {
            std::vector<double> made = test::numbers(values, "dy");
            const std::vector<double> by = test::numbers(values, "y");
            std::ranges::transform(made, by, made.begin(), std::multiplies<>());
            return made;
        });
        stepwise.add("dz", {sdx}, test::element_by_element("dx", one_and_a_half));
        stepwise.add("dg", {sdy, X}, [](const std::vector<View>& values) {
            const std::vector<double> from = test::numbers(values, "dy");
            std::vector<double> made;
            for (const double place : test::numbers(values, "X")) {
                made.push_back(from[static_cast<std::size_t>(place)]);
            }
            return made;
        });
        collapsed.add("dx", {sy}, test::element_by_element("y", to_square));
    }

    // The reference has x and y, and gradients on which no reference operation may depend.
    std::vector<IsolatedStep> judged(const std::vector<std::pair<std::string, Row>>& given) const {
        File file;
        for (const auto& [name, numbers] : given) {
            file.add(name, {kElements}, numbers);
        }
        return judged(file);
    }
    std::vector<IsolatedStep> judged(const File& file) const {
        Tensors<double> reference;
        reference.put({"x", {kElements}}, kX);
        reference.put({"y", {kElements}}, scaled(kX));
        reference.put({"X", {kElements}}, kPlaces);
        for (const std::string name : {"dy", "dx", "dz", "dg"}) {
            reference.put({name, {kElements}}, Row(kElements, 1e6F));
        }
        const std::vector<SizedForm> forms = {
            {small_chain(), std::make_shared<FakeReferenceOperations>(stepwise)},
            {collapsed_chain(), std::make_shared<FakeReferenceOperations>(collapsed)}};
        const std::vector<View> given = file.views();
        return judge_external(given, small_chain(), forms, reference.views(), limits, computed_in_double(given, {}));
    }
};

std::vector<std::string> names(const std::vector<IsolatedStep>& all, bool only_wrong = false) {
    std::vector<std::string> made;
    for (const IsolatedStep& one : all) {
        if (!only_wrong || one.wrong()) {
            made.push_back(one.makes);
        }
    }
    return made;
}
std::vector<std::string> wrong(const std::vector<IsolatedStep>& all) {
    return names(all, true);
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("judge_external: right ones are right, each by its own step") {
    Chain c;
    const auto all = c.judged({{"y", c.y}, {"dy", c.dy}, {"dx", c.dx}, {"dz", c.dz}, {"dg", c.dg}});
    CHECK(names(all) == Names{"y", "dy", "dx", "dz", "dg"});
    CHECK(wrong(all).empty());
    for (const IsolatedStep& one : all) {
        INFO(one.makes);
        CHECK(one.verdict() == one.on_batch().verdict);
        CHECK(agrees(one.verdict()));
        CHECK(one.on_random().verdict == Verdict::not_given);
        CHECK(one.trials.size() == 1);
        CHECK(one.shape == Shape{kElements});
        CHECK(one.on_batch().scale > 1);
        CHECK(one.on_batch().used.value_or(1) < 1);
    }
    CHECK(all[2].function == "product");
    CHECK(all[2].reads == Names{"dy", "y"});
}

TEST_CASE("judge_external: a wrong one is a mismatch, with the place and a hint") {
    Chain c;
    Row twice = c.dx, one_off = c.dx;
    std::ranges::for_each(twice, [](float& x) { x *= 2; });
    const auto doubled = c.judged({{"dy", c.dy}, {"dx", twice}});
    CHECK(wrong(doubled) == Names{"dx"});
    CHECK(doubled[1].on_batch().verdict == Verdict::mismatch);
    CHECK_THAT(doubled[1].on_batch().hint, ContainsSubstring("twice the right answer"));
    for (int floats = 0; floats < 5; ++floats) {  // where a product has half of one, in other words two
        one_off[3] = std::nextafter(one_off[3], 1.0F);
    }
    const auto off = c.judged({{"dy", c.dy}, {"y", c.y}, {"dx", one_off}});
    CHECK(wrong(off) == Names{"dx"});
    CHECK(off[2].on_batch().worst->position == 3);
    Row nan = c.dx;
    nan[5] = std::numeric_limits<float>::quiet_NaN();
    CHECK(wrong(c.judged({{"dy", c.dy}, {"dx", nan}})) == Names{"dx"});
}

TEST_CASE("judge_external: the same in other words, which round once or twice more, is right") {
    Chain c;
    Row in_other_words = c.dx;
    for (float& x : in_other_words) {
        x = std::nextafter(x, 0.0F);
    }
    CHECK(wrong(c.judged({{"y", c.y}, {"dy", c.dy}, {"dx", in_other_words}})).empty());
    // But what nobody rounds has nothing to spare.
    Row places = c.dg;
    places[1] = std::nextafter(places[1], 0.0F);
    CHECK(wrong(c.judged({{"dy", c.dy}, {"dg", places}})) == Names{"dg"});
}

TEST_CASE("judge_external: double has the limits of double where what it is computed from is double as well") {
    Chain c;
    using Doubles = std::vector<double>;
    const auto product_of = [](const auto& a, const auto& b, double factor) {
        Doubles all;
        for (std::size_t i = 0; i < kElements; ++i) {
            all.push_back(static_cast<double>(a[i]) * static_cast<double>(b[i]) * factor);
        }
        return all;
    };
    const Doubles y(c.y.begin(), c.y.end()), dy = product_of(c.y, c.y, 1);
    for (const bool off : {false, true}) {
        INFO("off: " << off);
        const double factor = 1 + (off ? 0x1p-24 : 0x1p-52);  // as float rounds, or as double does
        File all_double, of_float, of_float_forward;
        all_double.add("y", {kElements}, y).add("dy", {kElements}, dy);
        all_double.add("dx", {kElements}, product_of(dy, y, factor));
        CHECK(wrong(c.judged(all_double)) == (off ? Names{"dx"} : Names{}));
        // Of a value in float it may have been computed in float, in part, and then been kept in double.
        of_float.add("y", {kElements}, y).add("dy", {kElements}, c.dy);
        of_float.add("dx", {kElements}, product_of(c.dy, y, factor));
        CHECK(wrong(c.judged(of_float)).empty());
        of_float_forward.add("y", {kElements}, c.y).add("dx", {kElements}, product_of(dy, c.y, factor));
        of_float_forward.add("dy", {kElements}, dy);
        CHECK(wrong(c.judged(of_float_forward)).empty());
    }
}

TEST_CASE(
    "judge_external: computed in double is what is given in it, and what float holds of exactly what double makes") {
    File given, oracle;
    given.add("y", {2}, std::vector<double>{0.1, 0.2}).add("dy", {2}, Row{0.1F, 0.5F}).add("dx", {2}, Row{0.25F, 0.5F});
    given.add("dz", {2}, Row{1, std::numeric_limits<float>::quiet_NaN()}).add("dg", {1}, Row{1});
    oracle.add("dy", {2}, std::vector<double>{0.1, 0.5}).add("dx", {2}, std::vector<double>{0.25, 0.5});
    oracle.add("dz", {2}, std::vector<double>{1, std::numeric_limits<double>::quiet_NaN()}).add("dg", {2}, Row{1, 1});
    CHECK(computed_in_double(given.views(), oracle.views()) == std::set<std::string>{"dx", "y"});
}

TEST_CASE("judge_external: what is rightly computed from a wrong value is not wrong") {
    Chain c;
    Row bad = c.dy;
    bad[2] *= 1.25F;
    const auto from_it = c.judged({{"dy", bad}, {"dx", times(bad, c.y)}, {"dg", picked(bad)}});
    CHECK(names(from_it) == Names{"dy", "dx", "dg"});
    CHECK(wrong(from_it) == Names{"dy"});
    // And what is computed from the right one, beside a wrong one in the file, is.
    CHECK(wrong(c.judged({{"dy", bad}, {"dx", c.dx}})) == Names{"dy", "dx"});
    // Forward values too: those that are given count, not the reference's.
    Row y = c.y;
    y[4] += 0.5F;
    CHECK(wrong(c.judged({{"y", y}, {"dy", squared(y)}})) == Names{"y"});
    CHECK(wrong(c.judged({{"y", y}, {"dy", c.dy}})) == Names{"y", "dy"});
}

TEST_CASE("judge_external: a NaN in what a step reads may be anywhere in its result") {
    Chain c;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    Row bad = c.dy;
    bad[2] = nan;
    for (const float elsewhere : {nan, std::numeric_limits<float>::infinity()}) {
        Row dx = times(bad, c.y);
        dx[4] = elsewhere;  // a formula multiplies the NaN by 0
        const auto all = c.judged({{"y", c.y}, {"dy", bad}, {"dx", dx}, {"dz", scaled(dx)}});
        CHECK(wrong(all) == Names{"dy"});
        REQUIRE(names(all) == Names{"y", "dy", "dx", "dz"});
        CHECK(all[2].verdict() == Verdict::out_of_range);
        // What is known of its rounding is finite: the chain's limits are measured with it.
        REQUIRE(all[2].rounding.size() == kElements);
        CHECK(std::ranges::all_of(all[2].rounding, [](double rounding) { return std::isfinite(rounding); }));
        CHECK(all[2].rounding[2] == 0);
        CHECK(all[2].rounding[4] == 0);
    }
    // Finite elements are judged as ever, and a NaN without a NaN to come from is wrong.
    Row dx = times(bad, c.y);
    dx[4] *= 1.25F;
    CHECK(wrong(c.judged({{"dy", bad}, {"dx", dx}})) == Names{"dy", "dx"});
    Row dz = c.dz;
    dz[4] = nan;
    CHECK(wrong(c.judged({{"dy", c.dy}, {"dx", c.dx}, {"dz", dz}})) == Names{"dz"});
}

TEST_CASE("leave_out_unrelated: a wrong step whose value agrees end to end, though one that it reads does not") {
    struct Case {
        Verdict own, read, isolated;
        bool left_out;
    };
    for (const auto& [own, read, isolated, left_out] :
         {Case{Verdict::exact, Verdict::mismatch, Verdict::mismatch, true},
          {Verdict::within, Verdict::non_finite, Verdict::mismatch, true},
          {Verdict::exact, Verdict::mismatch, Verdict::within, false},
          {Verdict::exact, Verdict::within, Verdict::mismatch, false},
          {Verdict::exact, Verdict::not_given, Verdict::mismatch, false},
          {Verdict::undecided, Verdict::mismatch, Verdict::mismatch, true},
          {Verdict::vacuous, Verdict::mismatch, Verdict::mismatch, false},
          {Verdict::mismatch, Verdict::mismatch, Verdict::mismatch, false}}) {
        CAPTURE(to_string(own), to_string(read), to_string(isolated));
        std::vector<ValueReport> compared(3);
        compared[0].name = "dy";
        compared[0].operations.emplace().verdict = read;
        compared[1].name = "y";  // is not compared
        compared[2].name = "dx";
        compared[2].operations.emplace().verdict = own;
        std::vector<IsolatedStep> steps = {{"dx", "product", {"y", "dy"}, {}, {Trial()}}};
        steps[0].trials[0].verdict = isolated;
        leave_out_unrelated(steps, compared, small_chain());
        CHECK(steps.empty() == left_out);
    }
}

TEST_CASE("judge_external: forward values that are not given are the reference's, and may be off by their limit") {
    Chain c;
    Row near = c.y, far = c.y;
    for (std::size_t i = 0; i < kElements; ++i) {
        near[i] *= 1 + 0.9e-4F;
        far[i] *= 1 + 3e-4F;
    }
    CHECK(wrong(c.judged({{"dy", squared(near)}})) == Names{"dy"});  // without a limit
    for (const float y : c.y) {
        c.limits["y"].push_back(1e-4 * std::abs(static_cast<double>(y)));
    }
    CHECK(names(c.judged({{"dy", squared(near)}})) == Names{"dy"});
    CHECK(wrong(c.judged({{"dy", squared(near)}})).empty());
    CHECK(wrong(c.judged({{"dy", squared(far)}})) == Names{"dy"});
    // If it is external, it has no error.
    CHECK(wrong(c.judged({{"y", c.y}, {"dy", squared(near)}})) == Names{"dy"});
}

TEST_CASE("judge_external: where a limit says nothing, nothing is said") {
    Chain c;
    for (const float y : c.y) {
        c.limits["y"].push_back(0.02 * std::abs(static_cast<double>(y)));
    }
    CHECK(c.judged({{"dy", c.dy}}).empty());
    CHECK(names(c.judged({{"y", c.y}, {"dy", c.dy}})) == Names{"y", "dy"});
}

TEST_CASE("judge_external: a gradient that is read and not given leaves no verdict") {
    Chain c;
    CHECK(c.judged({{"dz", c.dz}}).empty());
    CHECK(c.judged({{"dg", Row(kElements)}}).empty());
    CHECK(names(c.judged({{"dx", c.dx}, {"dz", c.dz}}), true) == Names{"dx"});  // by the collapsed form; dz by dx
}

TEST_CASE("judge_external: what is missing for a verdict is reported, nearest first") {
    Chain c;
    const auto missing = [&](const Names& failing, const std::vector<std::pair<std::string, Row>>& given) {
        File file;
        for (const auto& [name, numbers] : given) {
            file.add(name, {kElements}, numbers);
        }
        return missing_for(failing, file.views(), small_chain());
    };
    CHECK(missing({"dz", "dg"}, {{"dz", c.dz}, {"dg", c.dg}}) == Names{"dx", "dy"});
    CHECK(missing({"dz"}, {{"dz", c.dz}}) == Names{"dx", "dy"});  // y is the reference's
    CHECK(missing({"dg"}, {{"dz", c.dz}, {"dg", c.dg}}) == Names{"dy"});
    CHECK(missing({"dz", "dx"}, {{"dz", c.dz}, {"dx", c.dx}, {"dy", c.dy}}).empty());
    CHECK(missing({}, {{"dz", c.dz}}).empty());
}

TEST_CASE("judge_external: the collapsed form is taken where only its reads are there") {
    Chain c;
    const Row collapsed = squared(c.y);
    const auto alone = c.judged({{"dx", collapsed}});
    REQUIRE(names(alone) == Names{"dx"});
    CHECK_FALSE(alone[0].wrong());
    CHECK(alone[0].reads == Names{"y"});
    CHECK(wrong(c.judged({{"dx", c.dx}})) == Names{"dx"});
    // With dy there, it is judged by dy.
    CHECK(wrong(c.judged({{"dy", c.dy}, {"dx", collapsed}})) == Names{"dx"});
    CHECK(wrong(c.judged({{"dy", c.dy}, {"dx", c.dx}})).empty());
}
