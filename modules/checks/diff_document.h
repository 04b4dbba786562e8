// Two files of tensors beside each other as a document: docs/formats.md has the fields.
#pragma once

#include "checks/diff.h"
#include "documents/presentation.h"
#include "report/document.h"

namespace byhand {

// A row for each tensor, those that differ first and with their worst element in words; then the conclusion. Of `how`
// the filter is used, and the network with its characters; without characters no network is known, and a place is a
// name and an index.
Document diff_document(const Diff& diff, const Presentation& how);

// The verdict on the whole in a line.
Text conclusion(const Diff& diff);

}  // namespace byhand
