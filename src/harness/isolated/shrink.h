// Shrinks the input on which a step is wrong: few rows and columns, simple values.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/tensors.h"
#include "harness/isolated/battery.h"
#include "harness/isolated/step_inputs.h"
#include "harness/isolated/trial.h"

namespace byhand {

// The result of a step and its trial. `numbers` is empty if it did not finish.
struct StepResult {
    Trial trial;
    std::vector<double> numbers;
};

struct SmallestInput {
    std::string makes;
    Shape shape;                     // of its result
    std::vector<std::string> reads;  // each once, in the step's order
    NetworkSize size;
    Tensors<double> values;  // of its inputs
    StepResult made;
    std::vector<double> right;
};

struct Shrinking {
    Form form;
    std::function<StepResult(const NetworkSize& size, const StepInput& input)> run;
    std::size_t tries = 600;               // at most, of `run`
    std::chrono::milliseconds time{3000};  // of the CPU
    bool in_double = false;                // otherwise every number is a float
};

// Begins with `values`, the inputs at `size` on which the step that makes `makes` is wrong. Leaves out rows, units,
// classes, dimensions and positions, many at a time and then one by one: the same index of every value whose extent
// depends on the size. Then sets elements to 0, 1 or −1, or rounds them to a few digits. Keeps a change if the error is
// of the same kind (mismatch, unwritten, a fault) and as large, or at least a hundredth of the value. Ends with the
// tries or the time. Null if the step is right on `values`.
std::shared_ptr<const SmallestInput> shrink(const std::string& makes, const std::vector<std::string>& reads,
                                            const NetworkSize& size, const Tensors<double>& values,
                                            const Shrinking& how);

}  // namespace byhand
