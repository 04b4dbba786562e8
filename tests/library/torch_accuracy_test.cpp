#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <string>

#include "base/text.h"
#include "byhand/torch.h"

using namespace byhand;

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
    // A constant in float: as good as any in float, but not in double.
    const Kernel in_float = kernel("in_float", [](double* y, const double* x, std::size_t n) {
        sigmoid<double>(0.5)(y, x, n);
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = static_cast<float>(y[i]);
        }
    });
    CHECK(text::contains(check(in_float, sigmoids()).text(), "is wrong"));
}
