// Calls of a function in a subprocess: what it keeps from one to the next, and how it leaves its process.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __x86_64__
#include <xmmintrin.h>
#endif

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cfenv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/processes.h"
#include "base/temporary_folder.h"
#include "base/text.h"
#include "foreign/tests/calls.h"
#include "harness/isolated/run_calls.h"

using namespace byhand;
using namespace std::chrono_literals;
using namespace test;
using text::contains;

namespace {

// Writes this process' id to the file, and stays.
[[noreturn]] void be_there(const std::string& file) {
    std::ofstream(file + ".part") << ::getpid() << std::endl;
    std::filesystem::rename(file + ".part", file);
    for (;;) {
        ::pause();
    }
}

void wait_for(const std::string& file) {
    while (!std::filesystem::exists(file)) {
        std::this_thread::sleep_for(1ms);
    }
}

}  // namespace

TEST_CASE("run_calls: other numbers the second time, from a state that a function keeps") {
    int calls = 0;
    const auto results = results_of(
        [&](float* y, const float* x, const std::int64_t*) {
            twice(y, x);
            if (++calls % 7 == 0) {
                y[5] += 1;
            }
        },
        kApart, 4);
    std::size_t faults = 0;
    for (const auto& result : results) {
        CHECK((result.fault.empty() ||
               result.fault == "gives different results for the same input (static or uninitialised data?)"));
        faults += result.fault.empty() ? 0 : 1;
    }
    CHECK(faults == 1);
    CHECK(calls == 0);  // here
}

TEST_CASE("run_calls: other numbers from two threads at once, where both share what the function keeps") {
    const auto through_static = [](float* y, const float* x, const std::int64_t*) {
        static std::vector<float> sums(kElements);
        for (std::size_t i = 0; i < kElements; ++i) {
            sums[i] = 2 * x[i];
        }
        std::this_thread::sleep_for(1ms);
        std::copy(sums.begin(), sums.end(), y);
    };
    CHECK(results_of(through_static)[0].fault == "");
    CHECK(results_of(through_static, {.subprocess = run_calls_in_subprocess, .threads = true})[0].fault ==
          "gives different results when two threads call it at once");
    // With a lock around it there is no race.
    const auto with_lock = [&](float* y, const float* x, const std::int64_t* i) {
        static std::mutex mutex;
        const std::lock_guard lock(mutex);
        through_static(y, x, i);
    };
    CHECK(results_of(with_lock, {.subprocess = run_calls_in_subprocess, .threads = true})[0].fault == "");
    // One that writes nothing where another thread is at work.
    const auto gives_up = [&](float* y, const float* x, const std::int64_t*) {
        static std::mutex mutex;
        const std::unique_lock lock(mutex, std::try_to_lock);
        if (lock) {
            twice(y, x);
            std::this_thread::sleep_for(1ms);
        }
    };
    CHECK(results_of(gives_up, {.subprocess = run_calls_in_subprocess, .threads = true})[0].fault ==
          "gives different results when two threads call it at once");
}

TEST_CASE("run_calls: a call in a row that does not return is one of many") {
    CallConfig config{.subprocess = run_calls_in_subprocess, .in_a_row = true};
    config.limits.timeout = 300ms;
    int calls = 0;
    const auto results = results_of(
        [&](float* y, const float* x, const std::int64_t*) {
            twice(y, x);
            if (++calls > 100) {
                ::pause();
            }
        },
        config, 1);
    CHECK(results[0].fault == "is not done with all its calls within 300 ms; --timeout allows more");
}

TEST_CASE("cheapest_calls: one of each function, result and way to store operands, and none without elements") {
    Step one = step_of({}), larger = one, other = one, in_half = one, empty = one;
    larger.shape = {9};
    other.makes = "z";
    in_half.stored = {DType::float16, DType::int64, DType::float16};
    empty.shape = {0};
    const Tensors<double> values = values_from(1);
    std::vector<Call<float>> calls;
    for (const Step* step : {&larger, &one, &other, &in_half, &empty}) {
        calls.push_back({step, &values});
    }
    std::vector<std::size_t> cheapest = cheapest_calls(calls);
    std::ranges::sort(cheapest);
    CHECK(cheapest == std::vector<std::size_t>{1, 2, 3});
}

TEST_CASE("run_calls: floating point that is left otherwise, and set back for the next call") {
    const auto inexact = [](float* y, const float* x) {
        volatile float three = 3;
        for (std::size_t i = 0; i < kElements; ++i) {
            y[i] = x[i] / three;
        }
    };
    const auto right = results_of([&](float* y, const float* x, const std::int64_t*) { inexact(y, x); });
    const auto upward = results_of([&](float* y, const float* x, const std::int64_t*) {
        inexact(y, x);
        std::fesetround(FE_UPWARD);
    });
    for (std::size_t i = 0; i < right.size(); ++i) {
        CHECK(upward[i].fault == "leaves the rounding mode changed");
        CHECK(upward[i].made == right[i].made);
    }
    CHECK(std::fegetround() == FE_TONEAREST);
#ifdef __x86_64__
    CHECK(fault_of([](auto&&...) { _mm_setcsr(_mm_getcsr() | 0x8000U); }) == "leaves flush-to-zero switched on");
    CHECK(fault_of([](auto&&...) { _mm_setcsr(_mm_getcsr() | 0x40U); }) == "leaves denormals-are-zero switched on");
    CHECK(fault_of([](auto&&...) { _mm_setcsr(_mm_getcsr() | 0x4000U); }) == "leaves the rounding mode changed");
#endif
    CHECK(fault_of([](auto&&...) { ::feenableexcept(FE_DIVBYZERO); }) == "leaves floating-point exceptions trapping");
}

TEST_CASE("run_calls: file descriptors that a function closes are those of the subprocess") {
    CHECK(fault_of([](auto&&...) { ::close(STDOUT_FILENO); }) == "closes file descriptor 1");
    const int file = ::open("/dev/null", O_RDONLY);
    CHECK(fault_of([=](auto&&...) { ::close(file); }) == "closes file descriptor " + std::to_string(file));
    CHECK(::close(file) == 0);
    CHECK(fault_of([](auto&&...) { static_cast<void>(::open("/dev/null", O_RDONLY)); }) == "");
}

TEST_CASE("run_calls: more memory than there is for it") {
    if (kSanitized) {
        SKIP("AddressSanitizer has memory of its own");
    }
    CallConfig config = kApart;
    config.limits.memory = std::size_t{64} << 20;
    const auto hog = [](std::size_t megabytes) {
        return [=](auto&&...) {
            void* volatile memory = ::operator new(megabytes << 20);
            static_cast<void>(memory);
        };
    };
    CHECK(fault_of(hog(200), config) == "needs more memory than it may have (std::bad_alloc)");
    CHECK(fault_of(hog(16), config) == "");
    CHECK(fault_of(hog(200)) == "");
}

TEST_CASE("run_calls: what a function prints goes to standard error, also what a crash leaves half said") {
    const temporary::Folder folder;
    const std::string out = folder.file("out"), err = folder.file("err");
    std::fflush(nullptr);
    const int old_out = ::dup(STDOUT_FILENO), old_err = ::dup(STDERR_FILENO);
    const int new_out = ::open(out.c_str(), O_WRONLY | O_CREAT, 0600),
              new_err = ::open(err.c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(new_out, STDOUT_FILENO);
    ::dup2(new_err, STDERR_FILENO);
    std::printf("before ");
    static_cast<void>(results_of([](auto&&...) {
        std::printf("said\n");
        std::abort();
    }));
    std::printf("after");
    std::fflush(nullptr);
    ::dup2(old_out, STDOUT_FILENO);
    ::dup2(old_err, STDERR_FILENO);
    for (const int descriptor : {old_out, old_err, new_out, new_err}) {
        ::close(descriptor);
    }
    CHECK(folder.read("out") == "before after");
    CHECK(contains(folder.read("err"), "said\n"));
}

TEST_CASE("run_calls: processes that a function has started end with it, whatever their parents are") {
    const temporary::Folder folder;
    const std::string file = folder.file("pid");
    const auto child = [&] {
        if (::fork() == 0) {
            be_there(file);
        }
        wait_for(file);
    };
    const auto orphan = [&] {  // another session, and its parent has ended
        if (::fork() == 0) {
            ::setsid();
            if (::fork() == 0) {
                be_there(file);
            }
            ::_exit(0);
        }
        ::wait(nullptr);
        wait_for(file);
    };
    const auto of_a_shell = [&] {
        const std::string command = "setsid sleep 600 & echo $! > " + file + ".part; mv " + file + ".part " + file;
        static_cast<void>(std::system(command.c_str()));
    };
    const auto elsewhere = [&] {  // in the process group of the caller
        ::setpgid(0, ::getpgid(::getppid()));
        orphan();
    };
    const std::function<void()> returns = [] {}, exits = [] { ::_exit(0); }, crashes = [] { std::abort(); },
                                hangs = [] { ::pause(); };
    const std::string starts = "starts another process",
                      hung = "is not done with all its calls within 500 ms; --timeout allows more";
    const std::vector<std::tuple<std::function<void()>, std::function<void()>, std::string>> cases = {
        {child, returns, starts},
        {orphan, returns, starts},
        {of_a_shell, returns, starts},
        {elsewhere, returns, starts},
        {orphan, exits, "exits the process (exit code 0)"},
        {orphan, crashes, "crashes (Aborted)"},
        {of_a_shell, crashes, "crashes (Aborted)"},
        {orphan, hangs, hung},
        {elsewhere, hangs, hung},
    };
    CallConfig config = kApart;
    config.limits.timeout = 500ms;
    for (const auto& [starts_one, ends, fault] : cases) {
        CAPTURE(&starts_one - &std::get<0>(cases[0]));
        std::filesystem::remove(file);
        CHECK(fault_of(
                  [&](auto&&...) {
                      starts_one();
                      ends();
                  },
                  config) == fault);
        REQUIRE(folder.has("pid"));
        const int pid = std::stoi(folder.read("pid"));
        CHECK_FALSE(runs(pid));
        ::kill(pid, SIGKILL);
    }
    int status = 0;
    CHECK(::waitpid(-1, &status, WNOHANG) == -1);  // none of them is a child of this process now
}

TEST_CASE("run_calls: children of the caller, and threads that a function leaves, are nobody's fault") {
    const pid_t child = ::fork();
    if (child == 0) {
        for (;;) {
            ::pause();
        }
    }
    CHECK(fault_of([](auto&&...) { std::thread([] { ::pause(); }).detach(); }) == "");
    CHECK(runs(child));
    ::kill(child, SIGKILL);
    CHECK(::waitpid(child, nullptr, 0) == child);
}
