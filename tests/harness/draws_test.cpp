#include "harness/probe.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>

#include "harness/hand_made.h"

using namespace byhand;
using test::FakeAnswers;

namespace {

bool any_negative(const Values& values, const std::string& name) {
    return std::ranges::any_of(values.numbers(name), [](float x) { return x < 0; });
}

// y = f(a) + g(b), with c beside them.
FakeAnswers answers(double (*f)(double), double (*g)(double)) {
    FakeAnswers all;
    all.add("y", {{"a", {31}}, {"b", {31}}, {"c", {31}}}, [f, g](const std::vector<View>& values) {
        std::vector<double> a = test::numbers(values, "a");
        const std::vector<double> b = test::numbers(values, "b");
        for (std::size_t i = 0; i < a.size(); ++i) {
            a[i] = f(a[i]) + g(b[i]);
        }
        return a;
    });
    return all;
}

double itself(double x) {
    return x;
}

}  // namespace

TEST_CASE("probe: magnitudes from 1/16 to 1, of both signs, all different, the same again for the same seed") {
    const FakeAnswers all = answers(itself, itself);
    const Values values = probe_values(all, "y", {}, 5, 1);
    for (const std::string name : {"a", "b", "c"}) {
        INFO(name);
        std::set<float> seen;
        for (const float x : values.numbers(name)) {
            CHECK(std::abs(x) >= 1.0F / 16);
            CHECK(std::abs(x) <= 1);
            seen.insert(std::abs(x));
        }
        CHECK(seen.size() == 31);
        CHECK(any_negative(values, name));
        CHECK(std::ranges::any_of(values.numbers(name), [](float x) { return x > 0; }));
        CHECK(values.numbers(name) == probe_values(all, "y", {}, 5, 1).numbers(name));
        CHECK(values.numbers(name) != probe_values(all, "y", {}, 5, 2).numbers(name));
    }
}

TEST_CASE("probe: positive only where it must be") {
    const Values of_first = probe_values(answers(std::log, itself), "y", {}, 5, 1);
    CHECK_FALSE(any_negative(of_first, "a"));
    CHECK(any_negative(of_first, "b"));
    CHECK(any_negative(of_first, "c"));
    const Values of_second = probe_values(answers(itself, std::sqrt), "y", {}, 5, 1);
    CHECK(any_negative(of_second, "a"));
    CHECK_FALSE(any_negative(of_second, "b"));
    // Where one is not enough, all are.
    const Values of_both = probe_values(answers(std::log, std::sqrt), "y", {}, 5, 1);
    CHECK_FALSE(any_negative(of_both, "a"));
    CHECK_FALSE(any_negative(of_both, "b"));
}

TEST_CASE("probe: indices are below the vocabulary and use all of it, and what a step reads besides is there too") {
    FakeAnswers all;
    all.add("y", {{"X", {31, 3}}, {"Y", {31}}, {"a", {2}}},
            [](const std::vector<View>& values) { return test::numbers(values, "a"); });
    const Values values = probe_values(all, "y", {{"b", {3, 2}}, {"a", {2}}}, 5, 1);
    for (const std::string name : {"X", "Y"}) {
        std::set<std::int64_t> seen;
        for (const std::int64_t index : values.indices(name)) {
            seen.insert(index);
        }
        CHECK(seen == std::set<std::int64_t>{0, 1, 2, 3, 4});
    }
    CHECK(values.indices("X").size() == 93);
    CHECK(values.numbers("b").size() == 6);
    CHECK(values.numbers("a").size() == 2);
}
