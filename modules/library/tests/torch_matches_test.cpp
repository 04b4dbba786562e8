#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/text.h"
#include "byhand/catch2.h"
#include "byhand/tensor.h"
#include "byhand/torch.h"

using namespace byhand;

namespace {

std::vector<float> numbers(std::size_t n, double phase) {
    std::vector<float> all(n);
    for (std::size_t i = 0; i < n; ++i) {
        all[i] = static_cast<float>(3 * std::sin(phase + 1.3 * static_cast<double>(i * i)));
    }
    return all;
}

// dx of softmax over rows, in the number type T.
template <class T>
std::vector<T> softmax_backward(const std::vector<float>& x, const std::vector<float>& dy, std::size_t columns) {
    std::vector<T> dx(x.size());
    for (std::size_t row = 0; row < x.size(); row += columns) {
        T sum = 0, dot = 0, largest = x[row];
        for (std::size_t j = row; j < row + columns; ++j) {
            largest = std::max(largest, T(x[j]));
        }
        for (std::size_t j = row; j < row + columns; ++j) {
            dx[j] = std::exp(T(x[j]) - largest);
            sum += dx[j];
        }
        for (std::size_t j = row; j < row + columns; ++j) {
            dx[j] /= sum;
            dot += dx[j] * T(dy[j]);
        }
        for (std::size_t j = row; j < row + columns; ++j) {
            dx[j] *= T(dy[j]) - dot;
        }
    }
    return dx;
}

const auto kReference = [](const at::Tensor& x, const at::Tensor& dy) {
    return at::_softmax_backward_data(dy, at::softmax(x, 1), 1, x.scalar_type());
};

}  // namespace

TEST_CASE("matches: a tensor of floats or doubles, by the reference's own rounding") {
    const std::vector<float> x = numbers(7 * 27, 0.2), dy = numbers(7 * 27, 1.7);
    const View inputs[] = {tensor("x", x, {7, 27}), tensor("dy", dy, {7, 27})};
    const std::vector<float> yours = softmax_backward<float>(x, dy, 27);
    REQUIRE_THAT(tensor("dx", yours, {7, 27}), matches(kReference, inputs[0], inputs[1]));
    const std::vector<double> in_double = softmax_backward<double>(x, dy, 27);
    REQUIRE_THAT(tensor("dx", in_double, {7, 27}), matches(kReference, inputs[0], inputs[1]));
    // Floats stored as doubles are off by the rounding of float.
    const std::vector<double> floats(yours.begin(), yours.end());
    CHECK_FALSE(check(tensor("dx", floats, {7, 27}), matches(kReference, inputs[0], inputs[1])).agrees());
}

TEST_CASE("matches: an error of a thousandth of an element is found, and the message says where") {
    const std::vector<float> x = numbers(33 * 10, 0.2), dy = numbers(33 * 10, 1.7);
    std::vector<float> yours = softmax_backward<float>(x, dy, 10);
    yours[10 * 18 + 7] *= 1.001F;
    const Report report =
        check(tensor("dx", yours, {33, 10}), matches(kReference, tensor("x", x, {33, 10}), tensor("dy", dy, {33, 10})));
    CHECK_FALSE(report.agrees());
    CHECK(text::contains(report.text(), "dx is wrong\n  dx[18, 7]: yours "));
    CHECK(text::contains(report.text(), "hint: only one element is off, [18, 7]"));
    CHECK(text::contains(report.junit(), "<failure"));
    CHECK(text::contains(report.html(), "dx[18, 7]"));
}

TEST_CASE("matches: zeros, NaNs and another shape do not agree") {
    const std::vector<float> x = numbers(6, 0.2), zeros(6), nans(6, std::nanf(""));
    const auto exp = matches([](const at::Tensor& t) { return at::exp(t); }, tensor("x", x, {2, 3}));
    CHECK_FALSE(check(tensor("y", zeros, {2, 3}), exp).agrees());
    CHECK_FALSE(check(tensor("y", nans, {2, 3}), exp).agrees());
    const Report shape = check(tensor("y", zeros, {3, 2}), exp);
    CHECK(text::contains(shape.text(), "has the shape (3, 2), but the reference's is (2, 3)"));
    // All zero in both shows nothing.
    const Report nothing =
        check(tensor("y", zeros, {2, 3}), matches([](const at::Tensor& t) { return t * 0; }, tensor("x", x, {2, 3})));
    CHECK(text::contains(nothing.text(), "is not shown to be right: y in float is vacuous"));
}

TEST_CASE("matches: inputs that do not fit the reference are refused with their shapes") {
    const std::vector<float> x = numbers(6, 0.2);
    try {
        (void)check(tensor("y", x, {2, 3}),
                    matches([](const at::Tensor& a, const at::Tensor& b) { return at::matmul(a, b); },
                            tensor("a", x, {2, 3}), tensor("b", x, {2, 3})));
        FAIL("accepted");
    } catch (const std::invalid_argument& error) {
        CHECK(text::contains(error.what(), "the reference does not accept inputs of (2, 3), (2, 3): "));
    }
    CHECK_THROWS_AS(tensor("x", x, {2, 4}), std::invalid_argument);
}
