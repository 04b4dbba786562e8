// External functions: as a file registers them, and as kernels in place of a network's steps.
#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "byhand/kernel.h"
#include "byhand/shape.h"
#include "exercise/steps.h"
#include "steps/step.h"

namespace byhand::exercise {

struct ExternalFunction {
    // On one type of numbers.
    struct Version {
        std::vector<Kind> takes = {};  // after the result
        void (*function)() = nullptr;
        decltype(Added::call) call = nullptr;  // null: there is no function on this type
    };

    std::string makes;
    bool in_one = false;  // the collapsed formula instead of the small step
    Version in_float = {}, in_double = {};

    // "dlogits", "dlogits_in_one".
    std::string label() const { return in_one ? makes + "_in_one" : makes; }

    // T is float or double.
    template <class T>
    const Version& in() const {
        return std::is_same_v<T, float> ? in_float : in_double;
    }
};

using ExternalFunctions = std::vector<ExternalFunction>;

// Runs a library's byhand_steps and returns the functions that it adds, in that order.
ExternalFunctions functions_of(void (*byhand_steps)(Steps&));

// Leaves only those with these labels, or that make these values. Throws InputError for a name of none.
void keep(ExternalFunctions& functions, const std::vector<std::string>& names);

// Throws std::invalid_argument for more than Extents::kMostAxes.
Extents extents_of(const Shape& shape);

// ---- Loads a library of external functions ----

// The functions that its byhand_steps adds. The library stays loaded. Throws InputError, naming its source if it was
// built from one, if it can't be loaded, adds no functions, or adds one only in double.
ExternalFunctions load(const std::string& path, const std::string& source = "");

// ---- External functions in place of a network's steps ----

// Calls a function by call(), and may do something before it, or with what it throws.
using CallWrapper = std::function<void(const std::string& label, const std::function<void()>& call)>;

// What a function is bound to: the step's result and operands, and the conventions of its norm.
struct Binding {
    TensorSpec makes;
    std::vector<TensorSpec> reads = {};
    Norm norm = {};
};

// The function as a kernel that makes this result of these operands. Its functions throw Fault if the external function
// does something invalid, or takes another kind or number of tensors. They are called by `wrapper`, unless that is
// empty.
Kernel kernel_of(const ExternalFunction& function, const Binding& binding, const CallWrapper& wrapper = {});

// Replaces each step of the network whose result one of `functions` computes by that function's kernel, under its
// label. Returns the names of those steps, in their order. Throws InputError for a name that the network does not
// compute (with a similar one), and if two functions compute the same value.
std::vector<std::string> override_steps(Graph& network, const ExternalFunctions& functions,
                                        const CallWrapper& wrapper = {});

// ---- Exercises of other networks than the shipped one ----

// The text of a C++ file with an empty function for each gradient of the network. Above each stand the shapes of what
// it computes and reads, and the forward steps that it differentiates. `command` checks the file.
std::string stubs(const Graph& network, const std::string& command);

}  // namespace byhand::exercise
