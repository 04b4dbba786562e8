#include <ATen/ATen.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"
#include "byhand/torch.h"
#include "library/tests/torch_trial.h"

using namespace byhand;

namespace {

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
void exp_of_matrix(float* y, const float* x, std::size_t n, std::size_t c) {
    exp_of(y, x, n * c);
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

// (What a kernel may do besides its result: modules/foreign/tests/same_faults_test.cpp.)
TEST_CASE("kernel: a report names the place of the kernel, and the option that allows more time") {
    const auto exp = exp_expected().shapes({{1, 1}, {7, 27}}).timeout(std::chrono::milliseconds(1500));
    CHECK(text::contains(check(kernel("my_exp", exp_of_matrix), exp).text(), "my_exp is right: 56 trials"));
    const std::string late = check(kernel("my_exp",
                                          [](float* y, const float* x, std::size_t n, std::size_t c) {
                                              exp_of(y, x, n * c);
                                              while (c == 27) {
                                                  pause();
                                              }
                                          }),
                                   exp)
                                 .text();
    CHECK(text::contains(late, "my_exp (torch_inputs_test.cpp:"));
    CHECK(text::contains(late, "is not done with all its calls within 1500 ms; timeout() allows more"));
}

TEST_CASE("kernel: parameters that do not fit what is expected are refused") {
    const Kernel yours = kernel("my_exp", exp_of_matrix);
    CHECK(text::contains(refused(yours, exp_expected()), "no shapes: add some"));
    CHECK(text::contains(refused(yours, exp_expected().shapes({{3, 5}}).reads({"y0"})),
                         "reads y0, which is neither an input of the reference (x)"));
    const std::pair<Kernel, const char*> unfit[] = {
        {kernel("two", [](float*, float*, const float*, std::size_t, std::size_t) {}),
         "has 2 results, but 1 expected: y"},
        {kernel("two", [](float*, const float*, const float*, std::size_t, std::size_t) {}),
         "has 2 inputs, but 1 expected: x; name them with reads()"},
        {kernel("one", [](float*, const float*, std::size_t) {}),
         "takes 1 size, but is given 2, the extents of the first input: set sizes()"},
        {kernel("index", [](float*, const int*, std::size_t, std::size_t) {}),
         "takes x as integers: give their range with integers()"}};
    for (const auto& [kernel, why] : unfit) {
        CHECK(text::contains(refused(kernel, exp_expected().shapes({{3, 5}})), why));
    }
    const auto sum = [](const at::Tensor& a, const at::Tensor& b) { return a + b; };
    CHECK_THROWS_AS(computes(sum).wrt(0), std::invalid_argument);
    CHECK_THROWS_AS(is_vjp_of(sum).wrt(2), std::invalid_argument);
    CHECK_THROWS_AS(computes(sum).inputs({"a"}), std::invalid_argument);
    CHECK_THROWS_AS(computes(sum).shapes_of_all({{{1}}}), std::invalid_argument);
    CHECK(text::contains(refused(kernel("sum", [](float*, const float*, const float*, std::size_t) {}),
                                 computes(sum).shapes_of_all({{{3}, {5}}})),
                         "the reference does not accept inputs of (3), (5): "));
}

TEST_CASE("integers: every one of them is tried") {
    const Report right = gather(-1);
    INFO(right.text());
    CHECK(right.agrees());
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
    CHECK(text::contains(check(bytes, expected().integers("q", -128, 127)).text(), "is wrong"));
    CHECK(text::contains(refused(bytes, expected().integers("q", 0, 300)),
                         "takes q as integers of 8 bits, which do not hold 0 to 300"));
    CHECK(text::contains(refused(bytes, expected()), "as integers: give their range"));
}

TEST_CASE("inputs: without elements, and called X") {
    CHECK(check(kernel("exp", exp_of), exp_expected().inputs({"X"}).shapes({{0}, {7}})).agrees());
    CHECK(check(kernel("exp", exp_of_matrix), exp_expected().shapes({{0, 3}, {5, 3}})).agrees());
    CHECK(text::contains(check(kernel("exp", exp_of_matrix), exp_expected().shapes({{0, 3}})).text(),
                         "is not shown to be right"));
}

TEST_CASE("inputs: names and ranges that do not fit are refused") {
    const Kernel exp = kernel("exp", exp_of);
    CHECK_THROWS_AS(exp_expected().range("x", 1, 0), std::invalid_argument);
    CHECK_THROWS_AS(exp_expected().range("x", 0, std::nan("")), std::invalid_argument);
    CHECK_THROWS_AS(exp_expected().integers("x", 1, 0), std::invalid_argument);
    CHECK_THROWS_AS(exp_expected().inputs({"dy"}), std::invalid_argument);
    CHECK(text::contains(refused(exp, exp_expected().shapes({{3}}).range("z", 0, 1)),
                         "range(): there is no z among x, dy"));
    const Evaluate saved = computed_by([](const at::Tensor& a, const at::Tensor& b) { return a + b; });
    CHECK(text::contains(refused(exp, exp_expected().shapes({{3}}).with("m", saved)), "with(): there is no m among x"));
    CHECK(text::contains(refused(kernel("two", [](float*, const float*, const float*, std::size_t) {}),
                                 exp_expected().shapes({{3}}).reads({"x", "m"}).with("m", saved)),
                         "a function of 2 tensors is given 1"));
    CHECK_THROWS_AS(kernel("twice", exp_of, exp_of), std::invalid_argument);
    CHECK_THROWS_AS(kernel("null", static_cast<void (*)(float*, const float*, std::size_t)>(nullptr)),
                    std::invalid_argument);
}

TEST_CASE("reference: a random one, and one that throws, are refused") {
    CHECK(
        text::contains(refused(kernel("relu",
                                      [](float* y, const float* x, std::size_t n) {
                                          for (std::size_t i = 0; i < n; ++i) {
                                              y[i] = x[i] > 0 ? x[i] : 0;
                                          }
                                      }),
                               computes([](const at::Tensor& x) { return at::dropout(x, 0.5, true); }).shapes({{99}})),
                       "is it random?"));
    CHECK(text::contains(refused(kernel("exp", exp_of), computes([](const at::Tensor& x) -> at::Tensor {
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
    CHECK(text::contains(report.text(), "of them elements are not compared: there is no finite right value"));
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
    CHECK(text::contains(with(1, true).text(), "writes past the end of its result"));
}

TEST_CASE("a kernel in this process is called once for each trial, in the thread that checks") {
    std::size_t calls = 0, in_others = 0;
    const auto counted = [&, own = std::this_thread::get_id()](float* y, const float* x, std::size_t n) {
        exp_of(y, x, n);
        ++calls;
        in_others += std::this_thread::get_id() == own ? 0 : 1;
    };
    const Report report = check(kernel("exp", counted), exp_expected().shapes({{7}}).in_this_process());
    CHECK(text::contains(report.text(), "exp is right: " + std::to_string(calls) + " trials"));
    CHECK(in_others == 0);
}

namespace {

// y = f(x), by two instances of a lambda.
template <class F>
Kernel elementwise(F f) {
    return trial::each("f", [f]<class T>(T x) { return static_cast<T>(f(x)); });
}

// Whether x is in the octave from 2^exponent on.
template <class T>
bool is_in(T x, int exponent) {
    return x != 0 && std::ilogb(x) == exponent;
}

}  // namespace

TEST_CASE("inputs: where the reference rounds, clamps or has a threshold is found and tried") {
    const auto quantized = [](at::Tensor x) { return at::round(x).clamp(-127, 127); };
    const auto rounded = [](auto f) { return [f](auto x) { return std::clamp<double>(f(x), -127, 127); }; };
    const auto is_right = [](const Kernel& kernel, auto f) {
        return check(kernel, computes(f).shapes({{33}})).agrees();
    };
    CHECK(is_right(elementwise(rounded([](auto x) { return std::nearbyint(x); })), quantized));
    CHECK_FALSE(is_right(elementwise(rounded([](auto x) { return std::round(x); })), quantized));
    CHECK_FALSE(is_right(elementwise(rounded([](auto x) { return std::floor(x + 0.5); })), quantized));
    CHECK_FALSE(is_right(elementwise([](auto x) { return std::nearbyint(x); }), quantized));
    const auto relu6 = [](double low, double high) {
        return kernel("relu6_backward", [=](float* dx, const float* dy, const float* x, std::size_t n) {
            for (std::size_t i = 0; i < n; ++i) {
                dx[i] = x[i] > low && x[i] < high ? dy[i] : 0;
            }
        });
    };
    const auto backward = [](const Kernel& kernel) {
        return check(kernel, is_vjp_of([](at::Tensor x) { return at::relu6(x); }).shapes({{33}})).agrees();
    };
    CHECK(backward(relu6(0, 6)));
    CHECK_FALSE(backward(relu6(0, 5.9)));
    CHECK_FALSE(backward(relu6(0, std::nextafter(6.0F, 7.0F))));
    const auto threshold = [](at::Tensor x) { return at::where(x > 0.7, x, at::zeros_like(x)); };
    CHECK(is_right(elementwise([](auto x) { return x > 0.7 ? x : 0; }), threshold));
    CHECK_FALSE(is_right(elementwise([](auto x) { return x > 0.69999 ? x : 0; }), threshold));
}

namespace {

// That three kernels fail which are wrong by 0.1 % in one octave: of the input, of a gain, and of the distance from the
// largest in a row.
void check_octaves(const Shape& shape) {
    for (int octave = -40; octave <= 40; ++octave) {
        INFO(to_string(shape) << ", octave " << octave);
        const auto slip = [octave](auto x) { return is_in(x, octave) ? 1.001 : 1.0; };
        const auto count_of = [](const std::vector<Shape>& inputs) { return std::vector{count(inputs[0])}; };
        CHECK_FALSE(
            check(elementwise([&](auto x) { return 3 * x * slip(x); }),
                  computes([](at::Tensor x) { return 3 * x; }).shapes({shape}).and_neighbours(false).sizes(count_of))
                .agrees());
        CHECK_FALSE(check(kernel("scaled",
                                 [&](float* y, const float* x, const float* gain, std::size_t n) {
                                     for (std::size_t i = 0; i < n; ++i) {
                                         y[i] = x[i] * gain[i] * static_cast<float>(slip(gain[i]));
                                     }
                                 }),
                          computes([](at::Tensor x, at::Tensor gain) { return x * gain; })
                              .shapes({shape})
                              .and_neighbours(false)
                              .sizes(count_of))
                        .agrees());
        const auto from_the_top = [&](float* y, const float* x, std::size_t rows, std::size_t columns) {
            for (std::size_t i = 0; i < rows * columns; ++i) {
                const float* row = x + i / columns * columns;
                const float below = *std::max_element(row, row + columns) - x[i];
                y[i] = below * static_cast<float>(slip(below));
            }
        };
        const auto rows_and_columns = [](const std::vector<Shape>& inputs) {
            return std::vector{count(inputs[0]) / inputs[0].back(), inputs[0].back()};
        };
        Expected below = computes([](at::Tensor x) { return x.amax(-1, true) - x; });
        below.shapes({shape}).and_neighbours(false).sizes(rows_and_columns);
        CHECK_FALSE(check(kernel("below", from_the_top), below).agrees());
    }
}

}  // namespace

TEST_CASE("inputs: an error of 0.1 % in any one octave of an input, of a difference or of a gain is found") {
    check_octaves({27});
}

TEST_CASE("inputs: such errors are found in arrays of two axes and of three", "[long]") {
    check_octaves(GENERATE(Shape{3, 9}, Shape{7, 27}, Shape{3, 3, 3}));
}

TEST_CASE("not finite: NaN and infinities by rule are demanded, unless only finite values are to be compared") {
    const auto logarithm = [](double of_zero) {
        return elementwise([of_zero](auto x) { return x == 0 ? of_zero : static_cast<double>(std::log(std::abs(x))); });
    };
    const auto expected = [] {
        return computes([](at::Tensor x) { return x.abs().log(); })
            .shapes({{7, 9}})
            .sizes([](const std::vector<Shape>& inputs) { return std::vector{count(inputs[0])}; });
    };
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(check(logarithm(-infinity), expected()).agrees());
    for (const double wrong : {0.0, -1e9, infinity, std::nan("")}) {
        CHECK(text::contains(check(logarithm(wrong), expected()).text(), "expected −∞"));
        CHECK(check(logarithm(wrong), expected().where_finite()).agrees());
    }
}

TEST_CASE("not finite: a reference that overflows demands nothing") {
    const Kernel softplus = elementwise([](auto x) {
        const double y = x;
        return std::max(y, 0.0) + std::log1p(std::exp(-std::abs(y)));
    });
    CHECK(
        check(softplus, computes([](at::Tensor x) { return (x.exp() + 1.0).log(); }).shapes({{33}}).range("x", 0, 1e6))
            .agrees());
}

TEST_CASE("zero's sign: a copy keeps it, and other operations need not") {
    const auto flip = [](float zero) {
        return kernel("flip", [zero](float* y, const float* x, std::size_t n) {
            for (std::size_t i = 0; i < n; ++i) {
                y[i] = x[n - 1 - i] + zero;
            }
        });
    };
    const auto flipped = [](at::Tensor x) { return x.flip(0); };
    CHECK(check(flip(-0.0F), computes(flipped).shapes({{33}})).agrees());
    CHECK(text::contains(check(flip(0.0F), computes(flipped).shapes({{33}})).text(), "is 0, expected −0"));
    CHECK(check(elementwise([](auto x) { return x > 0 ? x : 0; }),
                computes([](at::Tensor x) { return at::relu(x); }).shapes({{33}}))
              .agrees());
}
