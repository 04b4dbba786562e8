// What the reports in JUnit's XML have in common.
#pragma once

#include <string>

#include "documents/presentation.h"
#include "harness/end_to_end/summary.h"
#include "report/xml.h"

namespace byhand::report {

// The test case of an isolated step.
Case case_of(const IsolatedStep& step, const std::string& model, const Wording& wording, const Summary& summary,
             const Presentation& how);

}  // namespace byhand::report
