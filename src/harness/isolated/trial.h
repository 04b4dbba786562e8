// One run of one step on one set of values, and its verdict.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/isolated/hints.h"
#include "harness/isolated/run_calls.h"
#include "harness/isolated/step_inputs.h"
#include "judge/finding.h"

namespace byhand {

struct Mistake;        // see mistake.h
struct SmallestInput;  // see shrink.h

// The right result is the reference operation's in double. Without an error there is no worst element and no limit.
// `shape` is that of the result if it belongs to another network than the judged one, else empty.
struct Trial : Finding {
    bool nothing_written = false;      // of an unwritten result: no element is written
    std::string hint;                  // of a mismatch: from the structure of its error (see hints.h)
    const Mistake* mistake = nullptr;  // of a mismatch: a known one with the same result
    std::string overwrites;            // the input that it has changed
    std::string on;                    // of the battery: its values, "29 rows: values around 1e12"
    std::string by;                    // of the battery: the function that ran, if it is another than the step's
    TrialInput input = TrialInput::batch;
    bool in_double = false;                                   // of the function in double
    std::shared_ptr<const SmallestInput> smallest = nullptr;  // that still shows it; null if not searched for
};

// What is right for a step's result on one set of values.
struct RightResult {
    const std::string& name;
    const Shape& shape;
    const std::vector<double>& exact;
    const std::vector<double>& limits;             // of each element's error
    std::function<std::vector<Extent>()> extents;  // for a hint
    // The elements whose class counts besides: NaN, ∞, −∞ or the sign. Empty: of none.
    std::vector<bool> of_class = {};
};

// The verdict on a step's result, with a hint where it is wrong. T is float or double.
template <class T>
Trial trial_of(std::span<const T> ours, const RightResult& right);

// The same for the result of a call: a fault makes it a mismatch.
template <class T>
Trial trial_of(const CallResult<T>& result, const RightResult& right);

// Only the verdict, without classes and without a hint.
template <class T>
Trial trial_against(std::span<const T> ours, const std::vector<double>& exact, const std::vector<double>& limits);

// Whether both are NaN, or both not; and of one sign, and both infinite or neither, unless they are NaN.
bool same_class(double a, double b);

}  // namespace byhand
