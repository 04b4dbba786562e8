// How far somebody has come who writes the steps' functions himself.
#pragma once

#include <string>
#include <vector>

#include "harness/report.h"

namespace byhand {

// (absent: the network has no such step.)
enum class Standing { right, wrong, to_do, absent };

struct Attempt {
    bool in_one = false;  // by a formula in the place of several steps
    Standing standing = Standing::to_do;
    StepAlone alone;  // of an absent one no more than what it would make
};

// A line an attempt: how it stands alone and, where it was run there, in the chain (`step`); below, how many are right.
// `form` names those of the small steps and those in one, as the models of `step` do.
struct Forms {
    std::string step_by_step, in_one;
};
std::string exercise_table(const std::vector<Attempt>& attempts, const ComparedStep& step, const Forms& forms,
                           bool colour);

}  // namespace byhand
