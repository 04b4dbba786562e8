// The report of byhand compare, for all formats but the page (page/page.h).
#pragma once

#include <string>
#include <vector>

#include "documents/presentation.h"
#include "harness/end_to_end/summary.h"
#include "report/document.h"

namespace byhand {

// Which rows the tables of a comparison have.
enum class Rows {
    disagreeing,   // one screen: of the first step given, the culprits; if all agree, how near the limits are
    all,           // every value that is compared and shown
    for_programs,  // and those that external values do not include; with test cases and data
};

// The verdict on all steps, in one paragraph; with drift, a line more for each model.
Text conclusion(const Summary& summary);

// The verdict, the culprits, `next`, then tables of `steps`: those to show, of all that `summary` counts.
Document compare_document(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                          Rows rows, const Text& next);

// The report as docs/formats.md describes it: null for what is not known, and "nan", "inf" or "-inf" for what is not
// finite.
Json compare_json(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps);

// One suite for each step; in it a test case for each tensor (its class is model.reference) and for each isolated step
// (model.alone).
std::vector<report::Suite> compare_suites(const Presentation& how, const Summary& summary,
                                          const std::vector<ComparedStep>& steps);

}  // namespace byhand
