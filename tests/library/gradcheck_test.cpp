#include "byhand/gradcheck.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/text.h"

using namespace byhand;

namespace {

// The Rosenbrock function of n variables.
double rosenbrock(const std::vector<double>& x, std::vector<double>& gradient, double mistake) {
    double sum = 0;
    std::fill(gradient.begin(), gradient.end(), 0);
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
        const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
        sum += 100 * a * a + b * b;
        if (!gradient.empty()) {
            gradient[i] += -400 * a * x[i] - 2 * b * (1 + mistake);
            gradient[i + 1] += 200 * a;
        }
    }
    return sum;
}

const std::vector<double> kX = {-1.2, 1, 0.7, 3.1, -0.4, 1e-3, 12};

// y (n) = W·x with W (n, 3), and its products.
std::vector<double> product(const Inputs& inputs) {
    const std::vector<double>&W = inputs[0], &x = inputs[1];
    std::vector<double> y(W.size() / x.size());
    for (std::size_t i = 0; i < W.size(); ++i) {
        y[i / x.size()] += W[i] * x[i % x.size()];
    }
    return y;
}
Inputs product_backward(const Inputs& inputs, const std::vector<double>& dy) {
    const std::vector<double>&W = inputs[0], &x = inputs[1];
    Inputs d = {std::vector<double>(W.size()), std::vector<double>(x.size())};
    for (std::size_t i = 0; i < W.size(); ++i) {
        d[0][i] = dy[i / x.size()] * x[i % x.size()];
        d[1][i % x.size()] += dy[i / x.size()] * W[i];
    }
    return d;
}

}  // namespace

TEST_CASE("gradcheck of a function: a right gradient agrees, a wrong one is located") {
    const auto with = [](double mistake) {
        return gradcheck(
            "rosenbrock",
            [=](const std::vector<double>& x, std::vector<double>& gradient) {
                return rosenbrock(x, gradient, mistake);
            },
            kX);
    };
    CHECK(with(0).agrees());
    CHECK(text::contains(with(0).text(), "rosenbrock is right: 7 trials"));
    const Report wrong = with(1e-6);
    CHECK_FALSE(wrong.agrees());
    CHECK(text::contains(wrong.text(), "rosenbrock (gradcheck_test.cpp:"));
    CHECK(text::contains(wrong.text(), "gradient["));
}

TEST_CASE("gradcheck of products: each input has its own verdict") {
    const Inputs inputs = {{0.3, -1.7, 2.2, 0.9, 1.1, -0.6, 0.05, 4, -2.5, 1.3, 0.8, 1.9}, {1.5, -0.2, 0.7}};
    CHECK(gradcheck("product", product, product_backward, inputs).agrees());
    const Report wrong = gradcheck(
        "product", product,
        [](const Inputs& all, const std::vector<double>& dy) {
            Inputs d = product_backward(all, dy);
            d[1][2] = -d[1][2];
            return d;
        },
        inputs);
    CHECK_FALSE(wrong.agrees());
    CHECK(text::contains(wrong.text(), "gradient of input 1[2] is"));
    CHECK(text::contains(wrong.json(), R"("name": "gradient of input 0")"));
}

TEST_CASE("gradcheck: a kink within the step is not called wrong, and a NaN is") {
    const auto f = [](const std::vector<double>& x, std::vector<double>& gradient) {
        if (!gradient.empty()) {
            gradient[0] = x[0] > 0 ? 1 : 0;
        }
        return std::max(x[0], 0.0);
    };
    CHECK(gradcheck("relu", f, {0.5}).agrees());
    CHECK(gradcheck("relu", f, {-1e-3}).agrees());
    const Report at_kink = gradcheck("relu", f, {0.0});
    CHECK_FALSE(text::contains(at_kink.text(), "is wrong"));
    const Report nan = gradcheck("nan",
                                 [](const std::vector<double>& x, std::vector<double>& gradient) {
                                     std::fill(gradient.begin(), gradient.end(), std::nan(""));
                                     return x[0];
                                 },
                                 {1.5});
    CHECK(text::contains(nan.text(), "is wrong"));
}

TEST_CASE("gradcheck: an element that is never written is found") {
    const Report report = gradcheck("sum",
                                    [](const std::vector<double>& x, std::vector<double>& gradient) {
                                        if (!gradient.empty()) {
                                            gradient[0] = 1;
                                        }
                                        return x[0] + x[1];
                                    },
                                    {1.5, 2.5});
    CHECK_FALSE(report.agrees());
    CHECK(text::contains(report.text(), "gradient[1] is NaN"));
}

TEST_CASE("gradcheck: what does not fit is refused") {
    CHECK_THROWS_AS(gradcheck("nothing", ScalarFunction(), {}), std::invalid_argument);
    CHECK_THROWS_AS(gradcheck("nothing", product, product_backward, {}), std::invalid_argument);
    CHECK_THROWS_AS(gradcheck("product", product, [](const Inputs&, const std::vector<double>&) { return Inputs(2); },
                              {{1, 2}, {3}}),
                    std::invalid_argument);
}
