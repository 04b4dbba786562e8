// What a page shows of a trace besides the table's rows.
#pragma once

#include "harness/words.h"
#include "report/document.h"
#include "trace/trace.h"

namespace byhand {

const char* name_of(DType type);

// What decides on the tensor: a step that is wrong, a difference to B, or a step that is right.
Cell verdict_of(const ValueReport& value, const TracedTensor& tensor);

// Appends the network as a diagram, then the table, a row for each tensor, with its details.
void append_page(Document& document, Table table, const Trace& trace, const Wording& wording);

}  // namespace byhand
