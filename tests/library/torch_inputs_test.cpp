#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include "byhand/torch.h"

using namespace byhand;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Why a check is refused; empty if it is not.
std::string refused(const Kernel& kernel, const Expected& expected) {
    try {
        (void)check(kernel, expected);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

void exp_of(float* y, const float* x, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        y[i] = std::exp(x[i]);
    }
}
Expected exp_expected() {
    return computes([](const at::Tensor& x) { return at::exp(x); });
}

// Row t[i] of a table (27, 5), wrong for the index `wrong`.
Report gather(std::int64_t wrong) {
    return check(kernel("gather",
                        [wrong](float* y, const float* table, const std::int64_t* t, std::size_t n) {
                            for (std::size_t i = 0; i < n * 5; ++i) {
                                const std::int64_t row = t[i / 5] == wrong ? (wrong + 1) % 27 : t[i / 5];
                                y[i] = table[row * 5 + static_cast<std::int64_t>(i % 5)];
                            }
                        }),
                 computes([](const at::Tensor& table, const at::Tensor& t) { return table.index_select(0, t); })
                     .inputs({"table", "t"})
                     .integers("t", 0, 26)
                     .shapes_of_all({{{27, 5}, {7}}})
                     .sizes([](const std::vector<Shape>& inputs) { return inputs[1]; }));
}

}  // namespace

TEST_CASE("integers: every one of them is tried") {
    CHECK(gather(-1).agrees());
    for (const std::int64_t wrong : {0, 13, 25, 26}) {
        INFO("index " << wrong);
        CHECK_FALSE(gather(wrong).agrees());
    }
}

TEST_CASE("integers: those that the kernel's type does not hold are refused") {
    const Kernel bytes = kernel("bytes", [](float* y, const std::int8_t* q, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = static_cast<float>(q[i] == -128 ? 127 : q[i]);
        }
    });
    const auto expected = [] {
        return computes([](const at::Tensor& q) { return q.to(at::kFloat); }).inputs({"q"}).shapes({{9}});
    };
    CHECK(contains(check(bytes, expected().integers("q", -128, 127)).text(), "is wrong"));
    CHECK(contains(refused(bytes, expected().integers("q", 0, 300)),
                   "takes q as integers of 8 bits, which do not hold 0 to 300"));
    CHECK(contains(refused(bytes, expected()), "as integers: give their range"));
}

TEST_CASE("inputs: without elements, and called X") {
    CHECK(check(kernel("exp", exp_of), exp_expected().inputs({"X"}).shapes({{0}, {7}})).agrees());
    const auto matrix = [](float* y, const float* x, std::size_t n, std::size_t c) { exp_of(y, x, n * c); };
    CHECK(check(kernel("exp", matrix), exp_expected().shapes({{0, 3}, {5, 3}})).agrees());
    CHECK(contains(check(kernel("exp", matrix), exp_expected().shapes({{0, 3}})).text(), "is not shown to be right"));
}

TEST_CASE("inputs: names and ranges that do not fit are refused") {
    const Kernel exp = kernel("exp", exp_of);
    CHECK_THROWS_AS(exp_expected().range("x", 1, 0), std::invalid_argument);
    CHECK_THROWS_AS(exp_expected().range("x", 0, std::nan("")), std::invalid_argument);
    CHECK_THROWS_AS(exp_expected().integers("x", 1, 0), std::invalid_argument);
    CHECK_THROWS_AS(exp_expected().inputs({"dy"}), std::invalid_argument);
    CHECK(contains(refused(exp, exp_expected().shapes({{3}}).range("z", 0, 1)), "range(): there is no z among x, dy"));
    const Evaluate saved = computed_by([](const at::Tensor& a, const at::Tensor& b) { return a + b; });
    CHECK(contains(refused(exp, exp_expected().shapes({{3}}).with("m", saved)), "with(): there is no m among x"));
    CHECK(contains(refused(kernel("two", [](float*, const float*, const float*, std::size_t) {}),
                           exp_expected().shapes({{3}}).reads({"x", "m"}).with("m", saved)),
                   "a function of 2 tensors is given 1"));
    CHECK_THROWS_AS(kernel("twice", exp_of, exp_of), std::invalid_argument);
    CHECK_THROWS_AS(kernel("null", static_cast<void (*)(float*, const float*, std::size_t)>(nullptr)),
                    std::invalid_argument);
}

TEST_CASE("reference: a random one, and one that throws, are refused") {
    CHECK(contains(refused(kernel("relu",
                                  [](float* y, const float* x, std::size_t n) {
                                      for (std::size_t i = 0; i < n; ++i) {
                                          y[i] = x[i] > 0 ? x[i] : 0;
                                      }
                                  }),
                           computes([](const at::Tensor& x) { return at::dropout(x, 0.5, true); }).shapes({{99}})),
                   "is it random?"));
    CHECK(contains(refused(kernel("exp", exp_of), computes([](const at::Tensor& x) -> at::Tensor {
                                                      if (x.size(0) == 3) {
                                                          throw std::runtime_error("no such device");
                                                      }
                                                      return at::exp(x);
                                                  }).shapes({{3}})),
                   "the reference does not accept inputs of (3): no such device"));
}

TEST_CASE("reference: elements without a finite right value are not compared, and counted") {
    const Report report =
        check(kernel("log",
                     [](float* y, const float* x, std::size_t n) {
                         for (std::size_t i = 0; i < n; ++i) {
                             y[i] = std::log(x[i]);
                         }
                     }),
              computes([](const at::Tensor& x) { return at::log(x); }).range("x", -1, 9).shapes({{99}}));
    INFO(report.text());
    CHECK(contains(report.text(), "of them elements are not compared: there is no finite right value"));
}

TEST_CASE("limits: the textbook gradient of gelu and of tanh agree, whatever the inputs") {
    const auto seed = static_cast<std::uint64_t>(GENERATE(range(1, 9)));
    const auto gelu = [](float* dx, const float* dy, const float* x, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            const float cdf = 0.5F * (1 + std::erf(x[i] * 0.70710678F));
            dx[i] = dy[i] * (cdf + x[i] * 0.39894228F * std::exp(-0.5F * x[i] * x[i]));
        }
    };
    const auto tanh = [](float* dx, const float* dy, const float* x, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            const float t = std::tanh(x[i]);
            dx[i] = dy[i] * (1 - t * t);
        }
    };
    const Report of_gelu =
        check(kernel("gelu_backward", gelu),
              is_vjp_of([](const at::Tensor& x) { return at::gelu(x); }).seed(seed).shapes({{1000}}));
    const Report of_tanh =
        check(kernel("tanh_backward", tanh),
              is_vjp_of([](const at::Tensor& x) { return at::tanh(x); }).seed(seed).shapes({{1000}}));
    INFO(of_gelu.text() << of_tanh.text());
    CHECK(of_gelu.agrees());
    CHECK(of_tanh.agrees());
}

TEST_CASE("limits: those of a kernel that runs on Rounded are its own") {
    const auto check_with = [](auto factor) {
        const auto norm = [factor]<class T>(T* y, const T* x, std::size_t n) {
            using std::sqrt;
            T sum = 0;
            for (std::size_t i = 0; i < n; ++i) {
                sum += x[i] * x[i];
            }
            for (std::size_t i = 0; i < n; ++i) {
                y[i] = x[i] * T(factor) / sqrt(sum);
            }
        };
        return check(kernel(
                         "normalise", [=](float* y, const float* x, std::size_t n) { norm(y, x, n); },
                         [=](double* y, const double* x, std::size_t n) { norm(y, x, n); },
                         [=](Rounded* y, const Rounded* x, std::size_t n) { norm(y, x, n); }),
                     computes([](const at::Tensor& x) { return x / (x * x).sum().sqrt(); }).shapes({{1}, {27}, {100}}));
    };
    CHECK(check_with(1).agrees());
    CHECK_FALSE(check_with(1.00002).agrees());
}

TEST_CASE("limits: they do not grow with the size of what is computed element by element") {
    const Report report = check(kernel("triple",
                                       [](float* y, const float* x, std::size_t n) {
                                           for (std::size_t i = 0; i < n; ++i) {
                                               y[i] = x[i] * 3.00001F;
                                           }
                                       }),
                                computes([](const at::Tensor& x) { return x * 3; }).shapes({{30000}}));
    CHECK_FALSE(report.agrees());
}

TEST_CASE("a kernel in this process: right, wrong, and writing past its result") {
    const auto with = [](float more, bool past) {
        return check(kernel("exp",
                            [=](float* y, const float* x, std::size_t n) {
                                exp_of(y, x, n);
                                y[past ? n : 0] += more;
                            }),
                     exp_expected().shapes({{7}}).in_this_process());
    };
    CHECK(with(0, false).agrees());
    CHECK_FALSE(with(1, false).agrees());
    CHECK(contains(with(1, true).text(), "writes past the end of its result"));
}
