// One operation outside a network: the steps that a network has of it, run on given numbers, and whether numbers by
// hand and a reference's are the same but for rounding.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/model.h"
#include "base/network.h"
#include "base/reference_operations.h"
#include "base/tensors.h"
#include "byhand/rounded.h"
#include "judge/finding.h"
#include "report/document.h"
#include "steps/step.h"

namespace byhand::lab {

// The steps of an operation of (rows, columns): its forward and backward pass, and of a batch norm the update of its
// running statistics and eval_hpreact by them. A norm reads hprebn or hpreln and makes hpreact, by the conventions of
// `norm`; cross_entropy reads logits and Y and makes the loss.
Graph operation_graph(const std::string& op, const NormConfig& norm, std::size_t rows, std::size_t columns,
                      HandForm form = HandForm::stepwise);

// The functions of the steps, in their order.
Formulas formulas_of(const StepList& steps);

template <class To, class From>
std::vector<To> as(const std::vector<From>& values) {
    std::vector<To> converted;
    converted.reserve(values.size());
    for (const From& value : values) {
        converted.push_back(static_cast<To>(value));
    }
    return converted;
}

// What batch norm reads: x (n, H) and dy (n, H), gain and bias (H).
Tensors<double> batchnorm_inputs(const std::vector<double>& x, const std::vector<double>& dy,
                                 const std::vector<double>& gain, const std::vector<double>& bias);

// n and H of what batch norm reads.
template <class T>
std::pair<std::size_t, std::size_t> shape_of(const Tensors<T>& inputs) {
    const std::size_t H = inputs["bngain"].size();
    return {inputs["hprebn"].size() / H, H};
}

// Adds what the steps make, and binds them to it. T is float, double or Rounded. The tensors and the steps must stay
// where they are. Throws std::out_of_range where a step reads what is neither given nor made before it.
template <class T>
std::vector<BoundStep<T>> bind(const StepList& steps, Tensors<T>& tensors) {
    const auto operand = [&](const std::string& name) -> Operand<T> {
        if (tensors.holds_indices(name)) {
            return tensors.indices(name).data();
        }
        return tensors[name].data();
    };
    std::vector<BoundStep<T>> bound;
    for (const Step& step : steps) {
        if (!tensors.contains(step.makes)) {
            tensors.put({step.makes, step.shape}, std::vector<T>(count(step.shape)));
        }
        bound.push_back(byhand::bind(step, tensors[step.makes].data(), operand));
    }
    return bound;
}

template <class T>
void run(const StepList& steps, Tensors<T>& tensors) {
    for (const BoundStep<T>& step : bind(steps, tensors)) {
        step.run();
    }
}

// `given` and all that the forward and the backward pass make of it.
template <class T>
Tensors<T> forward_and_backward(const Graph& graph, Tensors<T> given) {
    run(graph.forward, given);
    run(graph.backward, given);
    return given;
}

// Both passes in float, and on numbers that carry what rounding in float may be.
struct InFloat {
    Tensors<float> made;
    Tensors<Rounded> bounds;
};
InFloat in_float(const Graph& graph, const Tensors<double>& given);

// LibTorch's `name` of the same numbers, in double. Throws std::out_of_range where a value is missing.
std::vector<double> evaluate(const ReferenceOperations& torch, const std::string& name, const Tensors<double>& values);

// ---- Agreement ----

struct Agreement {
    std::string what;
    double difference = 0;  // the largest; a NaN where one side is
    Finding finding;        // agrees, fails, or is out of range: float may under- or overflow where there is no limit
};

// Each element's difference must not exceed its limit. All of one size.
Agreement agreement_within(std::string what, const std::vector<double>& ours, const std::vector<double>& reference,
                           const std::vector<double>& limits);

// `by_hand` in float, `reference` in double; the limits are what rounding in float can be, in whatever order sums
// are taken: `bounds` is the same computation by hand on Rounded numbers. All of one size.
Agreement agreement(std::string what, const std::vector<float>& by_hand, const std::vector<Rounded>& bounds,
                    const std::vector<double>& reference);

// These values of both passes by hand in float, and LibTorch's in double; each is called by `what` and its name.
void compare(std::vector<Agreement>& agreements, const std::string& what, const Graph& graph,
             const Tensors<double>& given, const ReferenceOperations& torch, const std::vector<std::string>& names);

// Adds a table with a row each, what, largest difference, share of its limit, verdict; the document agrees only if all
// do.
void add_agreements(Document& document, const std::string& title, const std::vector<Agreement>& agreements);

}  // namespace byhand::lab
