// Calls of a function in this process and in a subprocess: how they end, and what they access.
#include "harness/isolated/run_calls.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"
#include "foreign/tests/calls.h"

using namespace byhand;
using namespace std::chrono_literals;
using namespace test;
using text::contains;

namespace {

std::size_t overflow(volatile char* before, std::size_t depth) {
    volatile char frame[4096];
    frame[0] = before[0];
    return depth == 0 ? 0 : overflow(frame, depth - 1) + static_cast<std::size_t>(frame[depth % sizeof frame]);
}

// Not a constant: compilers take index errors that they see for impossible.
volatile std::ptrdiff_t offset = 0;

void write_at(float* y, std::ptrdiff_t at) {
    offset = at;
    y[offset] = 3;
}
void read_at(const float* x, std::ptrdiff_t at) {
    offset = at;
    static_cast<void>(*const_cast<const volatile float*>(x + offset));
}

}  // namespace

TEST_CASE("run_calls: a function that behaves makes the same numbers here and in a subprocess") {
    for (const CallConfig& config :
         {CallConfig{}, kApart, CallConfig{.subprocess = run_calls_in_subprocess, .threads = true}}) {
        const auto results = results_of([](float* y, const float* x, const std::int64_t*) { twice(y, x); }, config, 9);
        REQUIRE(results.size() == 9);
        for (std::size_t call = 0; call < results.size(); ++call) {
            CHECK(results[call].fault == "");
            CHECK(results[call].overwrites == "");
            REQUIRE(results[call].made.size() == kElements);
            for (std::size_t i = 0; i < kElements; ++i) {
                CHECK(results[call].made[i] == 2 * static_cast<float>(100 * call + i));
            }
        }
    }
    CHECK(run_calls<float>({}, kApart).empty());
}

TEST_CASE("run_calls: in double; what is never written, and numbers that are none") {
    const Tensors<double> values = values_from(1);
    const auto theirs = [](double* y, Reads<double> reads) {
        y[0] = numbers(reads, 0)[6] / 3;
        y[1] = std::nan("");
    };
    const Step step = {"y", {3}, {"x"}, {}, {"theirs", theirs}, {}};
    for (const CallConfig& config : {CallConfig{}, kApart}) {
        const auto results = run_calls<double>({{&step, &values}}, config);
        REQUIRE(results.size() == 1);
        CHECK(results[0].fault == "");
        REQUIRE(results[0].made.size() == 3);
        CHECK(results[0].made[0] == 7.0 / 3);
        CHECK(std::isnan(results[0].made[1]));
        CHECK_FALSE(is_unwritten(&results[0].made[1]));
        CHECK(is_unwritten(&results[0].made[2]));
    }
}

TEST_CASE("run_calls: ends of every kind are named") {
    const std::vector<std::pair<std::string, Run>> ends = {
        {"exits the process (exit code 0)", [](auto&&...) { ::_exit(0); }},
        {"exits the process (exit code 0)", [](auto&&...) { std::exit(0); }},
        {"exits the process (exit code 3)", [](auto&&...) { ::_exit(3); }},
        {"exits the process (exit code 4)", [](auto&&...) { std::quick_exit(4); }},
        {"crashes (Aborted)", [](auto&&...) { std::abort(); }},
        {"calls std::terminate", [](auto&&...) { std::terminate(); }},
        {"crashes (Killed)", [](auto&&...) { ::raise(SIGKILL); }},
        {"crashes (Floating point exception)", [](auto&&...) { ::raise(SIGFPE); }},
        {"crashes (Segmentation fault)",
         [](auto&&...) {
             ::kill(::getpid(), SIGSEGV);
             ::pause();
         }},
        {"ends its thread (pthread_exit)", [](auto&&...) { ::pthread_exit(nullptr); }},
        {"throws an object other than std::exception", [](auto&&...) { throw 3; }},
        {"takes no such shape", [](auto&&...) { throw std::runtime_error("takes no such shape"); }},
        {"starts another process", [](auto&&...) {
             if (::fork() == 0) {
                 ::pause();
             }
         }}};
    for (const auto& [fault, end] : ends) {
        INFO(fault);
        if (kSanitized && contains(fault, "Segmentation")) {
            continue;
        }
        const auto began = std::chrono::steady_clock::now();
        CHECK(fault_of(end) == fault);
        CHECK(std::chrono::steady_clock::now() - began < 5s);
    }
}

TEST_CASE("run_calls: after an exception the other calls go on, after an end of the process they do not") {
    const auto results_with = [](const std::function<void()>& end) {
        return results_of([&](float* y, const float* x, const std::int64_t*) {
            twice(y, x);
            if (x[0] == 100) {
                end();
            }
        });
    };
    const auto thrown = results_with([] { throw std::runtime_error("thrown"); });
    CHECK(thrown[1].fault == "thrown");
    CHECK(thrown[1].made.empty());
    CHECK(thrown[3].fault == "");
    CHECK(thrown[3].made.size() == kElements);
    const auto exited = results_with([] { std::exit(0); });
    CHECK(exited[0].made.size() == kElements);
    CHECK(exited[1].made.empty());
    CHECK(exited[3].fault == "");
    CHECK(exited[3].made.empty());
}

TEST_CASE("run_calls: what does not return is ended, and the limit is of all calls together") {
    CallConfig config = kApart;
    config.limits.timeout = 300ms;
    const auto began = std::chrono::steady_clock::now();
    const auto spin = [] {
        for (volatile int x = 0; x == 0;) {
        }
    };
    CHECK(results_of([&](auto&&...) { spin(); }, config)[0].fault ==
          "does not return within 300 ms; --timeout allows more");
    CHECK(fault_of([&](auto&&...) { spin(); }, config) ==
          "is not done with all its calls within 300 ms; --timeout allows more");
    CHECK(std::chrono::steady_clock::now() - began < 5s);
    // Four calls, each of them twice.
    const Run slow = [](float* y, const float* x, const std::int64_t*) {
        twice(y, x);
        std::this_thread::sleep_for(100ms);
    };
    const Results ended = results_of(slow, config);
    CHECK(std::ranges::count_if(ended, [](const auto& result) { return !result.fault.empty(); }) == 1);
    CHECK(std::ranges::count_if(ended, [](const auto& result) {
              return result.fault == "is not done with all its calls within 300 ms; --timeout allows more";
          }) == 1);
    config.limits.timeout = 2s;
    for (const auto& result : results_of(slow, config)) {
        CHECK(result.fault == "");
    }
}

TEST_CASE("run_calls: a caller that does not go on ends the subprocess") {
    CallConfig config = kApart;
    int asked = 0;
    config.limits.goes_on = [&] { return ++asked < 5; };
    CHECK_THROWS_AS(fault_of([](auto&&...) { ::pause(); }, config), Interrupted);
    int status = 0;
    CHECK(::waitpid(-1, &status, WNOHANG) == -1);  // no child is left
}

TEST_CASE("run_calls: accesses outside of operands are named, however far outside") {
    if (kSanitized) {
        SKIP("AddressSanitizer takes the signal");
    }
    const std::string result = " its result", x = " x";
    for (const std::ptrdiff_t far : {0, 199, 5000, 200'000}) {
        INFO(far);
        const std::ptrdiff_t past = static_cast<std::ptrdiff_t>(kElements) + far, before = -1 - far;
        CHECK(fault_of([=](float* y, auto&&...) { write_at(y, past); }) == "writes past the end of" + result);
        CHECK(fault_of([=](float* y, auto&&...) { write_at(y, before); }) == "writes before the beginning of" + result);
        CHECK(fault_of([=](auto, const float* in, auto) { read_at(in, past); }) == "reads past the end of" + x);
        CHECK(fault_of([=](auto, const float* in, auto) { read_at(in, before); }) ==
              "reads before the beginning of" + x);
        CHECK(fault_of([=](auto, const float* in, auto) { write_at(const_cast<float*>(in), past); }) ==
              "writes past the end of" + x);
    }
    // So far that it may be another's: with the distance. The last is a signed index that was taken for an unsigned
    // one.
    const auto element = static_cast<std::ptrdiff_t>(kElements);
    CHECK(fault_of([=](auto, const float* in, auto) { read_at(in, element + 1'000'000); }) ==
          "reads 4,000,000 bytes past the end of x");
    CHECK(fault_of([=](float* y, auto&&...) { write_at(y, -2'500'000); }) ==
          "writes 10,000,000 bytes before the beginning of its result");
    CHECK(fault_of([=](auto, const float* in, auto) { read_at(in, element + 500'000'000); }) ==
          "reads 2,000,000,000 bytes past the end of x");
    CHECK(fault_of([=](float* y, auto&&...) { write_at(y, -std::ptrdiff_t{0xffff'fffb}); }) ==
          "writes 17,179,869,164 bytes before the beginning of its result");
    CHECK(fault_of([](auto, auto, const std::int64_t* i) {
              static_cast<void>(*const_cast<const volatile std::int64_t*>(i + kElements));
          }) == "reads past the end of i");
    CHECK(fault_of([](auto, auto, const std::int64_t* i) {
              static_cast<void>(*const_cast<const volatile std::int64_t*>(i - 1));
          }) == "reads before the beginning of i");
    CHECK(fault_of([](auto&&...) { *static_cast<volatile int*>(nullptr) = 1; }) == "crashes (Segmentation fault)");
    CHECK(fault_of([](auto&&...) {
              volatile char first = 1;
              overflow(&first, 1'000'000);
          }) == "overflows the stack");
    CallConfig config = kApart;
    config.limits.advice = [] { return "; ask"; };
    CHECK(fault_of([](auto&&...) { *static_cast<volatile int*>(nullptr) = 1; }, config) ==
          "crashes (Segmentation fault); ask");
}

TEST_CASE("run_calls: what a function overwrites although it only reads it") {
    const Run overwrites = [](float* y, const float* x, const std::int64_t*) {
        twice(y, x);
        *const_cast<volatile float*>(x + 3) = 17;
    };
    for (const CallConfig& config : {CallConfig{}, kApart}) {
        if (config.subprocess != nullptr && kSanitized) {
            continue;
        }
        const auto results = results_of(overwrites, config);
        CHECK(results[0].fault == "overwrites x, which it reads");
        CHECK(results[0].overwrites == "x");
    }
}

TEST_CASE("run_calls: memory of an earlier call is gone") {
    if (kSanitized) {
        SKIP("AddressSanitizer takes the signal");
    }
    const float* kept = nullptr;
    const auto results = results_of([&](float* y, const float* x, const std::int64_t*) {
        kept = kept == nullptr ? x : kept;
        twice(y, kept);
    });
    CHECK(results[0].fault == "");
    CHECK(results[1].fault == "reads what was x in an earlier call");
}
