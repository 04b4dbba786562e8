// Calls of a function in this process and in a subprocess: each way there is to misbehave, and what is said of it.
#include "harness/run_calls.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __x86_64__
#include <xmmintrin.h>
#endif

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cfenv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/temporary_folder.h"
#include "base/text.h"
#include "harness/subprocess_side.h"

using namespace byhand;
using namespace std::chrono_literals;
using text::contains;

namespace {

constexpr std::size_t kElements = 7;

// y ← x and the indices i: y is twice x.
using Function = std::function<void(float* y, const float* x, const std::int64_t* i)>;

void twice(float* y, const float* x) {
    for (std::size_t i = 0; i < kElements; ++i) {
        y[i] = 2 * x[i];
    }
}

Step<float> step_of(const Function& function) {
    return {"y", {kElements}, {"x", "i"}, "theirs", [function](float* y, std::span<const Operand<float>> reads) {
                function(y, std::get<const float*>(reads[0]), std::get<const std::int64_t*>(reads[1]));
            }};
}

Values values_from(float first) {
    Values values;
    std::vector<float> x;
    std::vector<std::int64_t> i;
    for (std::size_t at = 0; at < kElements; ++at) {
        x.push_back(first + static_cast<float>(at));
        i.push_back(static_cast<std::int64_t>(at));
    }
    values.put({"x", {kElements}}, x);
    values.put({"i", {kElements}}, i);
    return values;
}

const CallConfig kApart = {.subprocess = true};

std::vector<CallResult<float>> results_of(const Function& function, const CallConfig& config = kApart,
                                          std::size_t calls = 4) {
    const Step<float> step = step_of(function);
    std::vector<Values> values;
    for (std::size_t i = 0; i < calls; ++i) {
        values.push_back(values_from(static_cast<float>(100 * i)));
    }
    std::vector<Call<float>> all;
    for (const Values& one : values) {
        all.push_back({&step, &one});
    }
    return run_calls(all, config);
}

// The fault of the call on the values that begin with 200, the third, where alone something is done besides.
std::string fault_of(const Function& besides, const CallConfig& config = kApart) {
    const auto results = results_of(
        [&](float* y, const float* x, const std::int64_t* i) {
            twice(y, x);
            if (x[0] == 200) {
                besides(y, x, i);
            }
        },
        config);
    CHECK(results[0].fault.empty());
    CHECK(results[1].fault.empty());
    CHECK(results[0].made.size() == kElements);
    CHECK(results[1].made.size() == kElements);
    return results[2].fault;
}

// AddressSanitizer finds accesses in its own words, and has its own way to crash.
const bool kSanitized = has_address_sanitizer();

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
    for (const CallConfig& config : {CallConfig{}, kApart, CallConfig{.subprocess = true, .threads = true}}) {
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
    const Values values = values_from(1);
    const Step<double> step = {"y", {3}, {"x"}, "theirs", [](double* y, std::span<const Operand<double>> reads) {
                                   y[0] = std::get<const double*>(reads[0])[6] / 3;
                                   y[1] = std::nan("");
                               }};
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
    const std::vector<std::pair<std::string, Function>> ends = {
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
        {"throws something that is no std::exception", [](auto&&...) { throw 3; }},
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

TEST_CASE("run_calls: what does not return is ended, with all that it has started, and the limit is of each call") {
    CallConfig config = kApart;
    config.limits.timeout = 300ms;
    const auto began = std::chrono::steady_clock::now();
    CHECK(fault_of(
              [](auto&&...) {
                  for (volatile int x = 0; x == 0;) {
                  }
              },
              config) == "does not return within 300 ms; --timeout allows more");
    CHECK(std::chrono::steady_clock::now() - began < 5s);
    config.limits.timeout = 1s;
    CHECK(fault_of([](auto&&...) { ::pause(); }, config) == "does not return within 1 s; --timeout allows more");
    const auto slow = results_of(
        [](float* y, const float* x, const std::int64_t*) {
            twice(y, x);
            std::this_thread::sleep_for(200ms);
        },
        config);
    for (const auto& result : slow) {
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
    config.limits.advice = "; ask";
    CHECK(fault_of([](auto&&...) { *static_cast<volatile int*>(nullptr) = 1; }, config) ==
          "crashes (Segmentation fault); ask");
}

TEST_CASE("run_calls: what a function overwrites although it only reads it") {
    const Function overwrites = [](float* y, const float* x, const std::int64_t*) {
        twice(y, x);
        *const_cast<volatile float*>(x + 3) = 17;
    };
    for (const CallConfig& config : {CallConfig{}, kApart}) {
        if (config.subprocess && kSanitized) {
            continue;
        }
        const auto results = results_of(overwrites, config);
        CHECK(results[0].fault == "overwrites x, which it reads");
        CHECK(results[0].overwrites == "x");
    }
}

TEST_CASE("run_calls: memory of an earlier call is not there any more") {
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
        CHECK(
            (result.fault.empty() || result.fault == "makes other numbers when it is called again on the same values"));
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
        std::copy(sums.begin(), sums.end(), y);
    };
    CHECK(results_of(through_static)[0].fault == "");
    CHECK(results_of(through_static, {.subprocess = true, .threads = true})[0].fault ==
          "makes other numbers when two threads call it at once");
    // With a lock around it there is no race.
    const auto with_lock = [&](float* y, const float* x, const std::int64_t* i) {
        static std::mutex mutex;
        const std::lock_guard lock(mutex);
        through_static(y, x, i);
    };
    CHECK(results_of(with_lock, {.subprocess = true, .threads = true})[0].fault == "");
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

TEST_CASE("run_calls: processes that a function has started are ended with it") {
    const temporary::Folder folder;
    const std::string file = folder.file("pid");
    CHECK(fault_of([&](auto&&...) {
              if (::fork() == 0) {
                  std::ofstream(file) << ::getpid() << std::endl;
                  for (;;) {
                      ::pause();
                  }
              }
              while (!std::ifstream(file).good()) {
                  std::this_thread::sleep_for(1ms);
              }
              std::this_thread::sleep_for(50ms);
          }) == "starts another process");
    // Until its new parent looks it is a zombie.
    const auto runs = [stat = "/proc/" + std::to_string(std::stoi(folder.read("pid"))) + "/stat"] {
        std::string line;
        std::getline(std::ifstream(stat), line);
        return !line.empty() && !contains(line, ") Z ");
    };
    for (int i = 0; i < 100 && runs(); ++i) {
        std::this_thread::sleep_for(10ms);
    }
    CHECK_FALSE(runs());
}

namespace {

// A side of one value, y = 2·rate, made by `function`.
class OneValue final : public Side {
public:
    explicit OneValue(std::function<void()> function) : function_(std::move(function)) {}
    void load(const Tensors<float>&) override {}
    void run(const Batch&, float rate) override {
        function_();
        y_ = 2 * rate;
    }
    std::vector<View> views() const override { return {{"y", {}, DType::float32, &y_}}; }

private:
    std::function<void()> function_;
    float y_ = 0;
};

}  // namespace

TEST_CASE("SubprocessSide: its values come over, and of a fault the function that was running") {
    const auto side_with = [](const std::function<void()>& function) {
        return SubprocessSide(
            [&](const SubprocessSide::Announce& announce) {
                return std::make_unique<OneValue>([=] {
                    announce("first");
                    announce("second");
                    function();
                });
            },
            {.timeout = 500ms});
    };
    SubprocessSide right = side_with([] {});
    for (const float rate : {3.0F, 5.0F}) {
        right.run({}, rate);
        const std::vector<View> views = right.views();
        REQUIRE(views.size() == 1);
        CHECK(views[0].name == "y");
        CHECK(value_at(views[0], 0) == 2 * rate);
    }
    const std::map<std::string, std::function<void()>> faults = {
        {"exits the process (exit code 0)", [] { std::exit(0); }},
        {"does not return within 500 ms; --timeout allows more", [] { ::pause(); }},
        {"thrown", [] { throw std::runtime_error("thrown"); }}};
    for (const auto& [what, function] : faults) {
        SubprocessSide side = side_with(function);
        try {
            side.run({}, 1);
            FAIL("no fault: " << what);
        } catch (const ExternalFault& fault) {
            CHECK(fault.label == "second");
            CHECK(fault.what() == what);
        }
    }
}
