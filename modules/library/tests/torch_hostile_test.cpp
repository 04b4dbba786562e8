#include <ATen/ATen.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>

#include "base/text.h"
#include "byhand/torch.h"

using namespace byhand;

namespace {

void right(float* y, const float* x, std::size_t n, std::size_t c) {
    for (std::size_t i = 0; i < n * c; ++i) {
        y[i] = std::exp(x[i]);
    }
}

// What is said of a kernel that should be exp: `mistake(y, x, n, c)` runs after the right one.
template <class Mistake>
std::string said_of(Mistake mistake) {
    return check(kernel("my_exp",
                        [mistake](float* y, const float* x, std::size_t n, std::size_t c) {
                            right(y, x, n, c);
                            mistake(y, x, n, c);
                        }),
                 computes([](const at::Tensor& x) { return at::exp(x); })
                     .shapes({{1, 1}, {7, 27}})
                     .timeout(std::chrono::milliseconds(1500)))
        .text();
}

}  // namespace

TEST_CASE("kernel: whatever it does besides its result is named") {
    CHECK(text::contains(said_of([](float*, const float*, std::size_t, std::size_t) {}), "my_exp is right: 56 trials"));
    CHECK(text::contains(said_of([](float* y, const float*, std::size_t n, std::size_t c) { y[n * c] = 1; }),
                         "writes past the end of its result"));
    CHECK(text::contains(said_of([](float* y, const float* x, std::size_t n, std::size_t c) { y[0] += 0 * x[n * c]; }),
                         "reads past the end of x"));
    CHECK(
        text::contains(said_of([](float*, const float* x, std::size_t, std::size_t) { const_cast<float*>(x)[0] = 0; }),
                       "overwrites x"));
    CHECK(text::contains(said_of([](float*, const float*, std::size_t, std::size_t) { std::abort(); }),
                         "crashes (Aborted)"));
    CHECK(text::contains(said_of([](float*, const float*, std::size_t, std::size_t) { std::_Exit(0); }),
                         "exits the process (exit code 0)"));
    CHECK(
        text::contains(said_of([](float*, const float*, std::size_t, std::size_t) { throw std::runtime_error("no"); }),
                       "my_exp (torch_hostile_test.cpp:"));
    const std::string late = said_of([](float*, const float*, std::size_t, std::size_t c) {
        while (c == 27) {
            pause();
        }
    });
    INFO(late);
    CHECK(text::contains(late, "is not done with all its calls within 1500 ms; timeout() allows more"));
    CHECK(text::contains(said_of([](float* y, const float*, std::size_t, std::size_t) { y[0] = std::nanf(""); }),
                         "yours NaN, expected"));
    CHECK(text::contains(
        said_of([](float* y, const float*, std::size_t n, std::size_t c) { std::fill(y, y + n * c, 0.0F); }),
        "hint: all zero"));
    static float kept = 0;
    CHECK(text::contains(said_of([](float* y, const float*, std::size_t, std::size_t) { y[0] += kept++; }),
                         "gives different results for the same input"));
}

TEST_CASE("kernel: a result that depends on what it should overwrite is found") {
    const Report report = check(kernel("adds",
                                       [](float* y, const float* x, std::size_t n) {
                                           for (std::size_t i = 0; i < n; ++i) {
                                               y[i] += x[i];
                                           }
                                       }),
                                computes([](const at::Tensor& x) { return x * 1; }).shapes({{5}}));
    CHECK(text::contains(report.text(), "adds to its result, which is not initialised: set it to 0 before +="));
}

TEST_CASE("kernel: parameters that do not fit what is expected are refused") {
    const auto exp = [] { return computes([](const at::Tensor& x) { return at::exp(x); }).shapes({{3, 5}}); };
    const auto refused = [&](const Kernel& kernel, const Expected& expected) -> std::string {
        try {
            (void)check(kernel, expected);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    };
    const Kernel yours = kernel("my_exp", right);
    CHECK(text::contains(refused(yours, computes([](const at::Tensor& x) { return at::exp(x); })),
                         "no shapes: add some"));
    CHECK(text::contains(refused(kernel("two", [](float*, float*, const float*, std::size_t, std::size_t) {}), exp()),
                         "has 2 results, but 1 expected: y"));
    CHECK(text::contains(
        refused(kernel("two", [](float*, const float*, const float*, std::size_t, std::size_t) {}), exp()),
        "has 2 inputs, but 1 expected: x; name them with reads()"));
    CHECK(text::contains(refused(kernel("one", [](float*, const float*, std::size_t) {}), exp()),
                         "takes 1 size, but is given 2, the extents of the first input: set sizes()"));
    CHECK(text::contains(refused(yours, exp().reads({"y0"})),
                         "reads y0, which is neither an input of the reference (x)"));
    CHECK(text::contains(refused(kernel("index", [](float*, const int*, std::size_t, std::size_t) {}), exp()),
                         "takes x as integers: give their range with integers()"));
    const auto sum = [](const at::Tensor& a, const at::Tensor& b) { return a + b; };
    CHECK_THROWS_AS(computes(sum).wrt(0), std::invalid_argument);
    CHECK_THROWS_AS(is_vjp_of(sum).wrt(2), std::invalid_argument);
    CHECK_THROWS_AS(computes(sum).inputs({"a"}), std::invalid_argument);
    CHECK_THROWS_AS(computes(sum).shapes_of_all({{{1}}}), std::invalid_argument);
    CHECK(text::contains(refused(kernel("sum", [](float*, const float*, const float*, std::size_t) {}),
                                 computes(sum).shapes_of_all({{{3}, {5}}})),
                         "the reference does not accept inputs of (3), (5): "));
}
