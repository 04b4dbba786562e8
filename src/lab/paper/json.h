// An experiment as JSON, for programs.
#pragma once

#include <string>

#include "harness/report.h"
#include "lab/paper/paper.h"

namespace byhand::lab {

// {"experiment","note","title","agrees", the experiment's own fields, "text":[…],"formulas":[{"formula","function",
// "file_line"}],"tables":[{"title","columns","rows"}],"plots":[{"title","x_label","y_label","log_x","log_y","series":[{
// "name","x","y","low","high"}]}]}. Figures have all their digits; those that are not finite are "nan", "inf", "-inf".
// Throws std::logic_error where a formula's function is not to be found.
std::string to_json(const Paper& paper, const SourceOf& source);

}  // namespace byhand::lab
