// One run of one step on one set of values, and its verdict.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "judge/finding.h"

namespace byhand {

struct Mistake;        // see mistake.h
struct SmallestInput;  // see shrink.h

// The values on which a step runs: those of the training batch, random ones of its shapes, or a case of the battery
// (battery.h).
enum class TrialInput { batch, random, battery };

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

// Compares a step's result with the exact one, with a limit for each element. T is float or double. `hint` is left
// empty.
template <class T>
Trial trial_against(std::span<const T> ours, const std::vector<double>& exact, const std::vector<double>& limits);

// "dx[3, 4]", "loss"
std::string element_of(const std::string& name, const Shape& shape, std::size_t position);

// Whether both are NaN, or both not; and of one sign, and both infinite or neither, unless they are NaN.
bool same_class(double a, double b);

// Turns the trial into a failed one if an element is of another class than the exact one, among those that count. The
// result has this name and shape. T is float or double.
template <class T>
void compare_classes(Trial& trial, std::span<const T> ours, const std::vector<double>& exact,
                     const std::vector<bool>& counts, const std::string& name, const Shape& shape);

}  // namespace byhand
