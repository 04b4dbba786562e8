// Half a squared error of probabilities, and softmax's Jacobian, against values worked out by hand and finite
// differences.
#include "manual/squared_error.h"

#include <array>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "manual/cross_entropy/formulas.h"
#include "manual/differences.h"

using namespace byhand;

namespace {

using Indices = std::vector<std::int64_t>;

template <class T>
bool near(T value, double expected, double units = 8) {
    return std::fabs(static_cast<double>(value) - expected) <=
           units * std::numeric_limits<T>::epsilon() * std::fabs(expected);
}

// Directly from its formula.
std::vector<double> softmax(const std::vector<double>& logits, std::size_t V) {
    std::vector<double> probs(logits.size());
    for (std::size_t first = 0; first < logits.size(); first += V) {
        double sum = 0;
        for (std::size_t j = first; j < first + V; ++j) {
            sum += std::exp(logits[j]);
        }
        for (std::size_t j = first; j < first + V; ++j) {
            probs[j] = std::exp(logits[j]) / sum;
        }
    }
    return probs;
}

}  // namespace

// probs 1/8, 2/8, 5/8, the target is the second: the differences are 1/8, −6/8, 5/8, the sum of their squares 62/64.
TEMPLATE_TEST_CASE("squared error: two rows worked out by hand", "", float, double) {
    const std::vector<TestType> probs = {0.125, 0.25, 0.625, 0, 1, 0};
    const Indices Y = {1, 0};
    TestType loss = 0;
    squared_error_forward(&loss, probs.data(), Y.data(), 2, 3);
    CHECK(near(loss, (0.5 * 62 / 64 + 0.5 * 2) / 2));
    std::vector<TestType> dprobs(6), dlogits(6);
    squared_error_backward(dprobs.data(), probs.data(), Y.data(), 2, 3);
    CHECK(dprobs == std::vector<TestType>{0.0625, -0.375, 0.3125, -0.5, 0.5, 0});
    // Σ probs·dprobs is (1/8 − 2·6/8 + 5·5/8)/16 = 7/64; a row that is certain has no gradient.
    softmax_backward(dlogits.data(), dprobs.data(), probs.data(), 2, 3);
    const std::array<double, 6> expected = {
        0.125 * (0.0625 - 7.0 / 64), 0.25 * (-0.375 - 7.0 / 64), 0.625 * (0.3125 - 7.0 / 64), 0, 0, 0};
    for (std::size_t i = 0; i < 6; ++i) {
        INFO("element " << i);
        CHECK(near(dlogits[i], expected[i]));
    }
}

TEST_CASE("squared error: its gradient is that of finite differences, through softmax") {
    for (const auto& [n, V] : {std::pair<std::size_t, std::size_t>{3, 5}, {1, 7}, {4, 2}}) {
        std::vector<double> logits(n * V);
        Indices Y(n);
        for (std::size_t i = 0; i < logits.size(); ++i) {
            logits[i] = 2 * std::sin(static_cast<double>(3 * i + 1));
        }
        for (std::size_t i = 0; i < n; ++i) {
            Y[i] = static_cast<std::int64_t>((2 * i + 1) % V);
        }
        const std::vector<double> probs = softmax(logits, V);
        std::vector<double> dprobs(n * V), dlogits(n * V);
        squared_error_backward(dprobs.data(), probs.data(), Y.data(), n, V);
        softmax_backward(dlogits.data(), dprobs.data(), probs.data(), n, V);
        INFO("n " << n << ", V " << V);
        check_slopes(logits, dlogits, [&] {
            double loss = 0;
            squared_error_forward(&loss, softmax(logits, V).data(), Y.data(), n, V);
            return loss;
        });
    }
}

// Cross-entropy is the case dprobs = −1/(n·probs) at the target: the Jacobian gives (probs − one-hot)/n.
TEMPLATE_TEST_CASE("softmax: its Jacobian gives cross-entropy's own gradient", "", float, double) {
    const std::vector<TestType> logits = {0.5, -1, 2, 0, 3, 0.25, -2, 1, 1, -0.5, 0, 0.75, 2.5, -1.5, 0.125};
    const Indices Y = {4, 0, 2};
    const std::size_t n = 3, V = 5;
    std::vector<TestType> expected(n * V), dprobs(n * V, TestType{0}), dlogits(n * V);
    cross_entropy_backward(expected.data(), logits.data(), Y.data(), n, V, n);
    const std::vector<double> p = softmax({logits.begin(), logits.end()}, V);
    const std::vector<TestType> probs(p.begin(), p.end());
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t at = i * V + static_cast<std::size_t>(Y[i]);
        dprobs[at] = TestType{-1} / (static_cast<TestType>(n) * probs[at]);
    }
    softmax_backward(dlogits.data(), dprobs.data(), probs.data(), n, V);
    for (std::size_t i = 0; i < n * V; ++i) {
        INFO("element " << i);
        CHECK(std::fabs(static_cast<double>(dlogits[i] - expected[i])) <= 4 * std::numeric_limits<TestType>::epsilon());
    }
}
