// External functions in the place of a network's steps.
#pragma once

#include <string>
#include <vector>

#include "exercise/functions.h"
#include "steps/step.h"

namespace byhand::exercise {

// Each step of the network that one of `functions` makes is made by it in T from now on, under the function's label.
// Returns the names of those steps, in their order. Such a step throws Fault when it is run, where its function does,
// or takes another number of tensors than the step reads. Throws InputError for a name that the network does not make
// (with one that is near), and where two functions make the same.
template <class T>
std::vector<std::string> override_steps(Graph& network, const std::vector<Function<T>>& functions);

}  // namespace byhand::exercise
