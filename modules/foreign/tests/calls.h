// Calls of a function y ← x, i of seven elements, for the tests of run_calls.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "foreign/subprocess.h"
#include "harness/isolated/run_calls.h"

namespace test {

using namespace byhand;

inline constexpr std::size_t kElements = 7;

// y ← x and the indices i: y is twice x.
using Run = std::function<void(float* y, const float* x, const std::int64_t* i)>;

inline void twice(float* y, const float* x) {
    for (std::size_t i = 0; i < kElements; ++i) {
        y[i] = 2 * x[i];
    }
}

inline Step step_of(const Run& run) {
    const auto theirs = [run](float* y, Reads<float> reads) { run(y, numbers(reads, 0), indices(reads, 1)); };
    return {"y", {kElements}, {"x", "i"}, {"theirs", theirs}, {}, {}};
}

inline Tensors<double> values_from(float first) {
    Tensors<double> values;
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

inline const CallConfig kApart = {.subprocess = run_calls_in_subprocess};

using Results = std::vector<CallResult<float>>;

inline Results results_of(const Run& run, const CallConfig& config = kApart, std::size_t calls = 4) {
    const Step step = step_of(run);
    std::vector<Tensors<double>> values;
    for (std::size_t i = 0; i < calls; ++i) {
        values.push_back(values_from(static_cast<float>(100 * i)));
    }
    std::vector<Call<float>> all;
    for (const Tensors<double>& one : values) {
        all.push_back({&step, &one});
    }
    return run_calls(all, config);
}

// The fault of the call on the values that begin with 200, the third, where alone something is done besides.
inline std::string fault_of(const Run& besides, const CallConfig& config = kApart) {
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
inline const bool kSanitized = has_address_sanitizer();

}  // namespace test
