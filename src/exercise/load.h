// Opens a library of external functions.
#pragma once

#include <string>

#include "exercise/functions.h"

namespace byhand::exercise {

// The functions that its byhand_steps hands over. It stays open. Throws InputError where it can't be opened or hands
// over none, or one in double alone: by the name of its source, where it was built from one.
Functions load(const std::string& path, const std::string& source = "");

}  // namespace byhand::exercise
