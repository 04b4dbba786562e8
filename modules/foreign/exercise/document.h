// The report of byhand exercise: which external functions are right, wrong or still to do.
#pragma once

#include <string>
#include <vector>

#include "documents/compare.h"
#include "documents/presentation.h"
#include "harness/end_to_end/summary.h"
#include "report/document.h"

namespace byhand {

// (absent: the network has no such step. unproven: not wrong isolated, and yet no agreement: off end to end where
// nothing explains it, all zero, or out of range; only `shown` says which.)
enum class Standing { right, wrong, to_do, absent, unproven };

struct Attempt {
    bool in_one = false;  // by a formula in the place of several steps
    Standing standing = Standing::to_do;
    ValueReport value;      // without the chain where it is to do; of an absent one no more than its name
    bool in_double = true;  // given in double as well as in float; if not, double is not judged
};

// The model that they are compared as.
inline std::string model_of(bool in_one) {
    return in_one ? "exercise-in-one" : "exercise";
}

// What came of them in isolation and, where they could be run in it, end to end.
struct Examination {
    std::vector<Attempt> attempts;  // in the order of the network; first those of the small steps
    ComparedStep step;
    Summary summary;
    // The file that they stand in, as a report names it.
    std::string file = {};
};

// Something is right and nothing wrong, and of the small steps nothing is to do. (Their formulas in one may be.)
bool all_right(const Examination& examination);

// How it stands when the chain and what shows nothing are counted in: what is right here agrees with the exit code.
Standing shown(const Attempt& attempt, const Examination& examination);

// The commands that a report proposes, for the file and the network that are judged.
struct ExerciseCommands {
    std::string hint = "byhand exercise --hint";  // and a name
    Text when_right = {.words = "next: train with these functions:", .code = "  byhand train --model exercise"};
};

// How many are right, the root causes, what to do next, and a row for each attempt, wrong ones first; with
// Rows::disagreeing only for those that are not right, if there are several. Its data are those of to_json, with
// "file", and "functions": for each its name, how it stands and why; it agrees where all is right. It has a test case
// for each attempt, which is skipped where it is to do or not in the network.
Document exercise_document(const Examination& examination, const Presentation& how, ShownRows rows = ShownRows::all,
                           const ExerciseCommands& commands = {});

// For autograders, in the form that Gradescope reads: "tests", with "name", "score", "max_score" and "output" for each
// function of the network, also for those still to do, and their "score".
Json points_of(const Examination& examination);

}  // namespace byhand
