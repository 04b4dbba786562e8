// Which steps are wrong, and which values inherit their errors.
#pragma once

#include <string>
#include <vector>

#include "harness/end_to_end/value_report.h"
#include "harness/isolated/isolated.h"
#include "steps/step.h"

namespace byhand {

// A fault of the lists of steps themselves, whatever the functions compute.
struct ListFault {
    std::string name;      // of the value that the step makes
    std::string function;  // of the step
    std::string why;       // "runs before W1, which it reads, is made", "no step makes it"
};

// Finds steps that read a value before it is made, and values of `wanted`, the right lists, that no step makes.
std::vector<ListFault> list_faults(const Graph& network, const Graph& wanted);

// Joins the end-to-end findings in `compared` with the isolated steps, at most one for each value, and gives each value
// its role. A culprit is a value in `faults`, or one whose step is wrong in isolation. Any other value that fails end
// to end inherits from the nearest culprit that it depends on, by the reads of `network`. Culprits that fail end to
// end, or overwrite another value, come first in this search.
ModelReport blame(std::string model, std::vector<ValueReport> compared, std::vector<IsolatedStep> isolated,
                  const std::vector<ListFault>& faults, const Graph& network);

}  // namespace byhand
