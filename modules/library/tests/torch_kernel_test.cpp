#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cstdint>
#include <string>

#include "base/text.h"
#include "library/tests/torch_examples.h"

using namespace byhand;
using namespace byhand::example;

TEST_CASE("kernels: right ones agree") {
    const int order = GENERATE(0, 6);
    for (const Example& one : examples()) {
        const Report report = check(one, {.order = order});
        INFO("order " << order << ": " << report.text());
        CHECK(report.agrees());
    }
}

TEST_CASE("kernels: right ones agree whatever the order of their sums and the inputs", "[long]") {
    const int order = GENERATE(range(0, kOrders));
    const std::uint64_t seed = GENERATE(1, 2);
    for (const Example& one : examples()) {
        const Report report = check(one, {.order = order, .seed = seed});
        INFO("order " << order << ", seed " << seed << ": " << report.text());
        CHECK(report.agrees());
    }
}

TEST_CASE("kernels: each of 60 mistakes is found") {
    std::size_t mistakes = 0;
    for (const Example& one : examples()) {
        for (const char* mistake : one.mistakes) {
            const Report report = check(one, {.mistake = mistake});
            INFO(mistake << ": " << report.text());
            CHECK_FALSE(report.agrees());
            const bool is_amplified = std::string(mistake) == "E[x²] − mean²";
            CHECK(text::contains(report.text(), is_amplified ? "is less accurate than" : "is wrong"));
            ++mistakes;
        }
    }
    CHECK(mistakes == 60);
}
