// The activations' kernels on every vector type, against their formulas in double.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"
#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/tests/targets.h"
#include "manual/gelu/formulas.h"
#include "manual/relu/formulas.h"
#include "manual/sigmoid/formulas.h"
#include "manual/silu/formulas.h"
#include "manual/tanh/formulas.h"

using namespace byhand;

namespace {

constexpr float kSlope = 0.3F;

using Doubles = std::vector<double>;
using Floats = AlignedVector<float>;

struct Formula {
    std::string op;
    void (*forward)(double* h, const double* x, std::size_t count);
    void (*backward)(double* dx, const double* dh, const double* read, std::size_t count);
    bool by_input;  // backward
    // That cancels, forward and backward; in gelu_tanh's derivative |x|·√(2/π)·(1 + 3·0.044715·x²)/2 while 1 − t² isn't
    // 0.
    double term, slope_term;
};

const std::vector<Formula> kFormulas = {
    {op::kTanh, tanh_forward<double>, tanh_backward<double>, false, 0, 1},
    {"sigmoid", sigmoid_forward<double>, sigmoid_backward<double>, false, 0, 0},
    {"relu", relu_forward<double>, relu_backward<double>, false, 0, 0},
    {op::kLeakyRelu, [](double* h, const double* x, std::size_t count) { leaky_relu_forward(h, x, count, kSlope); },
     [](double* dx, const double* dh, const double* x, std::size_t count) {
         leaky_relu_backward(dx, dh, x, count, kSlope);
     },
     true, 0, 0},
    {"gelu", gelu_forward<double>, gelu_backward<double>, true, 1, 1},
    {"gelu_tanh", gelu_tanh_forward<double>, gelu_tanh_backward<double>, true, 1, 10},
    {"silu", silu_forward<double>, silu_backward<double>, true, 0, 1}};

// Both zeros, near 0, where the functions bend, where their results are subnormal, and far outside; the count is not a
// multiple of the vector length.
Floats inputs() {
    Floats all = {0.0F, -0.0F, 1e-30F, -1e-30F, 1e-6F, -1e-6F, 60.0F, -60.0F, 1e4F, -1e4F};
    for (int i = -1100; i <= -860; ++i) {
        all.push_back(static_cast<float>(i) * 0.1F);
    }
    for (int i = -2000; i <= 2000; ++i) {
        all.push_back(static_cast<float>(i) * 0.00517F);
    }
    return all;
}

Floats lines(const Floats& values) {
    Floats filled_up = values;
    filled_up.resize(padded(values.size()));
    return filled_up;
}

// Within a few roundings of the number itself, of the largest term that may cancel in it, and of a subnormal factor.
void check(const Floats& made, const Doubles& right, const Floats& x, const Floats& factor, double largest_term) {
    double worst = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
        const double term =
            static_cast<double>(std::abs(factor[i])) * std::min(largest_term, std::abs(static_cast<double>(x[i])));
        const double subnormal = 0x1p-149 * (2 + 2 * std::min(200.0, std::abs(static_cast<double>(x[i]))));
        const double limit = 6e-7 * std::abs(right[i]) + 1.2e-7 * term + subnormal;
        const double off = std::abs(static_cast<double>(made[i]) - right[i]) / limit;
        if (!(off <= worst)) {
            worst = off;
            CAPTURE(i, x[i], made[i], right[i]);
            CHECK(off <= 1);
        }
    }
}

}  // namespace

TEST_CASE("activations: each has a kernel, and no other operation has one") {
    for (const Formula& f : kFormulas) {
        REQUIRE(simd::activation_of(f.op).has_value());
        CHECK(simd::stores_derivative(*simd::activation_of(f.op)) == f.by_input);
    }
    CHECK(kFormulas.size() == simd::kActivationCount);
    CHECK(!simd::activation_of(op::kLinear).has_value());
    CHECK(!simd::activation_of("").has_value());
}

TEST_CASE("activations: kernels equal the formulas in double, on every vector type") {
    const Floats x = inputs();
    const Doubles in_double(x.begin(), x.end());
    Floats dh(x.size());
    for (std::size_t i = 0; i < dh.size(); ++i) {
        dh[i] = std::sin(static_cast<float>(i)) * 3;
    }
    for (const Formula& f : kFormulas) {
        const simd::Activation kernel = *simd::activation_of(f.op);
        Doubles h(x.size()), dx(x.size());
        f.forward(h.data(), in_double.data(), x.size());
        targets::for_each([&] {
            INFO(f.op);
            Floats made = lines(x), derivative(made.size()), gradient = lines(dh);
            simd::activation_forward(made.data(), derivative.data(), made.data(), x.size(), kernel, kSlope);
            check(made, h, x, Floats(x.size(), 1.0F), f.term);

            const Doubles made_in_double(made.begin(), made.end()), dh_in_double(dh.begin(), dh.end());
            f.backward(dx.data(), dh_in_double.data(), (f.by_input ? in_double : made_in_double).data(), x.size());
            simd::activation_backward(gradient.data(), gradient.data(), (f.by_input ? derivative : made).data(),
                                      x.size(), kernel);
            check(gradient, dx, x, dh, f.slope_term);
        });
    }
}

TEST_CASE("activations: NaN is preserved, forward and backward") {
    const Floats nan(16, std::numeric_limits<float>::quiet_NaN()), one(16, 1.0F);
    for (const Formula& f : kFormulas) {
        const simd::Activation kernel = *simd::activation_of(f.op);
        targets::for_each([&] {
            INFO(f.op);
            Floats made(16), derivative(16), gradient(16);
            simd::activation_forward(made.data(), derivative.data(), nan.data(), 16, kernel, kSlope);
            CHECK(std::ranges::all_of(made, [](float v) { return std::isnan(v); }));
            simd::activation_backward(gradient.data(), nan.data(), one.data(), 16, kernel);
            CHECK(std::ranges::all_of(gradient, [](float v) { return std::isnan(v); }));
        });
    }
}

// The formula ½·x·(1 + erf(x/√2)) has three roundings there, and the sum of 1 and a small number keeps the error of
// erf.
TEST_CASE("activations: gelu's kernel near 0 is as accurate as its formula in float") {
    Floats x;
    for (int i = -999; i <= 999; ++i) {
        x.push_back(static_cast<float>(i) * 0.0004F);
    }
    Doubles right(x.size());
    gelu_forward(right.data(), Doubles(x.begin(), x.end()).data(), x.size());
    targets::for_each([&] {
        Floats made = lines(x), derivative(made.size());
        simd::activation_forward(made.data(), derivative.data(), made.data(), x.size(), simd::Activation::gelu, 0);
        double worst = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double error = std::abs(static_cast<double>(made[i]) - right[i]);
            worst = std::max(worst, right[i] == 0 ? error : error / std::abs(right[i]));
        }
        CHECK(worst < 2.5 * 0x1p-24);
    });
}
