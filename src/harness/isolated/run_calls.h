// Runs a step's function on given values, in this process or in a subprocess, and says how it behaved there.
#pragma once

#include <string>
#include <vector>

#include "harness/isolated/subprocess.h"
#include "harness/isolated/values.h"
#include "steps/step.h"

namespace byhand {

template <class T>
struct Call {
    const Step* step = nullptr;
    const Values* values = nullptr;  // of all that it reads; converted to T
    // Only in a subprocess: what it has to make, to the bit, since it made that where no other function was called.
    const std::vector<T>* expected = nullptr;
};

template <class T>
struct CallResult {
    std::vector<T> made;     // empty where it did not finish
    std::string fault;       // what the function did that it must not; empty where it behaved
    std::string overwrites;  // what it reads and yet has changed
};

struct CallConfig {
    bool subprocess = false;
    // Also calls from two threads at once, on values of different calls, whose results must be the same. In a
    // subprocess.
    bool threads = false;
    SubprocessLimits limits = {};  // NOLINT(readability-redundant-member-init): it may be left out
};

// A result for each call. T is float or double.
//
// In this process, around each operand lie numbers that must not change; an exception is the only end but the right
// one.
//
// In a subprocess, the calls should be of one function, unless it is said what they make by themselves. Each operand
// lies between inaccessible pages, those that are read in memory that can only be read. All calls are done twice, the
// second time in reverse order and at other addresses, and must make the same numbers: the operands first end where
// their pages end, then begin where they begin. Where a function ends the process, the call that did it has the fault,
// and what was not yet done has neither numbers nor fault. The time limit is of all these calls together, and again of
// those from two threads. Throws what run_in_subprocess throws.
template <class T>
std::vector<CallResult<T>> run_calls(const std::vector<Call<T>>& calls, const CallConfig& config);

struct ResultsOfBoth {
    std::vector<CallResult<float>> in_float;
    std::vector<CallResult<double>> in_double;
};

// As run_calls with config.subprocess, one subprocess for both: first the calls in float, then those in double, which
// have the time limit once more.
ResultsOfBoth run_calls_in_subprocess(const std::vector<Call<float>>& in_float,
                                      const std::vector<Call<double>>& in_double, const CallConfig& config);

}  // namespace byhand
