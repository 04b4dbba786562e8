#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/text.h"
#include "byhand/network.h"
#include "byhand/tensor.h"
#include "byhand/torch.h"

using namespace byhand;

namespace {

constexpr std::size_t kRows = 7, kInputs = 5, kClasses = 11;

std::vector<float> numbers(std::size_t n, double phase) {
    std::vector<float> all(n);
    for (std::size_t i = 0; i < n; ++i) {
        all[i] = static_cast<float>(std::sin(phase + 1.3 * static_cast<double>(i * i)));
    }
    return all;
}

// out (n, m) = a (n, k)·b (k, m), with either transposed in memory.
void product(float* out, const float* a, const float* b, std::size_t n, std::size_t k, std::size_t m, bool a_transposed,
             bool b_transposed) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < m; ++j) {
            float sum = 0;
            for (std::size_t l = 0; l < k; ++l) {
                sum += (a_transposed ? a[l * n + i] : a[i * k + l]) * (b_transposed ? b[j * k + l] : b[l * m + j]);
            }
            out[i * m + j] = sum;
        }
    }
}

enum class Mistake { none, no_mean, crash };

// A linear layer with softmax and cross-entropy, and its backward pass.
Network network_with(Mistake mistake) {
    static const std::vector<float> x = numbers(kRows * kInputs, 0.2), W = numbers(kInputs * kClasses, 1.7);
    static const std::vector<std::int64_t> Y = {3, 0, 10, 7, 3, 1, 5};
    Network network("classifier");
    network.input(tensor("x", x, {kRows, kInputs}))
        .input(tensor("W", W, {kInputs, kClasses}))
        .input(tensor("Y", Y, {kRows}));
    network.step("logits",
                 kernel("linear", [](float* z, const float* a,
                                     const float* w) { product(z, a, w, kRows, kInputs, kClasses, false, false); }),
                 {"x", "W"}, computed_by([](const at::Tensor& a, const at::Tensor& w) { return at::matmul(a, w); }));
    network.step("probs",
                 kernel("softmax",
                        [](float* p, const float* z) {
                            for (std::size_t i = 0; i < kRows; ++i) {
                                float sum = 0;
                                for (std::size_t j = 0; j < kClasses; ++j) {
                                    sum += p[i * kClasses + j] = std::exp(z[i * kClasses + j]);
                                }
                                for (std::size_t j = 0; j < kClasses; ++j) {
                                    p[i * kClasses + j] /= sum;
                                }
                            }
                        }),
                 {"logits"}, computed_by([](const at::Tensor& z) { return at::softmax(z, 1); }));
    network.step("dlogits",
                 kernel("cross_entropy_backward",
                        [mistake](float* dz, const float* p, const std::int64_t* y) {
                            if (mistake == Mistake::crash) {
                                std::abort();
                            }
                            const float n = mistake == Mistake::no_mean ? 1 : kRows;
                            for (std::size_t i = 0; i < kRows; ++i) {
                                for (std::size_t j = 0; j < kClasses; ++j) {
                                    const float hot = y[i] == static_cast<std::int64_t>(j) ? 1 : 0;
                                    dz[i * kClasses + j] = (p[i * kClasses + j] - hot) / n;
                                }
                            }
                        }),
                 {"probs", "Y"}, computed_by([](const at::Tensor& p, const at::Tensor& y) {
                     return (p - at::one_hot(y, kClasses).to(p.scalar_type())) / static_cast<double>(kRows);
                 }));
    network.step("dW",
                 kernel("linear_weight_backward",
                        [](float* dw, const float* a, const float* dz) {
                            product(dw, a, dz, kInputs, kRows, kClasses, true, false);
                        }),
                 {"x", "dlogits"},
                 computed_by([](const at::Tensor& a, const at::Tensor& dz) { return at::matmul(a.t(), dz); }));
    network.step("dx",
                 kernel("linear_input_backward",
                        [](float* dx, const float* dz, const float* w) {
                            product(dx, dz, w, kRows, kClasses, kInputs, false, true);
                        }),
                 {"dlogits", "W"},
                 computed_by([](const at::Tensor& dz, const at::Tensor& w) { return at::matmul(dz, w.t()); }));
    return network;
}

}  // namespace

TEST_CASE("network: right steps agree, end to end and in isolation") {
    const Report report = check(network_with(Mistake::none));
    INFO(report.text());
    CHECK(report.agrees());
    CHECK(text::contains(report.text(), "classifier is right: 5 steps"));
}

TEST_CASE("network: the wrong step is the culprit, and what depends on it inherits") {
    const Report report = check(network_with(Mistake::no_mean));
    INFO(report.text());
    CHECK_FALSE(report.agrees());
    CHECK(text::contains(report.text(), "culprit: dlogits\n  made by cross_entropy_backward (torch_network_test.cpp:"));
    CHECK(text::contains(report.text(), "hint: off by the factor 7 = n: a 1/n is missing"));
    CHECK(text::contains(report.text(), "inherited from dlogits: dW, dx"));
    CHECK_FALSE(text::contains(report.text(), "made by linear_weight_backward"));
    CHECK(text::contains(report.json(), R"("role": "inherited from dlogits")"));
}

TEST_CASE("network: a step that crashes is named, and the others are still checked") {
    const Report report = check(network_with(Mistake::crash));
    INFO(report.text());
    CHECK(text::contains(report.text(), "culprit: dlogits\n"));
    CHECK(text::contains(report.text(), "crashes (Aborted)"));
    CHECK_FALSE(text::contains(report.text(), "made by linear_weight_backward"));
}

TEST_CASE("network: names and parameters that do not fit are refused") {
    Network network("net");
    const std::vector<float> x = numbers(3, 0.2);
    network.input(tensor("x", x, {3}));
    const auto copy = [](float* y, const float* a) { std::copy(a, a + 3, y); };
    const Evaluate same = computed_by([](const at::Tensor& a) { return a * 1; });
    CHECK_THROWS_AS(network.input(tensor("x", x, {3})), std::invalid_argument);
    CHECK_THROWS_AS(network.step("y", kernel("copy", copy), {"z"}, same), std::invalid_argument);
    CHECK_THROWS_AS(network.step("x", kernel("copy", copy), {"x"}, same), std::invalid_argument);
    CHECK_THROWS_AS(network.step("y", kernel("copy", copy), {"x", "x"}, same), std::invalid_argument);
    CHECK_THROWS_AS(network.step("y", kernel("copy", [](float*, const float*, int) {}), {"x"}, same),
                    std::invalid_argument);
}
