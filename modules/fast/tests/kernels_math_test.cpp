// tanh and exp of the kernels over all floats, in units in the last place of the true value.
//
// Every float once, with Highway 1.0.3: exp of x ≤ 0 is at most 1.04 units off.
#include <algorithm>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "byhand/rounded.h"
#include "fast/simd/kernels.h"
#include "fast/tests/targets.h"

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// The distance of adjacent floats at |x|; below the smallest normal number, that of subnormal ones.
double ulp(double x) {
    const double normal = std::max(std::fabs(x), 0x1p-126);
    return std::ldexp(1.0, std::ilogb(normal) - 23);
}

// Every 1031st float (a prime: no bit of it is always 0), with every exponent, of either sign, and the infinities.
std::vector<float> sweep() {
    std::vector<float> all = {0.0F, -0.0F, kInfinity, -kInfinity};
    for (std::uint32_t bits = 0; bits < 0x7f800000; bits += 1031) {
        all.push_back(std::bit_cast<float>(bits));
        all.push_back(-all.back());
    }
    return all;
}

struct Worst {
    double ulps = 0;
    float x = 0;
};

// Against f in double, whose own error is far below one unit of float.
template <class Kernel>
Worst worst(const std::vector<float>& x, const std::vector<double>& expected, Kernel kernel) {
    std::vector<float> y(x.size());
    kernel(y.data(), x.data(), x.size());
    Worst w;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto rounded = static_cast<float>(expected[i]);
        if (y[i] == rounded) {
            continue;
        }
        double ulps = std::fabs(static_cast<double>(y[i]) - expected[i]) / ulp(expected[i]);
        ulps = std::isfinite(ulps) ? ulps : HUGE_VAL;
        if (ulps > w.ulps) {
            w = {ulps, x[i]};
        }
    }
    return w;
}

std::vector<double> map(const std::vector<float>& x, double (*f)(double)) {
    std::vector<double> y(x.size());
    std::ranges::transform(x, y.begin(), [f](float each) { return f(static_cast<double>(each)); });
    return y;
}

}  // namespace

// LibTorch's tanh is within 1 (Sleef's u10).
TEST_CASE("kernels: tanh is within 0.8 units and exp within those that the limits assume, everywhere") {
    const std::vector<float> x = sweep();
    const std::vector<double> right_tanh = map(x, std::tanh), right_exp = map(x, std::exp);
    targets::for_each([&] {
        const Worst of_tanh = worst(x, right_tanh, byhand::simd::tanh_forward),
                    of_exp = worst(x, right_exp, byhand::simd::exp_forward);
        CAPTURE(of_tanh.x, of_exp.x);
        CHECK(of_tanh.ulps <= 0.8);
        CHECK(of_exp.ulps <= byhand::kExpUlp);
    });
}

TEST_CASE("kernels: tanh and exp at zeros, infinities and NaN") {
    targets::for_each([] {
        const std::vector<float> x = {0.0F, -0.0F, kInfinity, -kInfinity, kNaN, 1e30F, -1e30F, 1e-45F, -1e-45F};
        std::vector<float> h(x.size()), y(x.size());
        byhand::simd::tanh_forward(h.data(), x.data(), x.size());
        byhand::simd::exp_forward(y.data(), x.data(), x.size());
        // Zeros have their signs.
        const std::vector<float> right_tanh = {0.0F, -0.0F, 1, -1, kNaN, 1, -1},
                                 right_exp = {1, 1, kInfinity, 0, kNaN, kInfinity, 0, 1, 1};
        const auto same = [](float a, float b) {
            return a == b ? std::signbit(a) == std::signbit(b) : std::isnan(a) && std::isnan(b);
        };
        CHECK(std::equal(right_tanh.begin(), right_tanh.end(), h.begin(), same));
        CHECK(std::ranges::equal(right_exp, y, same));
        CHECK(std::fabs(h[7]) <= 2e-45F);
        CHECK(std::fabs(h[8]) <= 2e-45F);
    });
}
