// The one idea of the project: a step makes one named tensor from others by one function over raw arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/network.h"
#include "steps/value_range.h"

namespace byhand {

// One thing a step reads: a tensor, or indices (X, Y).
template <class T>
using Operand = std::variant<const T*, const std::int64_t*>;

template <class T>
struct Step {
    std::string makes;
    Shape shape;                     // of what it makes
    std::vector<std::string> reads;  // the operands, in the order the function takes them
    std::string function;            // its name, as it stands in the headers of src/manual
    std::function<void(T* out, std::span<const Operand<T>> reads)> run;
};

// Steps in the order in which they run.
template <class T>
class StepList {
public:
    // Appends: `makes` ← `reads` by function(out, reads…, sizes…). The function's parameters are the result, then one
    // pointer for each name read, then the sizes, which are fixed here.
    template <class... Parameters, class... Sizes>
    void add(std::string makes, Shape shape, std::vector<std::string> reads, std::string name,
             void (*function)(T*, Parameters...), Sizes... sizes) {
        constexpr std::size_t kReads = sizeof...(Parameters) - sizeof...(Sizes);
        steps_.push_back({std::move(makes), std::move(shape), std::move(reads), std::move(name),
                          bind<std::tuple<Parameters...>>(function, std::make_index_sequence<kReads>{}, sizes...)});
    }

    const std::vector<Step<T>>& steps() const { return steps_; }
    std::vector<Step<T>>& steps() { return steps_; }

private:
    template <class Parameters, class Function, std::size_t... I, class... Sizes>
    static auto bind(Function function, std::index_sequence<I...>, Sizes... sizes) {
        return [=](T* out, std::span<const Operand<T>> reads) {
            function(out, std::get<std::tuple_element_t<I, Parameters>>(reads[I])..., sizes...);
        };
    }

    std::vector<Step<T>> steps_;
};

// A network of `rows` rows as lists of steps, run in this order. What its lists read without making it is given: X (B,
// T) and Y (B), the tensors of state(config), and `rate`, the learning rate, one number. T is float, double, or
// Rounded.
template <class T>
struct StepNetwork {
    NetworkConfig config;
    std::size_t rows = 0;
    StepList<T> forward;   // to the loss
    StepList<T> backward;  // from the loss to every gradient
    StepList<T> update;    // new_X for everything in state(config)
    // The same batch by the running figures, to eval_logits: each value of the layers as eval_X. Empty without a norm.
    StepList<T> evaluation;
    // Of the values that are not just any numbers, by name. Values drawn for a step to read lie within.
    std::map<std::string, ValueRange> ranges = {};  // NOLINT(readability-redundant-member-init): it may be left out
};

// All steps in the order in which they run.
template <class T>
std::vector<const Step<T>*> all_steps(const StepNetwork<T>& network) {
    std::vector<const Step<T>*> all;
    for (const StepList<T>* list : {&network.forward, &network.backward, &network.update, &network.evaluation}) {
        for (const Step<T>& step : list->steps()) {
            all.push_back(&step);
        }
    }
    return all;
}

// The names of what they make.
template <class T>
std::set<std::string> made_by(const StepNetwork<T>& network) {
    std::set<std::string> names;
    for (const Step<T>* step : all_steps(network)) {
        names.insert(step->makes);
    }
    return names;
}

// The shapes of what they make and of what is given, by name.
template <class T>
std::map<std::string, Shape> shapes_of(const StepNetwork<T>& network) {
    std::map<std::string, Shape> shapes = {
        {"X", {network.rows, network.config.context}}, {"Y", {network.rows}}, {"rate", {}}};
    for (const TensorSpec& spec : state(network.config)) {
        shapes[spec.name] = spec.shape;
    }
    for (const Step<T>* step : all_steps(network)) {
        shapes[step->makes] = step->shape;
    }
    return shapes;
}

}  // namespace byhand
