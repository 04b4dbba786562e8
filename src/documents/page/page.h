// A comparison as one self-contained page: no network access, no script.
#pragma once

#include <string>
#include <vector>

#include "documents/presentation.h"
#include "harness/end_to_end/summary.h"
#include "harness/end_to_end/value_report.h"
#include "steps/step.h"

namespace byhand {

// What the page contains besides the comparison.
struct Page {
    const Graph& stepwise;  // the network of the diagram
    std::string again;      // the command that shows only what disagrees, if something does
};

// The page, in HTML that is XML too. Of several steps one is shown in full, that of shown_step; of the others their
// figures. It stays under 2 MB: if the images do not fit, those of the tensors that are farthest below their limits are
// left out, and their rows say so.
std::string to_html(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                    const Page& page);

// The first step that disagrees, or else the last. Precondition: there is one.
std::size_t shown_step(const std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed);

// Drops the pictures that the page of these steps would not show.
void drop_pictures(std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed);

}  // namespace byhand
