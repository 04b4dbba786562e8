// Batch norm without the padding: note 3's figures, batchnorm.h on the packed rows, and finite differences.
#include <algorithm>
#include <array>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "byhand/rounded.h"
#include "manual/batchnorm/masked.h"
#include "manual/differences.h"
#include "manual/networks.h"

using namespace byhand;

namespace {

using Mask = std::vector<unsigned char>;

template <class T>
struct Values {
    std::vector<T> mean, diff, diff2, var, var_inv, raw, y, dgain, dbias, draw, dvar_inv, dvar, ddiff2, ddiff, dmean,
        dx;
};

template <class T>
Values<T> room_for(const NormInput<T>& in) {
    Values<T> v;
    for (auto* rows : {&v.diff, &v.diff2, &v.raw, &v.y, &v.draw, &v.ddiff2, &v.ddiff, &v.dx}) {
        rows->resize(in.n * in.H);
    }
    for (auto* columns : {&v.mean, &v.var, &v.var_inv, &v.dgain, &v.dbias, &v.dvar_inv, &v.dvar, &v.dmean}) {
        columns->resize(in.H);
    }
    return v;
}

constexpr EpsilonPlace kPlace = EpsilonPlace::inside;

template <class T>
Values<T> masked(const NormInput<T>& in, const Mask& mask, Divisor divisor, double epsilon) {
    const std::size_t n = in.n, H = in.H;
    const unsigned char* m = mask.data();
    Values<T> v = room_for(in);
    masked_batchnorm_mean(v.mean.data(), in.x.data(), m, n, H);
    masked_batchnorm_difference(v.diff.data(), in.x.data(), v.mean.data(), m, n, H);
    batchnorm_square(v.diff2.data(), v.diff.data(), n * H);
    masked_batchnorm_variance(v.var.data(), v.diff2.data(), m, n, H, divisor);
    batchnorm_inverse_deviation(v.var_inv.data(), v.var.data(), H, epsilon, kPlace);
    batchnorm_normalise(v.raw.data(), v.diff.data(), v.var_inv.data(), n, H);
    masked_batchnorm_scale_shift(v.y.data(), v.raw.data(), in.gain.data(), in.bias.data(), m, n, H);

    masked_batchnorm_gain_backward(v.dgain.data(), in.dy.data(), v.raw.data(), m, n, H);
    masked_batchnorm_bias_backward(v.dbias.data(), in.dy.data(), m, n, H);
    masked_batchnorm_raw_backward(v.draw.data(), in.dy.data(), in.gain.data(), m, n, H);
    batchnorm_inverse_deviation_backward(v.dvar_inv.data(), v.draw.data(), v.diff.data(), n, H);
    batchnorm_variance_backward(v.dvar.data(), v.dvar_inv.data(), v.var.data(), H, epsilon, kPlace);
    masked_batchnorm_square_sum_backward(v.ddiff2.data(), v.dvar.data(), m, n, H, divisor);
    batchnorm_difference_backward(v.ddiff.data(), v.draw.data(), v.var_inv.data(), v.ddiff2.data(), v.diff.data(), n,
                                  H);
    batchnorm_mean_backward(v.dmean.data(), v.ddiff.data(), n, H);
    masked_batchnorm_input_backward(v.dx.data(), v.ddiff.data(), v.dmean.data(), m, n, H);
    return v;
}

// The same with only batchnorm.h: y and the gradients, for rows without padding.
template <class T>
Values<T> ordinary(const NormInput<T>& in, Divisor divisor, double epsilon) {
    const std::size_t n = in.n, H = in.H;
    Values<T> v = room_for(in);
    batchnorm_mean(v.mean.data(), in.x.data(), n, H, n);
    batchnorm_difference(v.diff.data(), in.x.data(), v.mean.data(), n, H);
    batchnorm_square(v.diff2.data(), v.diff.data(), n * H);
    batchnorm_variance(v.var.data(), v.diff2.data(), n, H, n, divisor);
    batchnorm_inverse_deviation(v.var_inv.data(), v.var.data(), H, epsilon, kPlace);
    batchnorm_normalise(v.raw.data(), v.diff.data(), v.var_inv.data(), n, H);
    batchnorm_scale_shift(v.y.data(), v.raw.data(), in.gain.data(), in.bias.data(), n, H);
    batchnorm_gain_backward(v.dgain.data(), in.dy.data(), v.raw.data(), n, H);
    batchnorm_bias_backward(v.dbias.data(), in.dy.data(), n, H);
    batchnorm_raw_backward(v.draw.data(), in.dy.data(), in.gain.data(), n, H);
    batchnorm_backward(v.dx.data(), v.draw.data(), v.raw.data(), v.var_inv.data(), v.var.data(), n, H, divisor, epsilon,
                       kPlace);
    return v;
}

// About three rows out of five, at least two.
Mask mask_of(std::size_t n, unsigned seed) {
    std::mt19937 random(seed);
    Mask mask(n);
    for (unsigned char& each : mask) {
        each = networks::uniform(random, 0, 5) < 3 ? 1 : 0;
    }
    mask.front() = mask.back() = 7;  // any nonzero number sets it
    return mask;
}

template <class T>
std::vector<T> packed(const std::vector<T>& rows, const Mask& mask) {
    const std::size_t H = rows.size() / mask.size();
    std::vector<T> kept;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (mask[i / H] != 0) {
            kept.push_back(rows[i]);
        }
    }
    return kept;
}

template <class T>
NormInput<T> packed(const NormInput<T>& in, const Mask& mask) {
    return {unmasked_rows(mask.data(), in.n), in.H, packed(in.x, mask), packed(in.dy, mask), in.gain, in.bias};
}

template <class T>
void check_near(const std::vector<T>& values, const std::vector<T>& expected, double within) {
    REQUIRE(values.size() == expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        INFO("element " << i << ": " << values[i] << ", expected " << expected[i]);
        CHECK(std::fabs(static_cast<double>(values[i]) - static_cast<double>(expected[i])) <= within);
    }
}

template <class T>
void check_zero_where_masked(const std::vector<T>& rows, const Mask& mask) {
    const std::size_t H = rows.size() / mask.size();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (mask[i / H] == 0) {
            INFO("row " << i / H);
            CHECK(rows[i] == 0);
        }
    }
}

}  // namespace

TEMPLATE_TEST_CASE("masked batch norm: note 3's batch with two padding rows has the statistics of its six words", "",
                   float, double) {
    const TestType gain = -2, bias = 0.5;
    const NormInput<TestType> in{8,      1,     {6.5, 2.21F, 0, 0, 7.5, 2.2F, 2.9F, 9.9F}, std::vector<TestType>(8),
                                 {gain}, {bias}};
    const Mask mask = {1, 1, 0, 0, 1, 1, 1, 1};
    const auto by_n = masked(in, mask, Divisor::n, 0), bessel = masked(in, mask, Divisor::n_minus_1, 0);
    CHECK(std::fabs(by_n.mean[0] - 5.20) < 0.005);
    CHECK(std::fabs(by_n.raw[4] - 0.778) < 0.0005);
    CHECK(std::fabs(by_n.y[4] - (-2 * 0.778 + 0.5)) < 0.001);
    CHECK(std::fabs(bessel.var[0] / by_n.var[0] - 1.2) < 1e-6);
    CHECK(by_n.y[2] == 0);  // not β
}

// Exact values: the unmasked rows are 2, 0, 2, 4 (note 2), their gradients 1, 2, 3, 4 (see batchnorm_test.cpp).
TEMPLATE_TEST_CASE("masked batch norm: padding in x and dy is not read, whatever it contains", "", float, double) {
    const TestType nan = std::numeric_limits<TestType>::quiet_NaN(), huge = std::numeric_limits<TestType>::max();
    const Mask mask = {0, 1, 1, 0, 0, 1, 1, 0};
    const auto zeros = masked<TestType>({8, 1, {0, 2, 0, 0, 0, 2, 4, 0}, {0, 1, 2, 0, 0, 3, 4, 0}, {3}, {-0.5}}, mask,
                                        Divisor::n, 0.125);
    const auto wild =
        masked<TestType>({8, 1, {nan, 2, 0, huge, -huge, 2, 4, nan}, {huge, 1, 2, nan, nan, 3, 4, -huge}, {3}, {-0.5}},
                         mask, Divisor::n, 0.125);
    CHECK(wild.mean == std::vector<TestType>{2});
    CHECK(wild.var == std::vector<TestType>{2});
    CHECK(wild.dbias == std::vector<TestType>{10});
    CHECK(wild.y == zeros.y);
    CHECK(wild.dgain == zeros.dgain);
    CHECK(wild.dx == zeros.dx);
    check_zero_where_masked(wild.y, mask);
    check_zero_where_masked(wild.dx, mask);
    for (const auto* rows : {&wild.diff, &wild.diff2, &wild.raw, &wild.draw, &wild.ddiff2, &wild.ddiff}) {
        check_zero_where_masked(*rows, mask);
    }
    // The variance does not read the differences of padding either.
    const std::vector<TestType> squares = {nan, 0, 4, huge, nan, 0, 4, nan};
    TestType variance = 0;
    masked_batchnorm_variance(&variance, squares.data(), mask.data(), 8, 1, Divisor::n_minus_1);
    CHECK(std::fabs(variance - TestType{8} / 3) < 1e-6);
}

TEMPLATE_TEST_CASE("masked batch norm: equals batch norm of the packed rows", "", float, double) {
    for (const std::size_t n : {2, 5, 8, 37}) {
        for (const std::size_t H : {1, 3, 17}) {
            const auto in = drawn<TestType>(n, H, static_cast<unsigned>(n + H));
            for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
                for (const Mask& mask : {mask_of(n, 3), Mask(n, 1)}) {
                    const auto all = masked(in, mask, divisor, 1e-3);
                    const auto some = ordinary(packed(in, mask), divisor, 1e-3);
                    INFO("n " << n << ", H " << H << ", unmasked " << unmasked_rows(mask.data(), n));
                    // Up to eight rows form a single block of the sum, in which zeros change nothing.
                    if (n <= 8) {
                        CHECK(all.mean == some.mean);
                        CHECK(all.var == some.var);
                        CHECK(packed(all.y, mask) == some.y);
                        CHECK(all.dgain == some.dgain);
                        CHECK(all.dbias == some.dbias);
                    }
                    // In units of the terms: each |x̂| ≤ √n, |γ| and |β| ≤ 3, |dy| ≤ 2.
                    const double unit = std::numeric_limits<TestType>::epsilon(), rows = static_cast<double>(n);
                    const double s = *std::ranges::max_element(some.var_inv);
                    check_near(packed(all.y, mask), some.y, 32 * unit * (3 * std::sqrt(rows) + 3 + 3 * 4 * s));
                    check_near(all.dgain, some.dgain, 32 * unit * 2 * rows * (std::sqrt(rows) + 4 * s));
                    check_near(all.dbias, some.dbias, 32 * unit * 2 * rows);
                    check_near(packed(all.dx, mask), some.dx, 64 * unit * 6 * s * (2 + rows) * (1 + 4 * s));
                    check_zero_where_masked(all.y, mask);
                    check_zero_where_masked(all.dx, mask);
                }
            }
        }
    }
}

TEST_CASE("masked batch norm: a single unmasked row with divisor n becomes β and has no gradient") {
    NormInput<double> in = drawn<double>(5, 3, 11);
    const Mask mask = {0, 0, 0, 1, 0};
    const auto v = masked(in, mask, Divisor::n, 1e-5);
    for (std::size_t j = 0; j < 3; ++j) {
        CHECK(v.mean[j] == in.x[9 + j]);
        CHECK(v.y[9 + j] == in.bias[j]);
        CHECK(v.dgain[j] == 0);
        CHECK(v.dbias[j] == in.dy[9 + j]);
        CHECK(v.dx[9 + j] == 0);
    }
    check_zero_where_masked(v.y, mask);
    check_zero_where_masked(v.dx, mask);
}

TEST_CASE("masked batch norm: every gradient is that of finite differences") {
    for (const auto& [n, H] : {std::pair<std::size_t, std::size_t>{7, 3}, {11, 1}, {4, 5}}) {
        const Mask mask = mask_of(n, 5);
        for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
            NormInput<double> in = drawn<double>(n, H, 23);
            const auto v = masked(in, mask, divisor, 0.1);
            const auto loss = [&] { return weighted(in.dy, masked(in, mask, divisor, 0.1).y); };
            INFO("n " << n << ", H " << H);
            check_slopes(in.x, v.dx, loss);
            check_slopes(in.gain, v.dgain, loss);
            check_slopes(in.bias, v.dbias, loss);
        }
    }
}

TEST_CASE("masked batch norm: its Rounded version bounds its error in float") {
    const Mask mask = mask_of(13, 7);
    const auto made = [&](const auto& in) { return masked(in, mask, Divisor::n, 1e-5); };
    check_bounds(made(drawn<float>(13, 3, 31)), made(drawn<Rounded>(13, 3, 31)), made(drawn<double>(13, 3, 31)));
}
