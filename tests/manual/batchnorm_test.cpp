// Batch norm's functions against values worked out by hand, and its backward passes, in small steps, in one line and by
// note 1's chain, against each other and finite differences.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "manual/batchnorm/chain.h"
#include "manual/differences.h"
#include "manual/networks.h"

using namespace byhand;

namespace {

template <class T>
using Vector = std::vector<T>;

template <class T>
struct Forward {
    Vector<T> mean, diff, diff2, var, var_inv, raw;
};

struct Conventions {
    Divisor divisor = Divisor::n;
    double epsilon = 0;
    EpsilonPlace place = EpsilonPlace::inside;
};

const std::vector<Conventions> kAll = [] {
    std::vector<Conventions> all;
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        for (const double epsilon : {0.0, 1e-5, 0.5}) {
            all.push_back({divisor, epsilon, EpsilonPlace::inside});
            all.push_back({divisor, epsilon, EpsilonPlace::outside});
        }
    }
    return all;
}();

template <class T>
Forward<T> forward(const Vector<T>& x, std::size_t n, const Conventions& by) {
    const std::size_t H = x.size() / n;
    Forward<T> f{Vector<T>(H), Vector<T>(n * H), Vector<T>(n * H), Vector<T>(H), Vector<T>(H), Vector<T>(n * H)};
    batchnorm_mean(f.mean.data(), x.data(), n, H, n);
    batchnorm_difference(f.diff.data(), x.data(), f.mean.data(), n, H);
    batchnorm_square(f.diff2.data(), f.diff.data(), n * H);
    batchnorm_variance(f.var.data(), f.diff2.data(), n, H, n, by.divisor);
    batchnorm_inverse_deviation(f.var_inv.data(), f.var.data(), H, by.epsilon, by.place);
    batchnorm_normalise(f.raw.data(), f.diff.data(), f.var_inv.data(), n, H);
    return f;
}

// The gradients of the variance, the mean and the input.
template <class T>
struct Backward {
    Vector<T> dvar, dmean, dx;
};

template <class T>
Backward<T> backward_in_steps(const Forward<T>& f, const Vector<T>& draw, std::size_t n, const Conventions& by) {
    const std::size_t H = draw.size() / n;
    Vector<T> dvar_inv(H), ddiff2(n * H), ddiff(n * H);
    Backward<T> b{Vector<T>(H), Vector<T>(H), Vector<T>(n * H)};
    batchnorm_inverse_deviation_backward(dvar_inv.data(), draw.data(), f.diff.data(), n, H);
    batchnorm_variance_backward(b.dvar.data(), dvar_inv.data(), f.var.data(), H, by.epsilon, by.place);
    batchnorm_square_sum_backward(ddiff2.data(), b.dvar.data(), n, H, n, by.divisor);
    batchnorm_difference_backward(ddiff.data(), draw.data(), f.var_inv.data(), ddiff2.data(), f.diff.data(), n, H);
    batchnorm_mean_backward(b.dmean.data(), ddiff.data(), n, H);
    batchnorm_input_backward(b.dx.data(), ddiff.data(), b.dmean.data(), n, H, n);
    return b;
}

template <class T>
Backward<T> backward_by_chain(const Forward<T>& f, const Vector<T>& draw, std::size_t n, const Conventions& by) {
    const std::size_t H = draw.size() / n;
    Backward<T> b{Vector<T>(H), Vector<T>(H), Vector<T>(n * H)};
    batchnorm_chain_variance_backward(b.dvar.data(), draw.data(), f.diff.data(), f.var.data(), n, H, by.epsilon,
                                      by.place);
    batchnorm_chain_mean_backward(b.dmean.data(), draw.data(), f.diff.data(), f.var_inv.data(), b.dvar.data(), n, H,
                                  by.divisor);
    batchnorm_chain_input_backward(b.dx.data(), draw.data(), f.diff.data(), f.var_inv.data(), b.dvar.data(),
                                   b.dmean.data(), n, H, by.divisor);
    return b;
}

template <class T>
Vector<T> backward_in_one_line(const Forward<T>& f, const Vector<T>& draw, std::size_t n, const Conventions& by) {
    Vector<T> dx(draw.size());
    batchnorm_backward(dx.data(), draw.data(), f.raw.data(), f.var_inv.data(), f.var.data(), n, draw.size() / n,
                       by.divisor, by.epsilon, by.place);
    return dx;
}

template <class T>
Vector<T> random_values(std::mt19937& random, std::size_t count, float low, float high) {
    Vector<T> values(count);
    for (T& value : values) {
        value = networks::uniform(random, low, high);
    }
    return values;
}

// Equal within `units` roundings at the magnitude of the largest.
template <class T>
void check(const Vector<T>& values, const Vector<double>& expected, double units = 4) {
    REQUIRE(values.size() == expected.size());
    double largest = 0;
    for (const double e : expected) {
        largest = std::max(largest, std::fabs(e));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        INFO("element " << i << ": " << values[i] << ", expected " << expected[i]);
        CHECK(std::fabs(static_cast<double>(values[i]) - expected[i]) <=
              units * std::numeric_limits<T>::epsilon() * largest);
    }
}

}  // namespace

TEMPLATE_TEST_CASE("batch norm: 2, 0, 2, 4 normalised by n are 0, −√2, 0, √2, and so are 200, 0, 200, 400 (note 2)", "",
                   float, double) {
    for (const TestType scale : {TestType{1}, TestType{100}}) {
        const auto f = forward<TestType>({2 * scale, 0, 2 * scale, 4 * scale}, 4, {});
        check(f.mean, {2.0 * scale});
        check(f.diff, {0, -2.0 * scale, 0, 2.0 * scale});
        check(f.var, {2.0 * scale * scale});
        check(f.raw, {0, -std::numbers::sqrt2, 0, std::numbers::sqrt2});

        // β, β − √2·γ, β, β + √2·γ
        const TestType gain = 3, bias = -0.5;
        Vector<TestType> y(4);
        batchnorm_scale_shift(y.data(), f.raw.data(), &gain, &bias, 4, 1);
        check(y, {-0.5, -0.5 - 3 * std::numbers::sqrt2, -0.5, -0.5 + 3 * std::numbers::sqrt2});
    }
    const auto f = forward<TestType>({2, 0, 2, 4}, 4, {Divisor::n_minus_1});
    check(f.var, {8.0 / 3});
    check(f.raw, {0, -std::sqrt(1.5), 0, std::sqrt(1.5)});
}

TEMPLATE_TEST_CASE("batch norm: ε is inside the root, or outside it", "", float, double) {
    const double epsilon = 0.125;
    check(forward<TestType>({2, 0, 2, 4}, 4, {Divisor::n, epsilon}).raw,
          {0, -2 / std::sqrt(2.125), 0, 2 / std::sqrt(2.125)});
    check(forward<TestType>({2, 0, 2, 4}, 4, {Divisor::n, epsilon, EpsilonPlace::outside}).raw,
          {0, -2 / (std::numbers::sqrt2 + 0.125), 0, 2 / (std::numbers::sqrt2 + 0.125)});
}

TEMPLATE_TEST_CASE("batch norm: each of three columns has its own mean, variance, γ and β (note 3)", "", float,
                   double) {
    const Vector<TestType> x = {7, 5, 4, 2, 3, 4, 1, 2, 3, 7, 5, 6, 3, 3, 4};
    // Sums 20, 18, 21. Squares around the means: 9 + 4 + 9 + 9 + 1 = 32; 1.96 + 0.36 + 2.56 + 1.96 + 0.36 = 7.2;
    // 0.04 + 0.04 + 1.44 + 3.24 + 0.04 = 4.8.
    const auto by_n = forward(x, 5, {});
    check(by_n.mean, {4, 3.6, 4.2});
    check(by_n.var, {6.4, 1.44, 0.96});
    Vector<TestType> var(3);
    batchnorm_variance_of_differences(var.data(), by_n.diff.data(), 5, 3, 5, Divisor::n);
    check(var, {6.4, 1.44, 0.96});
    batchnorm_variance_of_differences(var.data(), by_n.diff.data(), 5, 3, 5, Divisor::n_minus_1);
    check(var, {8, 1.8, 1.2});
    check(by_n.var_inv, {1 / std::sqrt(6.4), 1 / 1.2, 1 / std::sqrt(0.96)});
    check(forward(x, 5, {Divisor::n_minus_1}).var, {8, 1.8, 1.2});

    // The first row: (7 − 4)/√6.4, (5 − 3.6)/1.2, (4 − 4.2)/√0.96.
    const Vector<TestType> gain = {2, 3, 0.5}, bias = {1, -1, 0.25};
    Vector<TestType> y(15);
    batchnorm_scale_shift(y.data(), by_n.raw.data(), gain.data(), bias.data(), 5, 3);
    check<TestType>({y[0], y[1], y[2]},
                    {2 * 3 / std::sqrt(6.4) + 1, 3 * 1.4 / 1.2 - 1, -0.5 * 0.2 / std::sqrt(0.96) + 0.25});
}

// Hi, Probal, two rows of padding, and How are you today, in the first of the three columns.
TEST_CASE("batch norm: padding rows distort a column's statistics (note 3)") {
    const Vector<double> padded = {6.5, 2.21, 0, 0, 7.5, 2.2, 2.9, 9.9}, words = {6.5, 2.21, 7.5, 2.2, 2.9, 9.9};
    const auto with = forward(padded, 8, {}), without = forward(words, 6, {});
    const auto rounds_to = [](double x, double figure, double half) { return std::fabs(x - figure) < half; };
    CHECK(rounds_to(with.mean[0], 3.90, 0.005));
    CHECK(rounds_to(without.mean[0], 5.20, 0.005));
    CHECK(rounds_to(with.raw[4], 1.056, 0.0005));
    CHECK(rounds_to(without.raw[2], 0.778, 0.0005));
}

// x 2, 0, 2, 4 and dx̂ 1, 2, 3, 4. With n: s = 1/√2, Σdx̂ = 10, x̂·Σ(dx̂·x̂) = −√2·2√2 = −4 and 4 in the second and
// last row, so that the bracket of the one line is 4 − 10, 8 − 10 + 4, 12 − 10, 16 − 10 − 4. With n − 1: s = √(3/8),
// and n/(n − 1)·x̂·Σ(dx̂·x̂) is −4 and 4 again: the same bracket. For the chain: Σ dx̂·(x − mean) is 4.
TEMPLATE_TEST_CASE("batch norm backward: a worked example, in small steps, in one line (note 5), by the chain (note 1)",
                   "", float, double) {
    const Vector<TestType> x = {2, 0, 2, 4}, draw = {1, 2, 3, 4};
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        const double s = divisor == Divisor::n ? std::sqrt(0.5) : std::sqrt(0.375);
        const Vector<double> expected = {s / 4 * -6, s / 4 * 2, s / 4 * 2, s / 4 * 2};
        const auto f = forward(x, 4, {divisor});
        check(backward_in_one_line(f, draw, 4, {divisor}), expected, 8);
        for (const auto& b : {backward_in_steps(f, draw, 4, {divisor}), backward_by_chain(f, draw, 4, {divisor})}) {
            check(b.dvar, {4 * -0.5 * s * s * s}, 8);
            check(b.dmean, {-10 * s}, 8);
            check(b.dx, expected, 8);
        }
    }
    // γ and β: Σ dy·x̂ = −2√2 + 4√2, Σ dy.
    const auto f = forward(x, 4, {});
    Vector<TestType> dgain(1), dbias(1), scaled(4);
    batchnorm_gain_backward(dgain.data(), draw.data(), f.raw.data(), 4, 1);
    batchnorm_bias_backward(dbias.data(), draw.data(), 4, 1);
    check(dgain, {2 * std::numbers::sqrt2});
    check(dbias, {10});
    const TestType gain = -3;
    batchnorm_raw_backward(scaled.data(), draw.data(), &gain, 4, 1);
    check(scaled, {-3, -6, -9, -12});
}

// Differences that do not sum to 0, as with an inexact mean: 1 + 2 + 4 = 7, and dHN sums to 3. Then dmean = −s·3 +
// dvariance·(−2)·7/D.
TEMPLATE_TEST_CASE("batch norm chain: the path from the variance to the mean carries the sum of the differences", "",
                   float, double) {
    const Vector<TestType> dbnraw = {1, -1, 3}, bndiff = {1, 2, 4}, s = {0.5}, dbnvar = {3};
    Vector<TestType> dbnmeani(1);
    batchnorm_chain_mean_backward(dbnmeani.data(), dbnraw.data(), bndiff.data(), s.data(), dbnvar.data(), 3, 1,
                                  Divisor::n);
    CHECK(dbnmeani[0] == TestType{-1.5} - 14);
    batchnorm_chain_mean_backward(dbnmeani.data(), dbnraw.data(), bndiff.data(), s.data(), dbnvar.data(), 3, 1,
                                  Divisor::n_minus_1);
    CHECK(dbnmeani[0] == TestType{-1.5} - 21);
}

TEST_CASE("batch norm backward: the chain's gradient is that of finite differences, for both divisors and every ε") {
    constexpr std::size_t n = 5, H = 3;
    std::mt19937 random(11);
    auto x = random_values<double>(random, n * H, -1, 3);
    const auto draw = random_values<double>(random, n * H, -2, 1);
    for (const Conventions& by : kAll) {
        INFO("epsilon " << by.epsilon);
        check_slopes(x, backward_by_chain(forward(x, n, by), draw, n, by).dx,
                     [&] { return weighted(draw, forward(x, n, by).raw); });
    }
}

TEMPLATE_TEST_CASE("batch norm backward: one line (note 5) and the chain equal the small steps, for every convention",
                   "", float, double) {
    std::mt19937 random(5);
    for (const std::size_t n : {2, 3, 5, 9, 33}) {
        for (const std::size_t H : {1, 7, 17, 33}) {
            const auto x = random_values<TestType>(random, n * H, -1, 3);
            const auto draw = random_values<TestType>(random, n * H, -2, 1);
            for (const Conventions& by : kAll) {
                INFO("n " << n << ", H " << H << ", epsilon " << by.epsilon);
                const auto f = forward(x, n, by);
                const auto steps = backward_in_steps(f, draw, n, by), chain = backward_by_chain(f, draw, n, by);
                const auto line = backward_in_one_line(f, draw, n, by);
                CHECK(chain.dvar == steps.dvar);
                // Each is a sum of 2n + 1 terms below 8·s (|dx̂| < 2, |x̂|·mean|dx̂·x̂| < 2·n/D·√n).
                for (std::size_t i = 0; i < n * H; ++i) {
                    const double terms = 4 + 4 * std::sqrt(static_cast<double>(n)), right = steps.dx[i];
                    const double within = 8 * std::numeric_limits<TestType>::epsilon() * f.var_inv[i % H] * terms;
                    CHECK(std::fabs(static_cast<double>(chain.dx[i]) - right) <= within);
                    CHECK(std::fabs(static_cast<double>(line[i]) - right) <= within);
                }
                // dx may be dbnraw itself.
                auto in_place = draw;
                batchnorm_backward(in_place.data(), in_place.data(), f.raw.data(), f.var_inv.data(), f.var.data(), n, H,
                                   by.divisor, by.epsilon, by.place);
                CHECK(in_place == line);
            }
        }
    }
}

TEST_CASE("batch norm chain: the gradient of a single row is 0, because its mean moves with it") {
    const Conventions by{Divisor::n, 1e-5};
    CHECK(backward_by_chain(forward<double>({3, -2, 0.5}, 1, by), {1, 2, -3}, 1, by).dx == Vector<double>{0, 0, 0});
}

TEST_CASE("batch norm evaluation: normalises by running statistics, variances or standard deviations") {
    const Vector<double> x = {5, 1, 3, 9}, mean = {3, 1}, variance = {4, 16}, deviation = {2, 4}, gain = {10, 3},
                         bias = {0.5, -1};
    Vector<double> raw(4), y(4);
    for (const bool holds_deviation : {false, true}) {
        const RunningSpread spread = holds_deviation ? RunningSpread::deviation : RunningSpread::variance;
        const double* figure = holds_deviation ? deviation.data() : variance.data();
        batchnorm_evaluate_raw(raw.data(), x.data(), mean.data(), figure, 2, 2, 0, EpsilonPlace::inside, spread);
        check(raw, {1, 0, 0, 2});
        batchnorm_evaluate(y.data(), x.data(), mean.data(), figure, gain.data(), bias.data(), 2, 2, 0,
                           EpsilonPlace::inside, spread);
        check(y, {10.5, -1, 0.5, 5});
        batchnorm_evaluate_raw(raw.data(), x.data(), mean.data(), figure, 2, 2, 0.25, EpsilonPlace::outside, spread);
        check(raw, {2 / 2.25, 0, 0, 8 / 4.25});
        batchnorm_evaluate_raw(raw.data(), x.data(), mean.data(), figure, 2, 2, 0.25, EpsilonPlace::inside, spread);
        check(raw, {2 / std::sqrt(4.25), 0, 0, 8 / std::sqrt(16.25)});
    }
}
