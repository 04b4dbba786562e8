// A few trials of other people's kernels (library_trial runs all), each of which one part of the limits decides.
#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/text.h"
#include "library/tests/torch_trial.h"

using namespace byhand;

namespace {

// The right kernels of that kind and name agree, and there are any.
void expect_right(const std::string& part, std::uint64_t seed = 1) {
    std::size_t found = 0;
    for (const trial::Trial& one : trial::right_kernels()) {
        if (text::contains(one.kind + ": " + one.name, part)) {
            const Report report = one.check(seed);
            INFO(part << ": " << report.text());
            CHECK(report.agrees());
            ++found;
        }
    }
    CHECK(found > 0);
}

}  // namespace

TEST_CASE("trials: attention's backward pass, with the correction computed from the output") {
    expect_right("causal attention backward: dP − Σ dO·O, order 0 (40, 8)");
    expect_right("causal attention backward: dP − Σ dO·O, order 12 (5, 4)");
}

TEST_CASE("trials: attention on scores at which the reference in double is off by more than float's units suggest") {
    expect_right("causal attention backward: dP − Σ P·dP, order 1 (40, 8)");
}

TEST_CASE("trials: batch norm's backward pass in closed form, and a reference that makes up for the mean's rounding") {
    expect_right("batch norm backward, mean of squares: closed form, order 0 (16, 27)");
    expect_right("batch norm backward, mean of squares: closed form, order 0 (33, 64)");
}

TEST_CASE("trials: positive and negative terms added up apart") {
    expect_right("sum of all elements: sum, order 12 (300, 300)");
    expect_right("sum of all elements: sum, order 8 (100, 100)", 5);
    expect_right("convolution's bias gradient: sum of dy, order 12 (2, 1, 5, 7)");
}

TEST_CASE("trials: the same of a sum that the reference adds up in place") {
    for (const std::uint64_t seed : {3, 4, 5, 6}) {
        expect_right("the reference adds in place: column sum, order 12", seed);
    }
}

TEST_CASE("trials: products of subnormal numbers, grouped in another way") {
    expect_right("RMS norm backward: closed form, order 0 (1, 3)");
    expect_right("RMS norm backward: closed form, order 0 (7, 27)", 3);
}

TEST_CASE("trials: an interpolation's scale is moved up as often as down, also in the few evaluations in double") {
    expect_right("bilinear upsampling backward: factor 3 (2, 3, 5, 7)", 5);
}

TEST_CASE("trials: a kernel that amplifies rounding is not called wrong, and not right everywhere") {
    std::size_t less_accurate = 0;
    for (const trial::Trial& one : trial::amplifying_kernels()) {
        if (!one.is_extra) {
            const Report report = one.check(1);
            INFO(one.name << ": " << report.text());
            const bool is_less_accurate = text::contains(report.text(), "is less accurate than the reference");
            CHECK((report.agrees() || is_less_accurate));
            less_accurate += is_less_accurate ? 1 : 0;
        }
    }
    CHECK(less_accurate > 30);
}

TEST_CASE("trials: a mistake is not called less accurate") {
    for (const trial::Trial& one : trial::wrong_kernels()) {
        if (text::contains(one.kind, "cut beyond a limit") || text::contains(one.kind, "exp 1 % off in softmax")) {
            const Report report = one.check(1);
            INFO(one.name << ": " << report.text());
            CHECK_FALSE(text::contains(report.text(), "is less accurate than the reference"));
        }
    }
}
