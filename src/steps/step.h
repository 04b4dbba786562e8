// The central concept of the project: a step computes one named tensor from others by one function over raw arrays. A
// network is a graph of steps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/network.h"
#include "steps/glossary.h"
#include "steps/value_range.h"

namespace byhand {

class Rounded;

// An input tensor of a step: numbers, or indices (X, Y).
template <class T>
using Operand = std::variant<const T*, const std::int64_t*>;
template <class T>
using Reads = std::span<const Operand<T>>;

template <class T>
const T* numbers(Reads<T> reads, std::size_t position) {
    return std::get<const T*>(reads[position]);
}
template <class T>
const std::int64_t* indices(Reads<T> reads, std::size_t position) {
    return std::get<const std::int64_t*>(reads[position]);
}

// A function on one type of numbers. Its name is that of the function in src/manual's headers, or of the kernel or
// external function that replaces it.
template <class T>
struct Function {
    std::string name;
    std::function<void(T* out, Reads<T> reads)> run;
};

struct Step {
    std::string makes;
    Shape shape;                     // of the result
    std::vector<std::string> reads;  // the operands, in the order of the function's parameters
    // The same operation in float, in double and on numbers that track their errors. An empty `run` if unsupported.
    Function<float> in_float;
    Function<double> in_double;
    Function<Rounded> rounded;
    std::size_t operation = 0;  // index of its operation in operations(config)
    // How the operands and, last, the result are stored, where that is not as T and int64. The function is given
    // pointers to T and int64 all the same.
    std::vector<DType> stored = {};
    // If the result is a sum of other steps' results, those steps (see sum_of).
    std::vector<Step> terms = {};

    template <class T>
    Function<T>& in() {
        return in<T>(*this);
    }
    template <class T>
    const Function<T>& in() const {
        return in<T>(*this);
    }

private:
    template <class T>
    static auto& in(auto& step) {
        if constexpr (std::is_same_v<T, float>) {
            return step.in_float;
        } else if constexpr (std::is_same_v<T, double>) {
            return step.in_double;
        } else {
            return step.rounded;
        }
    }
};

// Steps in the order in which they run.
using StepList = std::vector<Step>;

// The name of a function template of src/manual, and the function on each type of numbers: arguments of add.
// Versions of clang-format differ on a macro's angle brackets.
// clang-format off
// NOLINTNEXTLINE(bugprone-macro-parentheses): the name of a template takes none
#define BYHAND_FUNCTION(name) #name, name<float>, name<double>, name<byhand::Rounded>
// clang-format on

// The function with all arguments but the tensors bound.
template <class T, class... Parameters, class... Sizes>
Function<T> bound(const char* name, void (*function)(T*, Parameters...), Sizes... sizes) {
    const auto bind = [=]<std::size_t... I>(std::index_sequence<I...>) {
        return [=](T* out, Reads<T> reads) {
            function(out, std::get<std::tuple_element_t<I, std::tuple<Parameters...>>>(reads[I])..., sizes...);
        };
    };
    return {name, bind(std::make_index_sequence<sizeof...(Parameters) - sizeof...(Sizes)>{})};
}

// Appends to `steps`: `makes` ← `reads` by function(out, reads…, sizes…), given as BYHAND_FUNCTION(function). Its
// parameters are the result, then one pointer for each input tensor, then the sizes, which are bound here.
template <class... P, class... Q, class... R, class... Sizes>
void add(StepList& steps, std::string makes, Shape shape, std::vector<std::string> reads, const char* name,
         void (*in_float)(float*, P...), void (*in_double)(double*, Q...), void (*rounded)(Rounded*, R...),
         Sizes... sizes) {
    steps.push_back({std::move(makes), std::move(shape), std::move(reads), bound(name, in_float, sizes...),
                     bound(name, in_double, sizes...), bound(name, rounded, sizes...), 0});
}

// The same with a function on T only.
template <class T, class... Parameters, class... Sizes>
void add(StepList& steps, std::string makes, Shape shape, std::vector<std::string> reads, const char* name,
         void (*function)(T*, Parameters...), Sizes... sizes) {
    steps.push_back({std::move(makes), std::move(shape), std::move(reads), {}, {}, {}, 0});
    steps.back().in<T>() = bound(name, function, sizes...);
}

// One step that computes the sum of the results of the steps, in their order: a gradient with several contributions.
// Its functions are called "f + g"; it belongs to the operation of the last step. Precondition: at least one step; all
// compute a value of the same name and shape, and have functions on the same types of numbers.
Step sum_of(std::vector<Step> terms);

// A step with its operands.
template <class T>
struct BoundStep {
    const Step* step = nullptr;
    T* out = nullptr;
    std::vector<Operand<T>> reads = {};

    void run() const { step->in<T>().run(out, reads); }
};

// Binds the step to its operands: its result goes to `out`, and operand(name) is the input of that name, an Operand<T>.
template <class T, class Of>
BoundStep<T> bind(const Step& step, T* out, Of operand) {
    BoundStep<T> bound{&step, out};
    bound.reads.reserve(step.reads.size());
    for (const std::string& name : step.reads) {
        bound.reads.push_back(operand(name));
    }
    return bound;
}

// Runs the step once, on operands as for bind.
template <class T, class Of>
void execute(const Step& step, T* out, Of operand) {
    byhand::bind(step, out, operand).run();
}

// Where a derivative is discontinuous: where the value is 0; where a different element becomes the largest of its row,
// so that the gradient of the row's maximum moves there.
enum class Kink { at_zero, at_largest };

// A network of `rows` rows, whose lists run in this order. Tensors that they read but do not compute are the input: X
// (B, T) and Y (B), the tensors of state(config), and `rate`, the learning rate, one number.
struct Graph {
    NetworkConfig config;
    std::size_t rows = 0;
    StepList forward;   // to the loss
    StepList backward;  // from the loss to every gradient
    StepList update;    // new_X for everything in state(config)
    // The same batch in evaluation mode, to eval_logits: each value of the layers as eval_X. Empty without a batch norm
    // and a dropout.
    StepList evaluation;
    // Ranges of restricted values, by name. Values drawn as a step's input lie within them.
    std::map<std::string, ValueRange> ranges = {};
    // The values that have one.
    std::map<std::string, Kink> kinks = {};
    // The glossary of its values.
    Glossary glossary = {};

    std::array<StepList*, 4> lists() { return {&forward, &backward, &update, &evaluation}; }
};

// A graph for a network of `rows` rows.
using MakeGraph = std::function<Graph(const NetworkConfig& network, std::size_t rows)>;

// All steps in the order in which they run.
std::vector<const Step*> all_steps(const Graph& graph);

// The first step that computes the value, or null.
const Step* find_step(const Graph& graph, const std::string& makes);

// The operation that the step belongs to.
Operation operation_of(const Graph& graph, const Step& step);

// The names of the steps' results.
std::set<std::string> made_by(const Graph& graph);

// The shapes of the results and of the inputs, by name.
std::map<std::string, Shape> shapes_of(const Graph& graph);

}  // namespace byhand
