// An experiment's document: its formulas, and how programs read it.
#pragma once

#include <string>

#include "base/source_line.h"
#include "report/document.h"

namespace byhand::lab {

// Gives each formula the text and the place of its function. Throws std::logic_error where there is no such function.
void fill_in_formulas(Document& document, const SourceOf& source);

// {"experiment","note","title","agrees", the experiment's own fields, "text":[…],"formulas":[{"formula","function",
// "file_line"}],"tables":[{"title","columns","rows"}],"plots":[{"title","x_label","y_label","log_x","log_y","series":[{
// "name","x","y","low","high"}]}]}. Figures have all their digits; those that are not finite are "nan", "inf", "-inf".
std::string to_json(const Document& document);

}  // namespace byhand::lab
