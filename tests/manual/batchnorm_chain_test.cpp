// Note 1's chain through batch norm against values worked out by hand, finite differences and the small steps.
#include <algorithm>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "manual/batchnorm/chain.h"
#include "manual/networks.h"

using namespace byhand;

namespace {

template <class T>
using Vector = std::vector<T>;

struct Conventions {
    Divisor divisor;
    double epsilon;
    EpsilonPlace place;
};

template <class T>
struct Kept {
    Vector<T> bndiff, bnvar, bnvar_inv, bnraw;
};

template <class T>
Kept<T> forward(const Vector<T>& x, std::size_t n, const Conventions& by) {
    const std::size_t H = x.size() / n;
    Kept<T> kept{Vector<T>(n * H), Vector<T>(H), Vector<T>(H), Vector<T>(n * H)};
    Vector<T> mean(H);
    batchnorm_mean(mean.data(), x.data(), n, H, n);
    batchnorm_difference(kept.bndiff.data(), x.data(), mean.data(), n, H);
    batchnorm_variance_of_differences(kept.bnvar.data(), kept.bndiff.data(), n, H, n, by.divisor);
    batchnorm_inverse_deviation(kept.bnvar_inv.data(), kept.bnvar.data(), H, by.epsilon, by.place);
    batchnorm_normalise(kept.bnraw.data(), kept.bndiff.data(), kept.bnvar_inv.data(), n, H);
    return kept;
}

template <class T>
struct Chain {
    Vector<T> dbnvar, dbnmeani, dx;
};

template <class T>
Chain<T> chain(const Kept<T>& kept, const Vector<T>& dbnraw, std::size_t n, const Conventions& by) {
    const std::size_t H = dbnraw.size() / n;
    Chain<T> made{Vector<T>(H), Vector<T>(H), Vector<T>(n * H)};
    batchnorm_chain_variance_backward(made.dbnvar.data(), dbnraw.data(), kept.bndiff.data(), kept.bnvar.data(), n, H,
                                      by.epsilon, by.place);
    batchnorm_chain_mean_backward(made.dbnmeani.data(), dbnraw.data(), kept.bndiff.data(), kept.bnvar_inv.data(),
                                  made.dbnvar.data(), n, H, by.divisor);
    batchnorm_chain_input_backward(made.dx.data(), dbnraw.data(), kept.bndiff.data(), kept.bnvar_inv.data(),
                                   made.dbnvar.data(), made.dbnmeani.data(), n, H, by.divisor);
    return made;
}

template <class T>
Vector<T> random_values(std::mt19937& random, std::size_t count, float low, float high) {
    Vector<T> values(count);
    for (T& value : values) {
        value = networks::uniform(random, low, high);
    }
    return values;
}

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
void check(const Vector<T>& values, const Vector<double>& expected) {
    REQUIRE(values.size() == expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        INFO("element " << i << ": " << values[i] << ", expected " << expected[i]);
        CHECK(std::fabs(static_cast<double>(values[i]) - expected[i]) <=
              8 * std::numeric_limits<T>::epsilon() * (1 + std::fabs(expected[i])));
    }
}

}  // namespace

// x 2, 0, 2, 4 and dHN 1, 2, 3, 4: differences 0, −2, 0, 2, so that Σ dHN·(H0 − mean) is 4 and Σ dHN is 10. The
// variance is 2 by n and 8/3 by n − 1.
TEMPLATE_TEST_CASE("batch norm chain: a worked example", "", float, double) {
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        const Conventions by{divisor, 0, EpsilonPlace::inside};
        const double variance = divisor == Divisor::n ? 2 : 8.0 / 3, s = 1 / std::sqrt(variance);
        const Vector<TestType> dbnraw = {1, 2, 3, 4};
        const auto made = chain(forward<TestType>({2, 0, 2, 4}, 4, by), dbnraw, 4, by);
        check(made.dbnvar, {4 * -0.5 * s * s * s});
        check(made.dbnmeani, {-10 * s});
        check(made.dx, {s / 4 * -6, s / 4 * 2, s / 4 * 2, s / 4 * 2});
    }
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

TEST_CASE("batch norm chain: its gradient is that of finite differences, for both divisors and every ε") {
    constexpr std::size_t n = 5, H = 3;
    constexpr double kStep = 1e-4;
    std::mt19937 random(11);
    const auto x = random_values<double>(random, n * H, -1, 3), dbnraw = random_values<double>(random, n * H, -2, 1);
    for (const Conventions& by : kAll) {
        const auto loss = [&](const Vector<double>& at) {
            const Kept<double> kept = forward(at, n, by);
            double sum = 0;
            for (std::size_t i = 0; i < n * H; ++i) {
                sum += dbnraw[i] * kept.bnraw[i];
            }
            return sum;
        };
        const Vector<double> dx = chain(forward(x, n, by), dbnraw, n, by).dx;
        for (std::size_t i = 0; i < n * H; ++i) {
            const auto moved = [&](double step) {
                Vector<double> at = x;
                at[i] += step;
                return loss(at);
            };
            // The error of the first is a·h² + …, which the second cancels.
            const double near = (moved(kStep) - moved(-kStep)) / (2 * kStep);
            const double far = (moved(2 * kStep) - moved(-2 * kStep)) / (4 * kStep);
            INFO("element " << i << ", epsilon " << by.epsilon);
            CHECK(std::fabs(dx[i] - (4 * near - far) / 3) < 1e-9);
        }
    }
}

TEMPLATE_TEST_CASE("batch norm chain: equals the small steps, for odd sizes, both divisors and every ε", "", float,
                   double) {
    std::mt19937 random(5);
    for (const std::size_t n : {2, 3, 9, 33}) {
        for (const std::size_t H : {1, 7, 17, 33}) {
            const auto x = random_values<TestType>(random, n * H, -1, 3);
            const auto dbnraw = random_values<TestType>(random, n * H, -2, 1);
            for (const Conventions& by : kAll) {
                const auto kept = forward(x, n, by);
                const auto made = chain(kept, dbnraw, n, by);
                Vector<TestType> dbnvar_inv(H), dbnvar(H), dbndiff2(n * H), dbndiff(n * H), dbnmeani(H), dx(n * H);
                batchnorm_inverse_deviation_backward(dbnvar_inv.data(), dbnraw.data(), kept.bndiff.data(), n, H);
                batchnorm_variance_backward(dbnvar.data(), dbnvar_inv.data(), kept.bnvar.data(), H, by.epsilon,
                                            by.place);
                batchnorm_square_sum_backward(dbndiff2.data(), dbnvar.data(), n, H, n, by.divisor);
                batchnorm_difference_backward(dbndiff.data(), dbnraw.data(), kept.bnvar_inv.data(), dbndiff2.data(),
                                              kept.bndiff.data(), n, H);
                batchnorm_mean_backward(dbnmeani.data(), dbndiff.data(), n, H);
                batchnorm_input_backward(dx.data(), dbndiff.data(), dbnmeani.data(), n, H, n);
                CHECK(made.dbnvar == dbnvar);
                for (std::size_t i = 0; i < n * H; ++i) {
                    // Sums of 2n + 1 terms: s·|dbnraw| < 2·s, and |bnraw| < √n times the mean of |dbnraw·bnraw|.
                    const double size = kept.bnvar_inv[i % H] * (4 + 4 * std::sqrt(static_cast<double>(n)));
                    INFO("n " << n << ", H " << H << ", epsilon " << by.epsilon);
                    CHECK(std::fabs(static_cast<double>(made.dx[i]) - static_cast<double>(dx[i])) <=
                          8 * std::numeric_limits<TestType>::epsilon() * size);
                }
            }
        }
    }
}

TEST_CASE("batch norm chain: the gradient of a single row is 0, because its mean moves with it") {
    const Conventions by{Divisor::n, 1e-5, EpsilonPlace::inside};
    const auto made = chain(forward<double>({3, -2, 0.5}, 1, by), {1, 2, -3}, 1, by);
    CHECK(made.dx == Vector<double>{0, 0, 0});
}
