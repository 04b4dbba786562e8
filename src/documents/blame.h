// The root causes of a disagreement.
#pragma once

#include <vector>

#include "documents/presentation.h"
#include "harness/end_to_end/value_report.h"
#include "report/document.h"

namespace byhand {

// The first divergence of a step, then for each root cause its formula, function and line of code, its figures, hints,
// the values that inherit from it, and the smallest input that shows it. Empty if nothing disagrees.
std::vector<Text> blame_texts(const ComparedStep& step, const Presentation& how);

}  // namespace byhand
