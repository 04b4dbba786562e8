// Checks of a computation of many steps, such as a backward pass: which step is wrong, and which only inherit its
// error.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "byhand/kernel.h"
#include "byhand/reference.h"
#include "byhand/report.h"
#include "byhand/view.h"

namespace byhand {

// Your steps in the order in which they run, and the right one beside each.
class Network {
public:
    explicit Network(Named named) : named_(std::move(named)) {}

    // A tensor that steps read and none makes. Its elements are copied.
    Network& input(const View& view);
    // The kernel makes one value from others: inputs, or values of earlier steps. It has one result and no sizes (bind
    // them in a lambda). `right` computes the same from the same values, for example byhand::computed_by(f) with a
    // function f on tensors. Throws std::invalid_argument if the parameters do not fit, or a name is not known yet.
    Network& step(std::string makes, Kernel kernel, std::vector<std::string> reads, Evaluate right);
    // The time limit, by default 10 s: of a step's calls on one set of values, and again of the 256 in a row.
    Network& timeout(std::chrono::milliseconds limit) {
        timeout_ = limit;
        return *this;
    }

private:
    friend class NetworkCheck;
    friend Report check(const Network& network);

    struct Input {
        std::string name;
        Shape shape;
        DType dtype = DType::float32;
        std::vector<double> numbers;
        std::vector<std::int64_t> integers;
    };
    struct Step {
        std::string makes;
        Kernel kernel;
        std::vector<std::string> reads;
        Evaluate right;
    };
    bool knows(const std::string& name) const;

    Named named_;
    std::vector<Input> inputs_;
    std::vector<Step> steps_;
    std::chrono::milliseconds timeout_{10000};
};

// Runs the steps one after the other, in float, and compares every value with that of the right steps in double; the
// limits are sampled through all of them (byhand/reference.h). Then runs each step in isolation on the right values. A
// step that is wrong in isolation is a culprit; what is off only end to end inherits from the culprits that it depends
// on.
Report check(const Network& network);

}  // namespace byhand
