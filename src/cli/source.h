// The place of a function of the network in the source, and its formula, for reports.
#pragma once

#include <string>

#include "report/source.h"

namespace byhand::cli {

// Empty if no header of src/manual has the function.
SourceLine source_of(const std::string& function);

}  // namespace byhand::cli
