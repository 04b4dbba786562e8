// A comparison as one page that needs nothing but itself: no network, no script.
#pragma once

#include <string>
#include <vector>

#include "documents/presentation.h"
#include "harness/end_to_end/summary.h"
#include "harness/end_to_end/value_report.h"
#include "steps/step.h"

namespace byhand {

// What the page says besides the comparison.
struct Page {
    const Graph& stepwise;  // the network to draw
    std::string again;      // the command that shows just what is wrong, where something is
};

// The page, in HTML that is XML too. Of several steps one is shown in full, the one that shown_step names; of the
// others their figures. It stays under 2 MB: where the pictures would not fit, those of the tensors that agree with
// most to spare are left out, and it says so.
std::string to_html(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                    const Page& page);

// The first step in which something is wrong, or else the last. Precondition: there is one.
std::size_t shown_step(const std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed);

// Lets go of the pictures that the page of these steps would not show.
void drop_pictures(std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed);

}  // namespace byhand
