// Opens a library of somebody's own functions.
#pragma once

#include <string>

#include "exercise/steps.h"

namespace byhand::exercise {

// The functions that its byhand_steps hands over. It stays open. Throws InputError where it can't be opened or hands
// over none.
Steps load(const std::string& path);

}  // namespace byhand::exercise
