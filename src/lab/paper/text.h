// The report of an experiment as text for a terminal.
#pragma once

#include <string>

#include "harness/report.h"
#include "lab/paper/paper.h"

namespace byhand::lab {

// 80 columns wide where its tables let it be. Formulas come with function, file and line by `source`; the plots are not
// in it. Throws std::logic_error where a formula's function is not to be found.
std::string to_text(const Paper& paper, const SourceOf& source);

// The formula of a function of src/manual and its place. Throws as above.
SourceLine formula_of(const std::string& function, const SourceOf& source);

}  // namespace byhand::lab
