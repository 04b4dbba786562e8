// Common mistakes in a backward pass, planted in the lists of steps by name: a wrong function for a step, rewired
// inputs, steps reordered or dropped.
#pragma once

#include <string>
#include <vector>

#include "harness/mistake.h"

namespace byhand {

// All of them: norm, softmax and loss, layers and embedding, update and evaluation, order and memory, only on some
// data, on several ranks. Each operation's are in the file of its name.
const std::vector<Mistake>& mistakes();

// By its name, or nullptr.
const Mistake* find_mistake(const std::string& name);

}  // namespace byhand
