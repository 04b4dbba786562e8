// Layer norm and RMS norm: rows worked out by hand, differences from batch norm, and finite differences.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "byhand/rounded.h"
#include "manual/differences.h"
#include "manual/layernorm/formulas.h"
#include "manual/rmsnorm/formulas.h"

using namespace byhand;

namespace {

template <class T>
struct Values {
    std::vector<T> mean, diff, diff2, var, var_inv, raw, y, dgain, dbias, dx;
};

template <class T>
Values<T> layer_norm(const NormInput<T>& in, double epsilon) {
    const std::size_t n = in.n, H = in.H;
    Values<T> v;
    for (auto* all : {&v.diff, &v.diff2, &v.raw, &v.y, &v.dx}) {
        all->resize(n * H);
    }
    for (auto* rows : {&v.mean, &v.var, &v.var_inv}) {
        rows->resize(n);
    }
    v.dgain.resize(H);
    v.dbias.resize(H);
    row_mean(v.mean.data(), in.x.data(), n, H);
    layernorm_difference(v.diff.data(), in.x.data(), v.mean.data(), n, H);
    row_square(v.diff2.data(), v.diff.data(), n * H);
    row_mean(v.var.data(), v.diff2.data(), n, H);
    row_inverse_root(v.var_inv.data(), v.var.data(), n, epsilon);
    row_normalise(v.raw.data(), v.diff.data(), v.var_inv.data(), n, H);
    batchnorm_scale_shift(v.y.data(), v.raw.data(), in.gain.data(), in.bias.data(), n, H);
    batchnorm_gain_backward(v.dgain.data(), in.dy.data(), v.raw.data(), n, H);
    batchnorm_bias_backward(v.dbias.data(), in.dy.data(), n, H);
    batchnorm_raw_backward(v.dx.data(), in.dy.data(), in.gain.data(), n, H);
    layernorm_backward(v.dx.data(), v.dx.data(), v.raw.data(), v.var_inv.data(), n, H);
    return v;
}

}  // namespace

// Note 2's 2, 0, 2, 4 as a row: mean 2, variance 2. With γ 1, −1, 2, −2 and dy 1, −2, 1.5, −2, dx̂ is 1, 2, 3, 4, and
// the gradient that of batchnorm_test.cpp's column: 1/√2 of −6, 2, 2, 2 over 4.
TEMPLATE_TEST_CASE("layer norm: a row worked out by hand, and a hundred times it", "", float, double) {
    const NormInput<TestType> in{
        2, 4, {2, 0, 2, 4, 200, 0, 200, 400}, {1, -2, 1.5, -2, 0, 0, 0, 0}, {1, -1, 2, -2}, {0.5, 0.25, -1, 3}};
    const auto v = layer_norm(in, 0);
    const auto near = [](TestType value, double expected) { return std::fabs(value - expected) < 1e-6; };
    CHECK(v.mean == std::vector<TestType>{2, 200});
    CHECK(v.var == std::vector<TestType>{2, 20000});
    for (const std::size_t row : {0, 1}) {
        CHECK(near(v.y[row * 4 + 0], 0.5));
        CHECK(near(v.y[row * 4 + 1], 0.25 + std::numbers::sqrt2));
        CHECK(near(v.y[row * 4 + 2], -1));
        CHECK(near(v.y[row * 4 + 3], 3 - 2 * std::numbers::sqrt2));
    }
    CHECK(near(v.dx[0], -1.5 / std::numbers::sqrt2));
    CHECK(near(v.dx[1], 0.5 / std::numbers::sqrt2));
    CHECK(near(v.dx[2], 0.5 / std::numbers::sqrt2));
    CHECK(near(v.dx[3], 0.5 / std::numbers::sqrt2));
    CHECK(near(v.dgain[1], 2 * std::numbers::sqrt2));
    CHECK(near(v.dgain[3], -2 * std::numbers::sqrt2));
    CHECK(v.dbias == std::vector<TestType>{1, -2, 1.5, -2});
}

TEST_CASE("layer norm: a row does not depend on the other rows") {
    const auto all = drawn<double>(7, 5);
    const auto together = layer_norm(all, 1e-5);
    for (std::size_t row = 0; row < 7; ++row) {
        const auto from = static_cast<std::ptrdiff_t>(row * 5), to = from + 5;
        const auto alone = layer_norm<double>({1,
                                               5,
                                               {all.x.begin() + from, all.x.begin() + to},
                                               {all.dy.begin() + from, all.dy.begin() + to},
                                               all.gain,
                                               all.bias},
                                              1e-5);
        CHECK(alone.y == std::vector<double>(together.y.begin() + from, together.y.begin() + to));
        CHECK(alone.dx == std::vector<double>(together.dx.begin() + from, together.dx.begin() + to));
    }
}

TEST_CASE("layer norm: every gradient is that of finite differences") {
    for (const auto& [n, H] : {std::pair<std::size_t, std::size_t>{3, 7}, {1, 5}, {5, 1}, {2, 19}}) {
        NormInput<double> in = drawn<double>(n, H);
        const auto v = layer_norm(in, 0.1);
        const auto loss = [&] { return weighted(in.dy, layer_norm(in, 0.1).y); };
        INFO("n " << n << ", H " << H);
        check_slopes(in.x, v.dx, loss);
        check_slopes(in.gain, v.dgain, loss);
        check_slopes(in.bias, v.dbias, loss);
    }
}

TEST_CASE("layer norm: its Rounded version bounds its error in float") {
    check_bounds(layer_norm(drawn<float>(3, 11), 1e-5), layer_norm(drawn<Rounded>(3, 11), 1e-5),
                 layer_norm(drawn<double>(3, 11), 1e-5));
}

// Squares 1, 49, 25, 25: the root of their mean is 5. With dx̂ 1, 2, 3, 4, Σ(dx̂·x̂)/4 is 2.5.
TEMPLATE_TEST_CASE("RMS norm: a row worked out by hand, forward and backward in one line", "", float, double) {
    using T = TestType;
    const std::vector<T> x = {1, 7, 5, -5}, dy = {1, -1, 1.5, 2}, gain = {1, -2, 2, -2};
    std::vector<T> square(4), raw(4), y(4), dx(4), dgain(4);
    T mean = 0, inverse = 0;
    row_square(square.data(), x.data(), 4);
    row_mean(&mean, square.data(), 1, 4);
    row_inverse_root(&inverse, &mean, 1, 0);
    row_normalise(raw.data(), x.data(), &inverse, 1, 4);
    row_norm_scale(y.data(), raw.data(), gain.data(), 1, 4);
    batchnorm_gain_backward(dgain.data(), dy.data(), raw.data(), 1, 4);
    batchnorm_raw_backward(dx.data(), dy.data(), gain.data(), 1, 4);
    CHECK(dx == std::vector<T>{1, 2, 3, -4});
    rmsnorm_backward(dx.data(), dx.data(), raw.data(), &inverse, 1, 4);
    const auto check = [](const std::vector<T>& made, const std::vector<double>& expected) {
        for (std::size_t i = 0; i < made.size(); ++i) {
            CHECK(std::fabs(made[i] - expected[i]) < 1e-6);
        }
    };
    CHECK(mean == 25);
    check(y, {0.2, -2.8, 2, 2});
    check(dgain, {0.2, -1.4, 1.5, -2});
    check(dx, {0.1, -0.3, 0.1, -0.3});
}
