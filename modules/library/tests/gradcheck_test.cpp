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
    CHECK(text::contains(wrong.text(), "gradient of input 1[2]: yours"));
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
    CHECK(text::contains(gradcheck("relu", f, {-1e-3}).text(),
                         "relu is not shown to be right: gradient in double is vac"));
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
    CHECK(text::contains(report.text(), "gradient[1]: yours NaN"));
}

namespace {

// Σ log cosh x, whose gradient is tanh x; `factor` makes it wrong.
template <class T>
ScalarFunction log_cosh(double factor = 1) {
    return [=](const std::vector<double>& x, std::vector<double>& gradient) {
        T sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const T number = static_cast<T>(x[i]);
            sum += std::log(std::cosh(number));
            if (!gradient.empty()) {
                gradient[i] = factor * static_cast<double>(std::tanh(number));
            }
        }
        return static_cast<double>(sum);
    };
}

// Σ |x|, with `at_zero` for the gradient at 0.
ScalarFunction absolute(double at_zero, double factor = 1) {
    return [=](const std::vector<double>& x, std::vector<double>& gradient) {
        double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            sum += std::abs(x[i]);
            if (!gradient.empty()) {
                gradient[i] = factor * (x[i] > 0 ? 1 : x[i] < 0 ? -1 : at_zero);
            }
        }
        return sum;
    };
}

std::string refusal(const ScalarFunction& f, const std::vector<double>& x) {
    try {
        gradcheck("f", f, x);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("gradcheck: an f that computes in float is named, judged with its limits, and a wrong gradient is found") {
    const std::vector<double> x = {0.7, -1.3, 2.1, 0.4, -0.9};
    const std::string named = "f computes in float";
    const Report in_float = gradcheck("f", log_cosh<float>(), x), in_double = gradcheck("f", log_cosh<double>(), x);
    CHECK(in_float.agrees());
    CHECK(text::contains(in_float.text(), named));
    CHECK(text::contains(in_float.json(), named));
    CHECK(in_double.agrees());
    CHECK_FALSE(text::contains(in_double.text(), named));
    const Report wrong = gradcheck("f", log_cosh<float>(1.2), x);
    CHECK_FALSE(wrong.agrees());
    CHECK(text::contains(wrong.text(), "f (gradcheck_test.cpp:"));
    CHECK(text::contains(wrong.text(), "is wrong"));
    CHECK(text::contains(wrong.text(), named));
    // Not those whose values happen to be of float.
    CHECK_FALSE(text::contains(gradcheck("f", absolute(0), {0.5, 1.5}).text(), named));
}

TEST_CASE("gradcheck: a gradient that is zero within rounding agrees, a constant function shows nothing") {
    // The sum of a normalized batch does not depend on it.
    const auto sum_of_normalized = [](double mistake) {
        return [=](const std::vector<double>& x, std::vector<double>& gradient) {
            const auto n = static_cast<double>(x.size());
            double mean = 0, variance = 0, sum = 0, sum_d = 0, sum_dx = 0;
            for (const double number : x) {
                mean += number / n;
            }
            for (const double number : x) {
                variance += (number - mean) * (number - mean) / n;
            }
            const double inverse = 1 / std::sqrt(variance + 1e-5);
            for (const double number : x) {
                const double raw = (number - mean) * inverse;
                sum += raw;
                sum_d += 1;
                sum_dx += raw;
            }
            for (std::size_t i = 0; i < gradient.size(); ++i) {
                gradient[i] = inverse * (1 - sum_d / n - (x[i] - mean) * inverse * sum_dx / n) + mistake;
            }
            return sum;
        };
    };
    const std::vector<double> x = {0.31, -1.72, 2.23, 0.94, 1.15, -0.66, 0.057};
    const Report right = gradcheck("f", sum_of_normalized(0), x);
    INFO(right.text());
    CHECK(right.agrees());
    CHECK(text::contains(right.json(), R"("zero within rounding")"));
    CHECK_FALSE(gradcheck("f", sum_of_normalized(1e-6), x).agrees());
    const Report constant = gradcheck(
        "f",
        [](const std::vector<double>&, std::vector<double>& gradient) {
            std::fill(gradient.begin(), gradient.end(), 0);
            return 1.5;
        },
        x);
    CHECK_FALSE(constant.agrees());
    CHECK(text::contains(constant.text(), "f is not shown to be right: gradient in double is vacuous"));
}

TEST_CASE("gradcheck: an element at a kink is named with both slopes, and the others are judged") {
    const std::vector<double> x = {0.5, -1.25, 0, 3.75, 2};
    for (const double at_zero : {-1.0, 0.0, 0.3, 1.0}) {
        const Report report = gradcheck("f", absolute(at_zero), x);
        INFO(report.text());
        CHECK(report.agrees());
        CHECK(text::contains(report.text(), "f is right: 4 trials"));
        CHECK(text::contains(report.text(),
                             "\n  gradient[2] is at a kink of f: the slope is -1 on the left and 1 on the "
                             "right, and the gradient "));
    }
    CHECK_FALSE(gradcheck("f", absolute(1.5), x).agrees());  // beyond both
    CHECK(text::contains(gradcheck("f", absolute(0, 1.001), x).text(), "is wrong"));
    CHECK(text::contains(gradcheck("f", absolute(0), {0.5, 0, 0, 0}).text(), "; so are 2 more elements"));
    const Report nothing_else = gradcheck("f", absolute(0), {0});
    CHECK_FALSE(nothing_else.agrees());
    CHECK(text::contains(nothing_else.text(), "is not shown to be right"));
    CHECK(text::contains(nothing_else.text(), "gradient[0] is at a kink"));
    CHECK_FALSE(text::contains(gradcheck("f", log_cosh<double>(), x).text(), "kink"));
}

TEST_CASE("gradcheck: a function that differs from call to call is refused") {
    int calls = 0;
    const auto random = [&](const std::vector<double>& x, std::vector<double>& gradient) {
        std::fill(gradient.begin(), gradient.end(), 1);
        return x[0] + ++calls;
    };
    CHECK(refusal(random, {1.5}) ==
          "f: f is 2.5 and then 3.5 when it is called again at the same x: is it random? Fix its seed");
    const auto gradient_only = [&](const std::vector<double>& x, std::vector<double>& gradient) {
        for (double& slope : gradient) {
            slope = ++calls % 2;
        }
        return x[0];
    };
    CHECK(text::contains(refusal(gradient_only, {1.5}), "f: gradient[0] is "));
    CHECK(refusal(log_cosh<double>(), {1.5}).empty());
}

TEST_CASE("gradcheck: the accuracy of an f that is not exact to rounding") {
    // With an error of 1e-9, which depends on x as that of an iteration does.
    const auto f = [](double factor) {
        return [=](const std::vector<double>& x, std::vector<double>& gradient) {
            double sum = log_cosh<double>(factor)(x, gradient), phase = 0;
            for (const double number : x) {
                phase += 1e7 * number;
            }
            return sum * (1 + 1e-9 * std::sin(phase));
        };
    };
    const std::vector<double> x = {0.7, -1.3, 2.1, 0.4, -0.9};
    CHECK_FALSE(gradcheck("f", f(1), x).agrees());
    CHECK(gradcheck("f", f(1), x, {.accuracy = 1e-9}).agrees());
    CHECK_FALSE(gradcheck("f", f(1.001), x, {.accuracy = 1e-9}).agrees());
}

TEST_CASE("gradcheck: where the results are below the smallest double, nothing is called wrong") {
    const auto square = [](const std::vector<double>& x, std::vector<double>& gradient) {
        if (!gradient.empty()) {
            gradient[0] = 2 * x[0];
        }
        return x[0] * x[0];
    };
    CHECK_FALSE(text::contains(gradcheck("square", square, {4.9e-324}).text(), "is wrong"));
    CHECK(gradcheck("square", square, {1e-150}).agrees());
}

TEST_CASE("gradcheck: what does not fit is refused") {
    CHECK_THROWS_AS(gradcheck("nothing", ScalarFunction(), {}), std::invalid_argument);
    CHECK_THROWS_AS(gradcheck("nothing", product, product_backward, {}), std::invalid_argument);
    CHECK_THROWS_AS(gradcheck("product", product, [](const Inputs&, const std::vector<double>&) { return Inputs(2); },
                              {{1, 2}, {3}}),
                    std::invalid_argument);
}
