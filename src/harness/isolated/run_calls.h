// Runs a step's function on specified values, in this process or in a subprocess, and reports its faults.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/isolated/subprocess.h"
#include "harness/isolated/values.h"
#include "steps/step.h"

namespace byhand {

template <class T>
struct Call {
    const Step* step = nullptr;
    const Values* values = nullptr;  // of all its inputs; converted to T
    // Only in a subprocess: the result when no other function is called, which must be reproduced to the bit.
    const std::vector<T>* expected = nullptr;
};

template <class T>
struct CallResult {
    std::vector<T> made;     // empty if it did not finish
    std::string fault;       // of the function; empty if there is none
    std::string overwrites;  // the input that it has changed
};

struct CallConfig {
    bool subprocess = false;
    // Also call the function from two threads at once, on the values of different calls, with the same results. In a
    // subprocess.
    bool threads = false;
    // Also call each function kCallsInARow times in a row and from another thread, on the values of its call with the
    // fewest elements, with the same results.
    bool in_a_row = false;
    SubprocessLimits limits = {};  // NOLINT(readability-redundant-member-init): optional
};

inline constexpr std::size_t kCallsInARow = 256;

// A result for each call. T is float or double.
//
// In this process, each operand lies between numbers that must not change; the function must return or throw.
//
// In a subprocess, the calls should be of one function, unless their results in isolation are specified. Each operand
// lies between inaccessible pages; inputs are in read-only memory. All calls are made twice, the second time in reverse
// order and at other addresses, and must give the same numbers: the operands are aligned first with the end of their
// pages, then with the beginning. If a function ends the process, its call has the fault, and the remaining calls have
// neither numbers nor fault. The time limit applies to all these calls together, again to those in a row, and again to
// those from two threads.
// Throws what run_in_subprocess throws.
template <class T>
std::vector<CallResult<T>> run_calls(const std::vector<Call<T>>& calls, const CallConfig& config);

// Of each function, the call whose operands and result have the fewest elements.
template <class T>
std::vector<std::size_t> cheapest_calls(const std::vector<Call<T>>& calls);

// Calls a function many times in a row, and then from another thread. `makes_the_same` calls it once and compares its
// result. Returns the fault; empty if there is none.
std::string fault_in_a_row(const std::function<bool()>& makes_the_same, const std::function<bool()>& in_thread);

struct ResultsOfBoth {
    std::vector<CallResult<float>> in_float;
    std::vector<CallResult<double>> in_double;
};

// As run_calls with config.subprocess, with one subprocess for both: first the calls in float, then those in double,
// with a time limit each.
ResultsOfBoth run_calls_in_subprocess(const std::vector<Call<float>>& in_float,
                                      const std::vector<Call<double>>& in_double, const CallConfig& config);

}  // namespace byhand
