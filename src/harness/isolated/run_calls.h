// Runs a step's function on specified values, in this process or where external code does no harm, and reports its
// faults.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/tensors.h"
#include "steps/step.h"

namespace byhand {

template <class T>
struct Call {
    const Step* step = nullptr;
    const Tensors<double>* values = nullptr;  // of all its inputs; converted to T
    // Only in a subprocess: the result when no other function is called, which must be reproduced to the bit.
    const std::vector<T>* expected = nullptr;
};

template <class T>
struct CallResult {
    std::vector<T> made;     // empty if it did not finish
    std::string fault;       // of the function; empty if there is none
    std::string overwrites;  // the input that it has changed

    // False for the calls that were left when the subprocess ended.
    bool was_made() const { return !made.empty() || !fault.empty(); }
};

struct ResultsOfBoth {
    std::vector<CallResult<float>> in_float;
    std::vector<CallResult<double>> in_double;
};

struct CallLimits {
    static constexpr std::size_t kAllMemory = ~std::size_t{0};

    std::chrono::milliseconds timeout{10000};  // in total, or from one restart of the clock to the next
    std::size_t memory = 0;              // bytes beyond those of this process; 0: half of the machine's; kAllMemory
    std::function<bool()> goes_on = {};  // calls are ended when it returns false; may be empty
    std::string option = "--timeout";    // that sets the time limit
    std::function<std::string()> advice = {};  // the end of the report of a crash: how to find out more
};

struct CallConfig;

// Runs calls in a subprocess: run_calls_in_subprocess of modules/foreign.
using RunInSubprocess = ResultsOfBoth (*)(const std::vector<Call<float>>& in_float,
                                          const std::vector<Call<double>>& in_double, const CallConfig& config);

struct CallConfig {
    RunInSubprocess subprocess = nullptr;  // null: in this process
    // Also call the function from two threads at once, on the values of different calls, with the same results. In a
    // subprocess.
    bool threads = false;
    // Also call each function kCallsInARow times in a row and from another thread, on the values of its call with the
    // fewest elements, if these are at most kMostInARow, with the same results.
    bool in_a_row = false;
    CallLimits limits = {};
};

inline constexpr std::size_t kCallsInARow = 256, kMostInARow = 4096;

// A result for each call. T is float or double.
//
// In this process, each operand lies between numbers that must not change; the function must return or throw.
//
// In a subprocess, the calls should be of one function, unless their results in isolation are specified. Each operand
// lies between inaccessible pages; inputs are in read-only memory. All calls are made twice, the second time in reverse
// order and at other addresses, and must give the same numbers: the operands are aligned first with the end of their
// pages, then with the beginning. If a function ends the process, its call has the fault, and the remaining calls have
// neither numbers nor fault. The time limit applies to all these calls together, again to those of each function in a
// row, and again to those from two threads. Throws Interrupted; InputError if the system can't create a process.
template <class T>
std::vector<CallResult<T>> run_calls(const std::vector<Call<T>>& calls, const CallConfig& config);

// Of each function, for each of its results and each way to store its operands, the call whose operands and result have
// the fewest elements, if these are at most kMostInARow. A result without elements shows nothing.
template <class T>
std::vector<std::size_t> cheapest_calls(const std::vector<Call<T>>& calls);

// Calls a function many times in a row, and then from another thread. `makes_the_same` calls it once and compares its
// result. Returns the fault; empty if there is none.
std::string fault_in_a_row(const std::function<bool()>& makes_the_same, const std::function<bool()>& in_thread);

// CallLimits::goes_on is false.
struct Interrupted : std::runtime_error {
    Interrupted() : std::runtime_error("interrupted") {}
};

// The end of the fault of a call that exceeds its time limit, and whether a fault is one.
inline constexpr std::string_view kMoreTime = " allows more";
bool is_time_out(std::string_view fault);
// The fault of a function that writes to an operand.
std::string overwriting(const std::string& name);
// In catch (...): describes the current exception in one printable line.
std::string describe_exception();

}  // namespace byhand
