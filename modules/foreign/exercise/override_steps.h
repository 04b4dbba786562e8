// External functions in place of a network's steps.
#pragma once

#include <string>
#include <vector>

#include "foreign/exercise/functions.h"
#include "steps/step.h"

namespace byhand::exercise {

// Replaces each step of the network whose result one of `functions` computes by that function, in T, under the
// function's label. Returns the names of those steps, in their order. Such a step throws Fault when it is run, if its
// function does, or takes another number of tensors than the step reads. Throws InputError for a name that the network
// does not compute (with a similar one), and if two functions compute the same value.
template <class T>
std::vector<std::string> override_steps(Graph& network, const std::vector<Function<T>>& functions);

}  // namespace byhand::exercise
