// One operation outside a network: the steps that a network has of it, run on given numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/network.h"
#include "base/reference_operations.h"
#include "byhand/rounded.h"
#include "steps/step.h"

namespace byhand::lab {

// The steps of an operation of (rows, columns): its forward and backward pass, and of a batch norm the update of its
// running statistics and eval_hpreact by them. A norm reads hprebn or hpreln and makes hpreact, by the conventions of
// `norm`; cross_entropy reads logits and Y and makes the loss.
Graph operation_graph(const std::string& op, const NormConfig& norm, std::size_t rows, std::size_t columns,
                      HandForm form = HandForm::stepwise);

// The values that steps read and make, by name, elements in row order. T is float, double or Rounded.
template <class T>
struct Numbers {
    std::map<std::string, std::vector<T>> values;
    std::vector<std::int64_t> Y = {};

    std::vector<T>& operator[](const std::string& name) { return values[name]; }
    const std::vector<T>& operator[](const std::string& name) const { return values.at(name); }
};

template <class To, class From>
std::vector<To> as(const std::vector<From>& values) {
    std::vector<To> converted;
    converted.reserve(values.size());
    for (const From& value : values) {
        converted.push_back(static_cast<To>(value));
    }
    return converted;
}
template <class To, class From>
Numbers<To> as(const Numbers<From>& from) {
    Numbers<To> converted{{}, from.Y};
    for (const auto& [name, values] : from.values) {
        converted[name] = as<To>(values);
    }
    return converted;
}

// Allocates what the steps make, and binds them to it. The numbers and the steps must stay where they are. Throws
// std::out_of_range where a step reads what is neither given nor made before it.
template <class T>
std::vector<BoundStep<T>> bind(const StepList& steps, Numbers<T>& numbers) {
    const auto operand = [&](const std::string& name) -> Operand<T> {
        if (name == "Y") {
            return numbers.Y.data();
        }
        return numbers.values.at(name).data();
    };
    std::vector<BoundStep<T>> bound;
    for (const Step& step : steps) {
        numbers[step.makes].resize(count(step.shape));
        bound.push_back(byhand::bind(step, numbers[step.makes].data(), operand));
    }
    return bound;
}

template <class T>
void run(const StepList& steps, Numbers<T>& numbers) {
    for (const BoundStep<T>& step : bind(steps, numbers)) {
        step.run();
    }
}

// `given` and all that the forward and the backward pass make of it.
template <class T>
Numbers<T> forward_and_backward(const Graph& graph, Numbers<T> given) {
    run(graph.forward, given);
    run(graph.backward, given);
    return given;
}

// Both passes in float, and on numbers that carry what rounding in float may be.
struct InFloat {
    Numbers<float> made;
    Numbers<Rounded> bounds;
};
InFloat in_float(const Graph& graph, const Numbers<double>& given);

// LibTorch's `name` of the same numbers, in double. Throws std::out_of_range where a value is missing.
std::vector<double> evaluate(const ReferenceOperations& torch, const std::string& name, const Numbers<double>& given);

}  // namespace byhand::lab
