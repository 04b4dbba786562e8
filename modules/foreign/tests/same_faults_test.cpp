// Functions that are not ours have one form: what `byhand exercise` finds in a step, the library's check finds in a
// kernel, in the same words.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cfenv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "byhand/kernel.h"
#include "foreign/exercise/examine.h"
#include "foreign/exercise/functions.h"
#include "foreign/subprocess.h"
#include "torch_ref/load.h"
#include "train/run_with.h"

using namespace byhand;
using text::contains;

namespace {

struct How {
    bool threads = false;
    std::chrono::milliseconds timeout{30'000};  // on a busy machine, all calls of one take long
};

// y (n) = tanh(x (n)).
template <class T>
void right(T* y, const T* x, std::size_t n) {
    using std::tanh;
    std::transform(x, x + n, y, [](T one) { return tanh(one); });
}

// The step h = tanh(hpreact), by `Body`, in float and in double: what is said of its first failing trial.
template <class Body>
std::string said_of_step(const How& calls) {
    const auto functions = exercise::functions_of([](exercise::Steps& steps) {
        const auto add = [&]<class T>(T /*type*/) {
            steps.add(
                "h", +[](exercise::Tensor<T> out, exercise::Tensor<const T> hpreact) {
                    Body()(&out(0, 0), &hpreact(0, 0), static_cast<std::size_t>(out.size(0) * out.size(1)));
                });
        };
        add(0.0F);
        add(0.0);
    });
    const Run run = test::run_with({"--hidden", "7", "--batch", "5"});
    exercise::ExaminationConfig how{.limits = {}, .threads = calls.threads};
    how.limits.timeout = calls.timeout;
    const Examination examination = exercise::examine(functions, torch_ref::load(), run, how, {});
    const Trial* trial = examination.attempts.at(0).value.isolated->telling();
    return trial == nullptr ? "right" : trial->note + trial->hint + "; " + to_string(trial->verdict);
}

// The same body as a kernel, with limits by the right function on Rounded, as the step has.
template <class Body>
std::string said_of_kernel(const How& calls) {
    const auto on = []<class T>(T /*type*/) {
        return [](T* y, const T* x, std::size_t n, std::size_t c) { Body()(y, x, n * c); };
    };
    Expected expected(
        [](const std::vector<View>& inputs, Precision /*double*/) {
            Computed y{"y", inputs[0].shape, std::vector<double>(count(inputs[0].shape))};
            right(y.numbers.data(), static_cast<const double*>(inputs[0].data), y.numbers.size());
            return std::vector{y};
        },
        1, Expected::What::value);
    expected.shapes({{1, 1}, {5, 7}}).timeout(calls.timeout);
    if (calls.threads) {
        expected.from_two_threads();
    }
    const auto rounded = [](Rounded* y, const Rounded* x, std::size_t n, std::size_t c) { right(y, x, n * c); };
    return check(kernel("h", on(0.0F), on(0.0), rounded), expected).text();
}

// `of_step` is said of the step, and `of_kernel` of the kernel.
template <class Body>
void is_found(Body /*body*/, const std::string& of_step, const std::string& of_kernel, const How& calls = {}) {
    const std::string step = said_of_step<Body>(calls), kernel = said_of_kernel<Body>(calls);
    INFO("step: " << step << "\nkernel: " << kernel);
    CHECK(step != "right");
    CHECK_FALSE(contains(kernel, "h is right"));
    CHECK(contains(step, of_step));
    CHECK(contains(kernel, of_kernel));
}
template <class Body>
void is_found(Body body, const std::string& words, const How& calls = {}) {
    is_found(body, words, words, calls);
}

}  // namespace

TEST_CASE("faults: right functions have none, as a step and as a kernel") {
    const auto body = [](auto* y, const auto* x, std::size_t n) { right(y, x, n); };
    CHECK(said_of_step<decltype(body)>({.threads = true}) == "right");
    const std::string kernel = said_of_kernel<decltype(body)>({.threads = true});
    INFO(kernel);
    CHECK(contains(kernel, "h is right"));
}

TEST_CASE("faults: invalid accesses are found in a step and in a kernel") {
    if (has_address_sanitizer()) {
        SKIP("AddressSanitizer takes the signal");
    }
    is_found(
        [](auto* y, const auto* x, std::size_t n) {
            right(y, x, n);
            y[n] = 1;
        },
        "writes past the end of its result");
    is_found(
        [](auto* y, const auto* x, std::size_t n) {
            right(y, x, n);
            *(y - 1) = 1;
        },
        "writes before the beginning of its result");
    is_found(
        [](auto* y, const auto* x, std::size_t n) {
            right(y, x, n);
            y[0] += 0 * x[n];
        },
        "reads past the end of hpreact", "reads past the end of x");
    is_found(
        []<class T>(T* y, const T* x, std::size_t n) {
            right(y, x, n);
            const_cast<T*>(x)[0] = 0;
        },
        "overwrites hpreact, which it reads", "overwrites x, which it reads");
}

TEST_CASE("faults: elements that are not written, or only added to, are found in a step and in a kernel") {
    is_found([](auto* y, const auto* x, std::size_t n) { right(y, x, n - 1); }, "unwritten");
    is_found(
        [](auto* y, const auto* x, std::size_t n) {
            for (std::size_t i = 0; i < n; ++i) {
                y[i] += std::tanh(x[i]);
            }
        },
        "adds to its result, which is not initialised");
}

TEST_CASE("faults: what a function does to its process is found in a step and in a kernel") {
    is_found([](auto*, const auto*, std::size_t) { std::abort(); }, "crashes (Aborted)");
    is_found([](auto*, const auto*, std::size_t) { std::_Exit(0); }, "exits the process (exit code 0)");
    is_found([](auto*, const auto*, std::size_t) { throw std::runtime_error("cannot do that"); }, "cannot do that");
    is_found(
        [](auto*, const auto*, std::size_t) {
            while (true) {
                ::pause();
            }
        },
        "does not return within 1500 ms", {.timeout = std::chrono::milliseconds(1500)});
    is_found(
        [](auto* y, const auto* x, std::size_t n) {
            right(y, x, n);
            std::fesetround(FE_UPWARD);
        },
        "leaves the rounding mode changed");
    is_found(
        [](auto* y, const auto* x, std::size_t n) {
            right(y, x, n);
            ::close(STDOUT_FILENO);
        },
        "closes file descriptor 1");
    is_found(
        [](auto* y, const auto* x, std::size_t n) {
            right(y, x, n);
            if (::fork() == 0) {
                ::pause();
            }
        },
        "starts another process");
}

TEST_CASE("faults: results that depend on other calls are found in a step and in a kernel") {
    is_found(
        []<class T>(T* y, const T* x, std::size_t n) {
            static T calls = 0;
            right(y, x, n);
            y[0] += calls++;
        },
        "gives different results for the same input");
    is_found(
        []<class T>(T* y, const T* x, std::size_t n) {
            static T last = 0;
            static int same = 0;
            right(y, x, n);
            same = x[0] == last ? same + 1 : 0;
            last = x[0];
            y[0] += same > 100 ? T(1) : T(0);
        },
        "of 256 in a row on the same values");
    is_found(
        []<class T>(T* y, const T* x, std::size_t n) {
            static const std::thread::id first = std::this_thread::get_id();
            right(y, x, n);
            y[0] += std::this_thread::get_id() == first ? T(0) : T(1);
        },
        "gives different results when another thread calls it");
    is_found(
        []<class T>(T* y, const T* x, std::size_t n) {
            static std::vector<T> scratch(1 << 20);
            right(scratch.data(), x, n);
            std::this_thread::sleep_for(std::chrono::microseconds(100));
            std::copy_n(scratch.begin(), n, y);
        },
        "gives different results when two threads call it at once", {.threads = true});
}

TEST_CASE("faults: wrong numbers are found in a step and in a kernel") {
    is_found([](auto* y, const auto*, std::size_t n) { std::fill(y, y + n, 0); }, "all zero");
    is_found(
        [](auto* y, const auto* x, std::size_t n) {
            right(y, x, n);
            if (n % 4 == 1) {  // the tail of a vector of four
                y[n - 1] = 0;
            }
        },
        "only one element is off", "hint: all zero");
    is_found(
        [](auto* y, const auto* x, std::size_t n) {  // cancels for small x, and ∞/∞ for large
            for (std::size_t i = 0; i < n; ++i) {
                const auto e = std::exp(2 * x[i]);
                y[i] = (e - 1) / (e + 1);
            }
        },
        "; mismatch", "values around 1e-6");
}
