// Activations for values worked out by hand, at 0, and where an exponential or a cube would overflow.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "manual/gelu/formulas.h"
#include "manual/relu/formulas.h"
#include "manual/sigmoid/formulas.h"
#include "manual/silu/formulas.h"

using namespace byhand;
using Catch::Matchers::WithinAbs;

namespace {

const double kLog3 = std::log(3.0);

void check(const std::vector<double>& made, const std::vector<double>& expected) {
    REQUIRE(made.size() == expected.size());
    for (std::size_t i = 0; i < made.size(); ++i) {
        INFO(i);
        CHECK_THAT(made[i], WithinAbs(expected[i], 1e-14));
    }
}

template <class T, class... More>
std::vector<T> forward(void (*function)(T*, const T*, std::size_t, More...), const std::vector<T>& x, More... more) {
    std::vector<T> h(x.size());
    function(h.data(), x.data(), x.size(), more...);
    return h;
}

template <class T, class... More>
std::vector<T> backward(void (*function)(T*, const T*, const T*, std::size_t, More...), const std::vector<T>& dh,
                        const std::vector<T>& read, More... more) {
    std::vector<T> dx(dh.size());
    function(dx.data(), dh.data(), read.data(), dh.size(), more...);
    return dx;
}

}  // namespace

// e^x = 3 and 1/3: σ = 3/4 and 1/4.
TEST_CASE("sigmoid: 1/2 at 0, 3/4 at ln 3, and the derivative from the result") {
    check(forward(sigmoid_forward<double>, {0, kLog3, -kLog3}), {0.5, 0.75, 0.25});
    check(backward(sigmoid_backward<double>, {2, -16, 3}, {0.5, 0.75, 0.25}), {0.5, -3, 9.0 / 16});
}

TEST_CASE("silu: x·σ(x), and the product rule") {
    check(forward(silu_forward<double>, {0, kLog3, -kLog3}), {0, 0.75 * kLog3, -0.25 * kLog3});
    check(backward(silu_backward<double>, {2, 16, -16}, {0, kLog3, -kLog3}), {1, 12 + 3 * kLog3, -4 + 3 * kLog3});
}

TEST_CASE("relu and leaky relu: the left derivative at 0, and the slope for x < 0") {
    const std::vector<double> x = {-2, -0.5, 0, 0.5, 2}, dh = {3, -5, 7, 11, -13};
    check(forward(relu_forward<double>, x), {0, 0, 0, 0.5, 2});
    check(backward(relu_backward<double>, dh, {0, 0, 0, 0.5, 2}), {0, 0, 0, 11, -13});
    check(forward(leaky_relu_forward<double>, x, 0.25), {-0.5, -0.125, 0, 0.5, 2});
    check(backward(leaky_relu_backward<double>, dh, x, 0.25), {0.75, -1.25, 1.75, 11, -13});
    check(forward(leaky_relu_forward<double>, x, -1.0), {2, 0.5, 0, 0.5, 2});  // |x|
    check(backward(leaky_relu_backward<double>, dh, x, -1.0), {-3, 5, -7, 11, -13});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(forward(relu_forward<float>, {nan})[0]));
    CHECK(std::isnan(forward(leaky_relu_forward<float>, {nan}, 0.25)[0]));
}

// Φ(1) = 0.841344746068543, φ(1) = 0.241970724519143 (tables of the normal distribution).
TEST_CASE("gelu: x·Φ(x), and Φ + x·φ backward") {
    check(forward(gelu_forward<double>, {0, 1, -1}), {0, 0.841344746068543, -0.158655253931457});
    check(backward(gelu_backward<double>, {2, 1, 1}, {0, 1, -1}),
          {1, 0.841344746068543 + 0.241970724519143, 0.158655253931457 - 0.241970724519143});
}

// tanh(√(2/π)·1.044715) = 0.682383983…: torch.nn.functional.gelu(1, approximate="tanh") is 0.8411919906.
TEST_CASE("gelu_tanh: within 5e-4 of gelu, and its own derivative") {
    CHECK_THAT(forward(gelu_tanh_forward<double>, {1})[0], WithinAbs(0.8411919906082768, 1e-12));
    for (double x = -6; x <= 6; x += 0.37) {
        INFO(x);
        CHECK_THAT(forward(gelu_tanh_forward<double>, {x})[0], WithinAbs(forward(gelu_forward<double>, {x})[0], 5e-4));
        constexpr double kStep = 1e-5;
        const std::vector<double> two = forward(gelu_tanh_forward<double>, {x + kStep, x - kStep});
        CHECK_THAT(backward(gelu_tanh_backward<double>, {1}, {x})[0], WithinAbs((two[0] - two[1]) / (2 * kStep), 1e-9));
    }
}

TEST_CASE("activations: for large |x| they are 0 or x, and never NaN") {
    const std::vector<float> x = {1e10F, -1e10F, 100, -100, 1e-30F}, dh = {3, 3, 3, 3, 3};
    CHECK(forward(sigmoid_forward<float>, x) == std::vector<float>{1, 0, 1, std::exp(-100.0F), 0.5F});
    for (const auto& [h, dx] :
         {std::pair{forward(silu_forward<float>, x), backward(silu_backward<float>, dh, x)},
          std::pair{forward(gelu_forward<float>, x), backward(gelu_backward<float>, dh, x)},
          std::pair{forward(gelu_tanh_forward<float>, x), backward(gelu_tanh_backward<float>, dh, x)}}) {
        CHECK(h[0] == x[0]);
        CHECK(std::abs(h[1]) == 0);
        CHECK(h[2] == x[2]);
        CHECK(std::abs(h[3]) < 1e-30F);
        CHECK(dx[0] == 3);
        CHECK(std::abs(dx[1]) == 0);
        CHECK(std::ranges::none_of(dx, [](float d) { return std::isnan(d); }));
    }
}
