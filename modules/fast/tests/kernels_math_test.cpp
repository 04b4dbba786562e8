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

// LibTorch's is within 1 (Sleef's u10).
TEST_CASE("kernels: tanh is within 0.8 units, everywhere") {
    const std::vector<float> x = sweep();
    const std::vector<double> expected = map(x, std::tanh);
    targets::for_each([&] {
        const Worst w = worst(x, expected, byhand::simd::tanh_forward);
        CAPTURE(w.ulps, w.x);
        CHECK(w.ulps <= 0.8);
    });
}

TEST_CASE("kernels: exp is within the units that the limits assume, everywhere") {
    const std::vector<float> x = sweep();
    const std::vector<double> expected = map(x, std::exp);
    targets::for_each([&] {
        const Worst w = worst(x, expected, byhand::simd::exp_forward);
        CAPTURE(w.ulps, w.x);
        CHECK(w.ulps <= byhand::kExpUlp);
    });
}

TEST_CASE("kernels: tanh and exp at zeros, infinities and NaN") {
    targets::for_each([] {
        const std::vector<float> x = {0.0F, -0.0F, kInfinity, -kInfinity, kNaN, 1e30F, -1e30F, 1e-45F, -1e-45F};
        std::vector<float> h(x.size()), y(x.size());
        byhand::simd::tanh_forward(h.data(), x.data(), x.size());
        byhand::simd::exp_forward(y.data(), x.data(), x.size());
        CHECK(h[0] == 0);
        CHECK(!std::signbit(h[0]));
        CHECK(h[1] == 0);
        CHECK(std::signbit(h[1]));
        CHECK(h[2] == 1);
        CHECK(h[3] == -1);
        CHECK(std::isnan(h[4]));
        CHECK(h[5] == 1);
        CHECK(h[6] == -1);
        CHECK(std::fabs(h[7]) <= 2e-45F);
        CHECK(std::fabs(h[8]) <= 2e-45F);
        CHECK(y[0] == 1);
        CHECK(y[1] == 1);
        CHECK(y[2] == kInfinity);
        CHECK(y[3] == 0);
        CHECK(std::isnan(y[4]));
        CHECK(y[5] == kInfinity);
        CHECK(y[6] == 0);
        CHECK(y[7] == 1);
        CHECK(y[8] == 1);
    });
}
