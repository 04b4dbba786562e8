// Softmax and cross-entropy, embedding, linear and tanh against values worked out by hand.
#include <array>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "manual/cross_entropy/formulas.h"
#include "manual/embedding/formulas.h"
#include "manual/linear/formulas.h"
#include "manual/optimizer/formulas.h"
#include "manual/tanh/formulas.h"

using namespace byhand;

namespace {

using Indices = std::vector<std::int64_t>;

template <class T>
bool near(T value, double expected, double units = 4) {
    return std::fabs(static_cast<double>(value) - expected) <=
           units * std::numeric_limits<T>::epsilon() * std::fabs(expected);
}

// Both computations from logits to their gradient.
template <class T>
struct Both {
    T loss_in_steps = 0, loss = 0;
    std::vector<T> dlogits_in_steps, dlogits;
};

template <class T>
Both<T> cross_entropy(const std::vector<T>& logits, const Indices& Y) {
    const std::size_t n = Y.size(), V = logits.size() / n;
    Both<T> both;
    both.dlogits.resize(n * V);
    both.dlogits_in_steps.resize(n * V);
    cross_entropy_forward(&both.loss, logits.data(), Y.data(), n, V, n);
    cross_entropy_backward(both.dlogits.data(), logits.data(), Y.data(), n, V, n);

    std::vector<T> maxes(n), norm(n * V), counts(n * V), sum(n), sum_inv(n), probs(n * V), logprobs(n * V);
    softmax_max(maxes.data(), logits.data(), n, V);
    softmax_shift(norm.data(), logits.data(), maxes.data(), n, V);
    softmax_exp(counts.data(), norm.data(), n * V);
    softmax_sum(sum.data(), counts.data(), n, V);
    softmax_inverse(sum_inv.data(), sum.data(), n);
    softmax_normalise(probs.data(), counts.data(), sum_inv.data(), n, V);
    softmax_log(logprobs.data(), probs.data(), n * V);
    negative_log_likelihood(&both.loss_in_steps, logprobs.data(), Y.data(), n, V, n);

    std::vector<T> dlogprobs(n * V), dprobs(n * V), dsum_inv(n), dsum(n), dcounts(n * V), dnorm(n * V), dmaxes(n);
    negative_log_likelihood_backward(dlogprobs.data(), Y.data(), n, V, n);
    softmax_log_backward(dprobs.data(), dlogprobs.data(), probs.data(), n * V);
    softmax_inverse_of_probs_backward(dsum_inv.data(), dprobs.data(), counts.data(), n, V);
    softmax_inverse_backward(dsum.data(), dsum_inv.data(), sum.data(), n);
    softmax_counts_backward(dcounts.data(), dprobs.data(), sum_inv.data(), dsum.data(), n, V);
    softmax_exp_backward(dnorm.data(), dcounts.data(), counts.data(), n * V);
    softmax_max_backward(dmaxes.data(), dnorm.data(), n, V);
    softmax_logits_backward(both.dlogits_in_steps.data(), dnorm.data(), dmaxes.data(), logits.data(), n, V);
    return both;
}

}  // namespace

TEMPLATE_TEST_CASE("cross-entropy: uniform logits have the loss ln V and the gradient (1/V − one-hot)/n", "", float,
                   double) {
    for (const std::size_t V : {2, 7, 27}) {
        for (const TestType level : {TestType{0}, TestType{-3.5}, TestType{-1e4}}) {  // exp(-1e4) is 0
            const Indices Y = {0, static_cast<std::int64_t>(V) - 1, 1};
            const Both<TestType> both = cross_entropy(std::vector<TestType>(3 * V, level), Y);
            const auto v = static_cast<double>(V);
            CHECK(near(both.loss, std::log(v)));
            CHECK(near(both.loss_in_steps, std::log(v)));
            for (std::size_t i = 0; i < 3 * V; ++i) {
                const bool exact = i % V == static_cast<std::size_t>(Y[i / V]);
                INFO("V " << V << ", element " << i);
                const double expected = (1 / v - (exact ? 1 : 0)) / 3;
                CHECK(near(both.dlogits[i], expected));
                // The first of the equal ones additionally has the rounding error of a sum of V terms, up to 1/3
                // (dlogit_maxes).
                CHECK(std::fabs(static_cast<double>(both.dlogits_in_steps[i]) - expected) <=
                      16 * std::numeric_limits<TestType>::epsilon() / 3);
            }
        }
    }
}

// softmax(0, ln 2, ln 5) = 1/8, 2/8, 5/8
TEMPLATE_TEST_CASE("cross-entropy: probabilities worked out by hand", "", float, double) {
    const auto ln = [](double x) { return static_cast<TestType>(std::log(x)); };
    const Both<TestType> both = cross_entropy<TestType>({0, ln(2), ln(5), ln(5), ln(2), 0}, {1, 0});
    CHECK(near(both.loss, (std::log(4.0) + std::log(1.6)) / 2));
    CHECK(near(both.loss_in_steps, (std::log(4.0) + std::log(1.6)) / 2));
    const std::array<double, 6> expected = {0.125 / 2, -0.75 / 2, 0.625 / 2, -0.375 / 2, 0.25 / 2, 0.125 / 2};
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK(near(both.dlogits[i], expected[i]));
        CHECK(near(both.dlogits_in_steps[i], expected[i], 16));
    }
}

TEMPLATE_TEST_CASE("cross-entropy: collapsed, logits of any size stay finite and correct", "", float, double) {
    for (const TestType big : {TestType{80}, TestType{1e4}, static_cast<TestType>(1e30)}) {
        const std::vector<TestType> logits = {big, -big, 0, -big, big, 0};
        const auto right = cross_entropy(logits, {0, 1});
        CHECK(right.loss >= 0);
        CHECK(right.loss < 1e-30);
        const auto wrong = cross_entropy(logits, {1, 2});  // loss 2·big and big, plus ln(1 + e^−big + …) = 0
        CHECK(near(wrong.loss, 1.5 * static_cast<double>(big)));
        const std::array<double, 6> expected = {0.5, -0.5, 0, 0, 0.5, -0.5};
        for (std::size_t i = 0; i < 6; ++i) {
            INFO("element " << i);
            CHECK(std::fabs(static_cast<double>(wrong.dlogits[i]) - expected[i]) < 1e-30);
        }
    }
    // Without underflow, the e^−80 of the smaller one is still visible.
    const auto slight = cross_entropy<double>({80, 0}, {0});
    CHECK(near(slight.dlogits[1], std::exp(-80.0)));
}

TEMPLATE_TEST_CASE("softmax: the maximum's gradient goes to the maximum, in a tie to the first", "", float, double) {
    const std::vector<TestType> logits = {1, 3, 3, 2, -4, -4, -4, -4, 0, -1, -2, 5};
    const std::vector<TestType> dnorm = {10, 20, 30, 40, 1, 2, 3, 4, 5, 6, 7, 8}, dmaxes = {0.5, 0.25, 0.125};
    std::vector<TestType> dlogits(12), maxes(3);
    softmax_max(maxes.data(), logits.data(), 3, 4);
    CHECK(maxes == std::vector<TestType>{3, -4, 5});
    softmax_logits_backward(dlogits.data(), dnorm.data(), dmaxes.data(), logits.data(), 3, 4);
    CHECK(dlogits == std::vector<TestType>{10, 20.5, 30, 40, 1.25, 2, 3, 4, 5, 6, 7, 8.125});
    softmax_max_backward(maxes.data(), dnorm.data(), 3, 4);
    CHECK(maxes == std::vector<TestType>{-100, -10, -26});
}

TEMPLATE_TEST_CASE("embedding: a row of C collects from every position of its character", "", float, double) {
    const Indices X = {2, 0, 2, 2, 3, 0};
    const std::vector<TestType> C = {1, 2, 3, 4, 5, 6, 7, 8};
    std::vector<TestType> emb(12), dC(8, TestType{99});
    embedding_forward(emb.data(), C.data(), X.data(), 6, 2);
    CHECK(emb == std::vector<TestType>{5, 6, 1, 2, 5, 6, 5, 6, 7, 8, 1, 2});
    const std::vector<TestType> demb = {1, 10, 2, 20, 4, 40, 8, 80, 16, 160, 32, 320};
    embedding_backward(dC.data(), demb.data(), X.data(), 6, 4, 2);
    CHECK(dC == std::vector<TestType>{34, 340, 0, 0, 13, 130, 16, 160});  // character 1 does not occur
}

TEMPLATE_TEST_CASE("linear: a product worked out by hand, forward and backward", "", float, double) {
    const std::vector<TestType> x = {1, 2, 3, 4, 5, 6}, W = {1, -1, 2, 0, -3, 4}, b = {0.5, -0.25}, dy = {1, 2, 3, -1};
    std::vector<TestType> y(4), dx(6), dW(6), db(2);
    matmul_forward(y.data(), x.data(), W.data(), 2, 3, 2);
    CHECK(y == std::vector<TestType>{1 + 4 - 9, -1 + 0 + 12, 4 + 10 - 18, -4 + 0 + 24});
    linear_forward(y.data(), x.data(), W.data(), b.data(), 2, 3, 2);
    CHECK(y == std::vector<TestType>{-3.5, 10.75, -3.5, 19.75});
    linear_input_backward(dx.data(), dy.data(), W.data(), 2, 3, 2);
    CHECK(dx == std::vector<TestType>{1 - 2, 2 + 0, -3 + 8, 3 + 1, 6 - 0, -9 - 4});
    linear_weight_backward(dW.data(), x.data(), dy.data(), 2, 3, 2);
    CHECK(dW == std::vector<TestType>{1 + 12, 2 - 4, 2 + 15, 4 - 5, 3 + 18, 6 - 6});
    linear_bias_backward(db.data(), dy.data(), 2, 2);
    CHECK(db == std::vector<TestType>{4, 1});
}

// dx[i, k] = Σ_j dy[i, j]·W[k, j] where dy and W are all ones: `out`, in whatever lanes the terms are added.
TEST_CASE("linear: the sum over the outputs contains every term once, for any width") {
    for (std::size_t out = 1; out <= 35; ++out) {
        const std::vector<double> ones(2 * out, 1.0);
        std::vector<double> dx(4);
        linear_input_backward(dx.data(), ones.data(), ones.data(), 2, 2, out);
        CHECK(dx == std::vector<double>(4, static_cast<double>(out)));
    }
}

// tanh(½·ln 3) = (3 − 1)/(3 + 1) = ½, where tanh′ = 1 − ¼
TEMPLATE_TEST_CASE("tanh: tanh and tanh′ at 0, at ½·ln 3 and at large |x|", "", float, double) {
    const std::vector<TestType> x = {0, static_cast<TestType>(0.5 * std::log(3.0)), -50}, dh = {3, 4, 5};
    std::vector<TestType> h(3), dx(3);
    tanh_forward(h.data(), x.data(), 3);
    tanh_backward(dx.data(), dh.data(), h.data(), 3);
    CHECK(h[0] == 0);
    CHECK(near(h[1], 0.5));
    CHECK(h[2] == -1);
    CHECK(dx[0] == 3);
    CHECK(near(dx[1], 3));
    CHECK(dx[2] == 0);
}

TEST_CASE("descend: new_p = p − rate·dp") {
    const std::vector<double> p = {1, -2, 3}, dp = {4, 8, -16};
    const double rate = 0.25;
    std::vector<double> new_p(3);
    descend(new_p.data(), p.data(), dp.data(), &rate, 3);
    CHECK(new_p == std::vector<double>{0, -4, 7});
}
