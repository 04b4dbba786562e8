// Exercises of other networks than the shipped one.
#pragma once

#include <string>

#include "steps/step.h"

namespace byhand::exercise {

// The text of a C++ file with an empty function for each gradient of the network. Above each stand the shapes of what
// it computes and reads, and the forward steps that it differentiates. `command` checks the file.
std::string stubs(const Graph& network, const std::string& command);

}  // namespace byhand::exercise
