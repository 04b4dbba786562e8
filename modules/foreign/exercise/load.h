// Loads a library of external functions.
#pragma once

#include <string>

#include "foreign/exercise/functions.h"

namespace byhand::exercise {

// The functions that its byhand_steps adds. The library stays loaded. Throws InputError, naming its source if it was
// built from one, if it can't be loaded, adds no functions, or adds one only in double.
Functions load(const std::string& path, const std::string& source = "");

}  // namespace byhand::exercise
