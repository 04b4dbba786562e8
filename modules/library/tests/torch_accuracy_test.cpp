#include <ATen/ATen.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <string>

#include "base/text.h"
#include "byhand/torch.h"
#include "library/sampled.h"
#include "library/tests/torch_trial.h"

using namespace byhand;
using trial::in_both;

namespace {

// 1/(1 + e⁻ˣ) by way of tanh, which loses what is small beside 1; `slope` is ½.
template <class T>
auto sigmoid(double slope) {
    return [slope](T* y, const T* x, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = (1 + std::tanh(static_cast<T>(slope) * x[i])) / 2;
        }
    };
}

// E[x²] − E[x]² of each row.
template <class T>
void variance(T* y, const T* x, std::size_t rows, std::size_t columns) {
    for (std::size_t r = 0; r < rows; ++r) {
        T sum = 0, squares = 0;
        for (std::size_t j = 0; j < columns; ++j) {
            sum += x[r * columns + j];
            squares += x[r * columns + j] * x[r * columns + j];
        }
        const T n = static_cast<T>(columns);
        y[r] = squares / n - (sum / n) * (sum / n);
    }
}

Expected sigmoids() {
    return computes([](at::Tensor x) { return at::sigmoid(x); }).shapes({{33}});
}

}  // namespace

TEST_CASE("accuracy: a formula that amplifies rounding is less accurate, not wrong") {
    const Kernel both = kernel("sigmoid", sigmoid<float>(0.5), sigmoid<double>(0.5));
    const Report report = check(both, sigmoids());
    INFO(report.text());
    CHECK_FALSE(report.agrees());
    CHECK(text::contains(report.text(), "is less accurate than the reference, but not wrong"));
    const std::string before = "accurate_to(", said = report.text();
    REQUIRE(text::contains(said, before));
    const double digits = std::stod(said.substr(said.find(before) + before.size()));
    CHECK(digits > 7);  // half a unit of 1, over numbers of about 1 or more
    CHECK(check(both, sigmoids().accurate_to(digits)).agrees());
    CHECK_FALSE(check(both, sigmoids().accurate_to(digits + 1)).agrees());
    CHECK(text::contains(check(kernel("in_float", sigmoid<float>(0.5)), sigmoids()).text(), "but not wrong"));
    const Report of_rows =
        check(kernel("variance", variance<float>, variance<double>),
              computes([](at::Tensor x) { return x.var(1, false); }).shapes({{7, 27}}).range("x", -2000, 2000));
    INFO(of_rows.text());
    CHECK(text::contains(of_rows.text(), "but not wrong"));
}

TEST_CASE("accuracy: a wrong formula is wrong, however many digits are asked for") {
    const Kernel off = kernel("off", sigmoid<float>(0.5001), sigmoid<double>(0.5001));
    const std::string text = check(off, sigmoids().accurate_to(6)).text();
    INFO(text);
    CHECK(text::contains(text, "is wrong"));
    CHECK(text::contains(check(off, sigmoids()).text(), "is wrong"));
    // Next to numbers of 1e38, where 1e-4 is within rounding: what is off by that much is not.
    const auto cut = []<class T>(T* y, const T* x, std::size_t n) {
        std::transform(x, x + n, y, [](T number) { return number < -8 ? T(0) : std::exp(number); });
    };
    const Report of_cut =
        check(in_both("exponential", cut), computes([](at::Tensor x) { return at::exp(x); }).shapes({{3300}}));
    INFO(of_cut.text());
    CHECK(text::contains(of_cut.text(), "is wrong"));
    // A constant in float: as good as any in float, but not in double.
    const Kernel in_float = kernel("in_float", [](double* y, const double* x, std::size_t n) {
        sigmoid<double>(0.5)(y, x, n);
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = static_cast<float>(y[i]);
        }
    });
    CHECK(text::contains(check(in_float, sigmoids()).text(), "is wrong"));
}

TEST_CASE("accuracy: a kernel is not held to what a saved value has lost by rounding") {
    // SELU backward from y: scale·dy above 0, else dy·(y + scale·α), where y is next to −scale·α for most x below 0.
    const auto selu = [](double alpha) {
        return in_both("selu_backward", [alpha]<class T>(T* dx, const T* dy, const T* y, std::size_t n) {
            const double scale = 1.0507009873554805;
            for (std::size_t i = 0; i < n; ++i) {
                dx[i] = y[i] > 0 ? static_cast<T>(scale) * dy[i] : dy[i] * (y[i] + static_cast<T>(scale * alpha));
            }
        });
    };
    const auto of_selu = [] {
        return is_vjp_of([](at::Tensor x) { return at::selu(x); }).reads({"dy", "y"}).shapes({{33}});
    };
    const double alpha = 1.6732632423543772;
    const Report right = check(selu(alpha), of_selu());
    INFO(right.text());
    CHECK(right.agrees());
    CHECK_FALSE(check(selu(alpha + 1e-5), of_selu()).agrees());

    // A softmax from the saved log-sum-exp, which is off by its rounding for large numbers.
    const auto softmax = [](double off) {
        return in_both("softmax", [off]<class T>(T* y, const T* x, const T* lse, std::size_t n, std::size_t c) {
            for (std::size_t i = 0; i < n * c; ++i) {
                y[i] = std::exp(x[i] - lse[i / c]) * static_cast<T>(1 + off);
            }
        });
    };
    const auto of_softmax = [] {
        return computes([](at::Tensor x) { return at::softmax(x, 1); })
            .reads({"x", "lse"})
            .with("lse", computed_by([](at::Tensor x) { return at::logsumexp(x, 1); }))
            .shapes({{7, 27}});
    };
    const Report from_lse = check(softmax(0), of_softmax());
    INFO(from_lse.text());
    CHECK(from_lse.agrees());
    CHECK_FALSE(check(softmax(1e-5), of_softmax()).agrees());
}

TEST_CASE("accuracy: a saved value that is not rounded is taken as it is") {
    const auto relu = [](bool at_zero) {
        return in_both("relu_backward", [at_zero]<class T>(T* dx, const T* dy, const T* y, std::size_t n) {
            for (std::size_t i = 0; i < n; ++i) {
                dx[i] = y[i] > 0 || (at_zero && y[i] == 0) ? dy[i] : T(0);
            }
        });
    };
    const auto expected = [] {
        return is_vjp_of([](at::Tensor x) { return at::relu(x); }).reads({"dy", "y"}).shapes({{33}});
    };
    CHECK(check(relu(false), expected()).agrees());
    CHECK(text::contains(check(relu(true), expected()).text(), "is wrong"));

    // The gradient of a maximum is shared by the elements that equal it.
    const auto maximum = [](int factor) {
        const auto backward = [factor]<class T>(T* dx, const T* dy, const T* x, const T* y, std::size_t n,
                                                std::size_t c) {
            for (std::size_t i = 0; i < n * c; ++i) {
                const T* const row = x + i / c * c;
                const auto ties = static_cast<T>(std::count(row, row + c, y[i / c]));
                dx[i] = x[i] == y[i / c] ? static_cast<T>(factor) * dy[i / c] / ties : T(0);
            }
        };
        return in_both("maximum_backward", backward);
    };
    const auto of_maximum = [] {
        return is_vjp_of([](at::Tensor x) { return at::amax(x, 1); }).reads({"dy", "x", "y"}).shapes({{7, 27}});
    };
    const Report right = check(maximum(1), of_maximum());
    INFO(right.text());
    CHECK(right.agrees());
    CHECK(text::contains(check(maximum(2), of_maximum()).text(), "is wrong"));
}

TEST_CASE("accuracy: NaN by rounding, of float only and of extreme inputs, is not wrong, but less accurate") {
    // FlashAttention's exponential, whose max·log2(e) is rounded.
    const auto softmax = [](double log2e) {
        return in_both("softmax", [log2e]<class T>(T* y, const T* x, std::size_t n, std::size_t c) {
            for (std::size_t i = 0; i < n * c; i += c) {
                const T top = *std::max_element(x + i, x + i + c) * static_cast<T>(log2e);
                T sum = 0;
                for (std::size_t j = i; j < i + c; ++j) {
                    y[j] = std::exp2(std::fma(x[j], static_cast<T>(log2e), -top));
                    sum += y[j];
                }
                std::for_each(y + i, y + i + c, [=](T& p) { p /= sum; });
            }
        });
    };
    const auto expected = [] { return computes([](at::Tensor x) { return at::softmax(x, 1); }).shapes({{7, 27}}); };
    const std::string text = check(softmax(1.4426950408889634), expected()).text();
    INFO(text);
    CHECK(text::contains(text, "but not wrong"));
    CHECK(text::contains(text, "right to rounding where no input is beyond"));
    CHECK(text::contains(text, "restrict its inputs by range()"));
    CHECK(text::contains(check(softmax(1.4427), expected()).text(), "is wrong"));
}

TEST_CASE("accuracy: a reference that is less accurate than the kernel is named, and the kernel is right") {
    const auto exact = []<class T>(T* y, const T* x, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = 1 / (1 + std::exp(-x[i]));
        }
    };
    const auto by_tanh = [] {
        return computes([](at::Tensor x) { return (at::tanh(x * 0.5) + 1) * 0.5; }).shapes({{33}});
    };
    const Report report = check(in_both("sigmoid", exact), by_tanh());
    INFO(report.text());
    CHECK(report.agrees());
    CHECK(text::contains(report.text(), "the reference is the less accurate one in"));
    const Report same = check(kernel("sigmoid", sigmoid<float>(0.5), sigmoid<double>(0.5)), by_tanh());
    INFO(same.text());
    CHECK(same.agrees());
    CHECK_FALSE(text::contains(same.text(), "less accurate one"));
    CHECK_FALSE(check(kernel("sigmoid", sigmoid<float>(0.5001), sigmoid<double>(0.5001)), by_tanh()).agrees());
}

TEST_CASE("limits: a product of a tiny input may be lost to underflow, whatever the reference's order; not its copy") {
    const std::vector<float> x = {5.9e-39F, -3e-42F, 2e-30F, 7};
    const std::vector<View> inputs = {{"x", {4}, DType::float32, x.data()}};
    const auto limits_of = [&](const TensorFunction& function) {
        return sampled(evaluation_of(function, 1, false), inputs).front().limits;
    };
    const std::vector<double> products = limits_of([](const auto& in) { return in[0] * 3; });
    CHECK(products[0] > 3 * 5.9e-39);
    CHECK(products[1] > 3 * 3e-42);
    CHECK(products[2] < 1e-5 * 3 * 2e-30);
    CHECK(products[3] < 1e-5 * 3 * 7);
    const std::vector<double> copies = limits_of([](const auto& in) { return in[0].flip(0); });
    CHECK(copies[3] < 1e-3 * 5.9e-39);
}
