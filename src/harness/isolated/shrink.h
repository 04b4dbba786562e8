// The input on which a step is wrong, made small: few rows and columns, simple values.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/isolated/battery.h"
#include "harness/isolated/step_inputs.h"
#include "harness/isolated/trial.h"
#include "harness/isolated/values.h"

namespace byhand {

// What a step made of given values, and what that shows. `numbers` is empty where it did not finish.
struct Made {
    Trial trial;
    std::vector<double> numbers;
};

struct SmallestInput {
    std::string makes;
    Shape shape;                     // of what it makes
    std::vector<std::string> reads;  // each once, in the step's order
    NetworkSize size;
    Values values;  // of what it reads
    Made made;
    std::vector<double> right;
};

struct Shrinking {
    MakeForm make;
    std::function<Made(const NetworkSize& size, const StepInput& input)> run;
    std::size_t tries = 600;  // of `run`, at most
    bool in_double = false;   // else every number is a float's
};

// Begins with `values` of what the step that makes `makes` reads, at `size`, on which it is wrong. Leaves out rows,
// units, classes, dimensions and positions, many at a time and then one by one: of every value whose extent changes
// with the size, the same index. Then sets elements to 0, 1 or −1, or rounds them to a few digits. Keeps what still
// shows the same kind of error: as large, or a hundredth of the value. Null where the step is not wrong on `values`.
std::shared_ptr<const SmallestInput> shrink(const std::string& makes, const std::vector<std::string>& reads,
                                            const NetworkSize& size, const Values& values, const Shrinking& how);

}  // namespace byhand
