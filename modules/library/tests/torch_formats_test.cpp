#include <ATen/ATen.h>

#include <algorithm>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/narrow.h"
#include "base/text.h"
#include "byhand/tensor.h"
#include "byhand/torch.h"

using namespace byhand;

namespace {

// RMS norm of each row with a gain, in an accumulator of type A; the mistakes are those of kernels on 16 bits.
enum class Mistake { none, narrow_sum, truncates, reads_past, leaves_last };

template <class T, class A>
void rmsnorm(T* y, const T* x, const float* gain, std::size_t rows, std::size_t columns, Mistake mistake) {
    for (std::size_t i = 0; i < rows; ++i) {
        const T* row = x + i * columns;
        A sum = 0;
        for (std::size_t j = 0; j < columns + (mistake == Mistake::reads_past ? 1 : 0); ++j) {
            sum = A(float(sum) + float(row[j]) * float(row[j]));
        }
        const float inv = 1 / std::sqrt(float(sum) / float(columns) + 1e-5F);
        for (std::size_t j = 0; j < columns - (mistake == Mistake::leaves_last ? 1 : 0); ++j) {
            const float made = float(row[j]) * inv * gain[j];
            y[i * columns + j] = T(made);
            if (mistake == Mistake::truncates && std::abs(float(y[i * columns + j])) > std::abs(made)) {
                --y[i * columns + j].x;  // toward zero
            }
        }
    }
}

template <class T, class A = float>
Report check_rmsnorm(Mistake mistake) {
    return check(
        kernel("rmsnorm", [mistake](T* y, const T* x, const float* gain, std::size_t rows,
                                    std::size_t columns) { rmsnorm<T, A>(y, x, gain, rows, columns, mistake); }),
        computes([](const at::Tensor& x, const at::Tensor& gain) {
            return x * ((x * x).mean(1, true) + 1e-5).rsqrt() * gain;
        })
            .inputs({"x", "gain"})
            .range("x", -40, 40)
            .shapes_of_all({{{1, 1}, {1}}, {{7, 27}, {27}}, {{3, 1000}, {1000}}}));
}

void exp_in_place(float* y, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        y[i] = std::exp(y[i]);
    }
}

// A softmax of each row; with `early` it overwrites x[0], if the arrays are one, before the sum has read it.
void softmax(float* y, const float* x, std::size_t rows, std::size_t columns, bool early) {
    for (std::size_t i = 0; i < rows; ++i, y += columns, x += columns) {
        float most = x[0];
        for (std::size_t j = 1; j < columns; ++j) {
            most = std::max(most, x[j]);
        }
        if (early) {
            y[0] = std::exp(x[0] - most);
        }
        float sum = 0;
        for (std::size_t j = 0; j < columns; ++j) {
            sum += std::exp(x[j] - most);
        }
        for (std::size_t j = columns; j-- > 0;) {
            y[j] = std::exp(x[j] - most) / sum;
        }
    }
}

Report check_softmax(bool early, bool may_alias) {
    Expected expected = computes([](const at::Tensor& x) { return at::softmax(x, 1); }).shapes({{1, 1}, {7, 27}});
    if (may_alias) {
        expected.may_alias("x");
    }
    return check(kernel("softmax", [early](float* y, const float* x, std::size_t rows,
                                           std::size_t columns) { softmax(y, x, rows, columns, early); }),
                 expected);
}

}  // namespace

TEST_CASE("formats: all numbers of 16 bits are read and rounded as LibTorch's") {
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    std::size_t wrong = 0;
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        const at::BFloat16 b(half, at::BFloat16::from_bits());
        const at::Half h(half, at::Half::from_bits());
        wrong += same(of_bfloat16(half), float(b)) && same(of_float16(half), float(h)) ? 0 : 1;
        // Between this number and the next, at its middle and beside it.
        for (const float off : {0x1p-12F, 0x1p-11F, 0x1.8p-11F, 0x1p-9F, 0x1p-8F, 0x1.8p-8F}) {
            for (const float x : {float(b) * (1 + off), float(h) * (1 + off), float(h) + off * 0x1p-14F}) {
                const bool is_same =
                    std::isnan(x) || (bfloat16_of(x) == at::BFloat16(x).x && float16_of(x) == at::Half(x).x);
                wrong += is_same ? 0 : 1;
            }
        }
    }
    CHECK(wrong == 0);
    CHECK(std::isnan(of_bfloat16(bfloat16_of(std::nan("")))));
    CHECK(std::isnan(of_float16(float16_of(std::nan("")))));
    CHECK(rounded_to(DType::float16, 1e9) == 65504);
    CHECK(rounded_to(DType::bfloat16, -1e39) == -0x1.fep127);
    for (const double x : {0.0, 0x1p-24, 0.3, 1.0, 1000.0}) {
        CHECK(spacing_at(x, DType::float16) == std::max(0x1p-24, std::ldexp(1, std::ilogb(x + 0x1p-30) - 10)));
    }
}

TEMPLATE_TEST_CASE("formats: kernels on numbers of 16 bits are judged by their own rounding", "", at::BFloat16,
                   at::Half) {
    const Report right = check_rmsnorm<TestType>(Mistake::none);
    INFO(right.text());
    CHECK(right.agrees());
    CHECK(text::contains(right.json(), std::is_same_v<TestType, at::Half> ? "\"half\"" : "\"bfloat16\""));

    CHECK(text::contains(check_rmsnorm<TestType>(Mistake::truncates).text(), "is wrong"));
    const Report narrow = check_rmsnorm<TestType, TestType>(Mistake::narrow_sum);
    CHECK(text::contains(narrow.text(), "is wrong"));
}

TEMPLATE_TEST_CASE("formats: what a kernel on 16 bits does besides its result is named", "", at::BFloat16, at::Half) {
    CHECK(text::contains(check_rmsnorm<TestType>(Mistake::reads_past).text(), "reads past the end of x"));
    CHECK(text::contains(check_rmsnorm<TestType>(Mistake::leaves_last).text(), "unwritten"));
}

TEST_CASE("formats: an input of narrow integers ends where its last element ends") {
    const auto check_with = [](std::size_t more) {
        return check(kernel("dequantize",
                            [more](float* y, const std::int8_t* q, std::size_t n) {
                                for (std::size_t i = 0; i < n; ++i) {
                                    y[i] = 0.25F * float(q[i]) + 0 * float(q[std::min(i + more, n - 1 + more)]);
                                }
                            }),
                     computes([](const at::Tensor& q) { return q.to(at::kFloat) * 0.25; })
                         .inputs({"q"})
                         .integers("q", -128, 127)
                         .shapes({{1}, {27}}));
    };
    CHECK(check_with(0).agrees());
    CHECK(text::contains(check_with(1).text(), "reads past the end of q"));
}

TEST_CASE("formats: one kernel in float, in double and on 16 bits") {
    const auto triple = []<class T>(T* y, const T* x, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = T(3 * x[i]);
        }
    };
    const Kernel all = kernel(
        "triple", [=](float* y, const float* x, std::size_t n) { triple(y, x, n); },
        [=](double* y, const double* x, std::size_t n) { triple(y, x, n); },
        [=](at::BFloat16* y, const at::BFloat16* x, std::size_t n) { triple(y, x, n); });
    const Report report = check(all, computes([](const at::Tensor& x) { return 3 * x; }).shapes({{1}, {27}}));
    INFO(report.text());
    CHECK(report.agrees());
    for (const char* type : {"\"float\"", "\"double\"", "\"bfloat16\""}) {
        CHECK(text::contains(report.json(), type));
    }
}

TEST_CASE("formats: a saved value that would be rounded is refused") {
    const Kernel tanh_backward =
        kernel("tanh_backward", [](at::BFloat16* dx, const at::BFloat16* dy, const at::BFloat16* y, std::size_t n) {
            for (std::size_t i = 0; i < n; ++i) {
                dx[i] = float(dy[i]) * (1 - float(y[i]) * float(y[i]));
            }
        });
    const Expected expected =
        is_vjp_of([](const at::Tensor& x) { return at::tanh(x); }).reads({"dy", "y"}).shapes({{27}});
    CHECK_THROWS_WITH(check(tanh_backward, expected), Catch::Matchers::ContainsSubstring("rounded to 16 bits"));
}

TEST_CASE("formats: a tensor of 16 bits") {
    const std::vector<float> x = {1.0F, -2.5F, 3.25F, 100.0F, 0.1F};
    std::vector<at::BFloat16> y;
    for (const float element : x) {
        y.emplace_back(std::tanh(element));
    }
    const auto right = [&] { return matches([](const at::Tensor& t) { return at::tanh(t); }, tensor("x", x, {5})); };
    CHECK(check(tensor("y", y, {5}), right()).agrees());
    ++y[2].x;
    CHECK(text::contains(check(tensor("y", y, {5}), right()).text(), "y[2]: yours"));
}

TEST_CASE("in place: the array of the result holds the input") {
    const Kernel own = kernel("exp_in_place", exp_in_place);
    const auto expected = [] { return computes([](const at::Tensor& x) { return at::exp(x); }).shapes({{1}, {27}}); };
    CHECK(check(own, expected().in_place("x")).agrees());
    CHECK_THROWS_AS(check(own, expected()), std::invalid_argument);  // one input expected
    CHECK_THROWS_AS(check(own, expected().in_place("z")), std::invalid_argument);
    CHECK(text::contains(check(kernel("exp_in_place",
                                      [](float* y, std::size_t n) {
                                          exp_in_place(y, n);
                                          y[n - 1] *= 1.00001F;
                                      }),
                               expected().in_place("x"))
                             .text(),
                         "is wrong"));
}

TEST_CASE("in place: a gradient in the place of dy, and a result of another shape") {
    const Kernel own = kernel("tanh_backward", [](float* dx, const float* y, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            dx[i] *= 1 - y[i] * y[i];
        }
    });
    const auto gradient_of = [](auto f) { return is_vjp_of(f).reads({"dy", "y"}).shapes({{1}, {27}}).in_place("dy"); };
    CHECK(check(own, gradient_of([](const at::Tensor& x) { return at::tanh(x); })).agrees());
    CHECK_THROWS_WITH(check(own, gradient_of([](const at::Tensor& x) { return at::tanh(x).sum(); })),
                      Catch::Matchers::ContainsSubstring("in place of dy, which is ()"));
}

TEST_CASE("in place: a kernel that may be given one array is called in both ways") {
    CHECK(check_softmax(false, false).agrees());
    CHECK(check_softmax(true, false).agrees());
    CHECK(check_softmax(false, true).agrees());
    const Report wrong = check_softmax(true, true);
    INFO(wrong.text());
    CHECK_FALSE(wrong.agrees());
    CHECK(text::contains(wrong.text(), "in place of x"));
}
