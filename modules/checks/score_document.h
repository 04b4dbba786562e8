// Scores of planted mistakes as a document: docs/formats.md has the fields.
#pragma once

#include "checks/score.h"
#include "report/document.h"

namespace byhand {

// A row for each mistake, then byhand beside the baseline metrics.
Document score_document(const Scores& scores);

}  // namespace byhand
