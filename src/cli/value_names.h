// Names for completion in shells.
#pragma once

#include <string>
#include <vector>

#include "harness/mistake.h"

namespace byhand::cli {

// Of the values of the default network, step by step and collapsed.
std::vector<std::string> value_names();
// The mistakes that can be planted; none without the module checks.
KnownMistakes known_mistakes();
std::vector<std::string> mistake_names();
// Throws InputError if there is none of that name.
const Mistake& mistake_named(const std::string& name);

}  // namespace byhand::cli
