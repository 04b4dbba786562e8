#include <ATen/ATen.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cmath>
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

}  // namespace

// (What a kernel may do besides its result: modules/foreign/tests/same_faults_test.cpp.)
TEST_CASE("kernel: a report names the place of the kernel, and the option that allows more time") {
    const auto exp = computes([](const at::Tensor& x) { return at::exp(x); })
                         .shapes({{1, 1}, {7, 27}})
                         .timeout(std::chrono::milliseconds(1500));
    CHECK(text::contains(check(kernel("my_exp", right), exp).text(), "my_exp is right: 56 trials"));
    const std::string late = check(kernel("my_exp",
                                          [](float* y, const float* x, std::size_t n, std::size_t c) {
                                              right(y, x, n, c);
                                              while (c == 27) {
                                                  pause();
                                              }
                                          }),
                                   exp)
                                 .text();
    CHECK(text::contains(late, "my_exp (torch_hostile_test.cpp:"));
    CHECK(text::contains(late, "is not done with all its calls within 1500 ms; timeout() allows more"));
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
