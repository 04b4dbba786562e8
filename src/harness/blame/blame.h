// Which steps are wrong, and what inherits from them.
#pragma once

#include <string>
#include <vector>

#include "harness/end_to_end/value_report.h"
#include "harness/isolated/isolated.h"
#include "steps/step.h"

namespace byhand {

// What is wrong with the lists of steps themselves, whatever the functions compute.
struct ListFault {
    std::string name;      // what the step makes
    std::string function;  // that makes it
    std::string why;       // "runs before W1, which it reads, is made", "no step makes it"
};

// Steps that read what is made only after them, and names that no step makes. `wanted` are the lists as they should be.
std::vector<ListFault> list_faults(const Graph& network, const Graph& wanted);

// The values of one model, each with what its step shows in isolation and its role. Culprits are the names in `faults`,
// each with the first that is said of it, and those whose steps are wrong in isolation. What else fails end to end
// inherits from the nearest culprit that it depends on by the reads of `network`: of those that are off end to end
// themselves or put off another value, where there are any. `compared` has its findings; at most one isolated step
// makes a name.
ModelReport blame(std::string model, std::vector<ValueReport> compared, std::vector<IsolatedStep> isolated,
                  const std::vector<ListFault>& faults, const Graph& network);

}  // namespace byhand
