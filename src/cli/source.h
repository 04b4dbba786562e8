// Where a function of the network stands, and its formula, as reports want them.
#pragma once

#include <string>

#include "report/source.h"

namespace byhand::cli {

// Empty where no header of src/manual has the function.
SourceLine source_of(const std::string& function);

}  // namespace byhand::cli
