// External functions, in the form in which byhand runs them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "byhand/shape.h"
#include "exercise/steps.h"
#include "steps/step.h"

namespace byhand::exercise {

template <class T>
using Read = std::variant<Tensor<const T>, Indices>;

// `reads`: the number of input tensors.
template <class T>
struct Function {
    std::string makes;
    bool in_one = false;  // the collapsed formula instead of the small step
    std::size_t reads = 0;
    // Throws Fault if the function does something invalid or takes another kind or number of tensors.
    std::function<void(Tensor<T> out, const std::vector<Read<T>>& reads, const Norm& norm)> run;

    // "dlogits", "dlogits_in_one".
    std::string label() const { return in_one ? makes + "_in_one" : makes; }
};

class Functions {
public:
    void add(const Added& added);

    // Leaves only those with these labels, or that make these values. Throws InputError for a name of none.
    void keep(const std::vector<std::string>& names);

    // In the order in which they were added.
    const std::vector<Function<float>>& in_float() const { return float_; }
    const std::vector<Function<double>>& in_double() const { return double_; }

private:
    std::vector<Function<float>> float_;
    std::vector<Function<double>> double_;
};

// Runs a library's byhand_steps and returns the functions that it adds.
Functions functions_of(void (*byhand_steps)(Steps&));

// Throws std::invalid_argument for more than Extents::kMostAxes.
Extents extents_of(const Shape& shape);

// ---- Loads a library of external functions ----

// The functions that its byhand_steps adds. The library stays loaded. Throws InputError, naming its source if it was
// built from one, if it can't be loaded, adds no functions, or adds one only in double.
Functions load(const std::string& path, const std::string& source = "");

// ---- External functions in place of a network's steps ----

// Replaces each step of the network whose result one of `functions` computes by that function, in T, under the
// function's label. Returns the names of those steps, in their order. Such a step throws Fault when it is run, if its
// function does, or takes another number of tensors than the step reads. Throws InputError for a name that the network
// does not compute (with a similar one), and if two functions compute the same value.
template <class T>
std::vector<std::string> override_steps(Graph& network, const std::vector<Function<T>>& functions);

}  // namespace byhand::exercise
