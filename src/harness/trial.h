// One run of one step on one set of values, and what it shows.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/shape.h"
#include "harness/compare.h"

namespace byhand {

struct SmallestInput;  // see shrink.h

// Errors are distances from the reference's answer in double.
struct Trial {
    Verdict verdict = Verdict::missing;
    std::string note;  // what there is to say besides figures
    double error = 0;  // the largest
    double scale = 0;  // the largest magnitude of the answer
    double used = 0;   // the largest share of its limit that an error takes
    double catches =
        0;  // an error of this size, relative to `scale`, is caught wherever it stands: twice the largest limit
    std::size_t worst = 0;                   // the element with the largest share, or the first one that has no figure
    double ours = 0, answer = 0, limit = 0;  // there
    bool nothing_written = false;            // of what is unwritten: not an element is written
    std::string hint;                        // of a mismatch: what its structure tells (see hints.h)
    std::string mistake;                     // of a mismatch: the planted mistake that makes the same (see mistakes.h)
    std::string overwrites;                  // what it reads and yet has changed
    std::string on;                          // of the battery: its values, "29 rows: values around 1e12"
    std::string by;                          // of the battery: the function that ran, if it is another than the step's
    bool in_double = false;                  // by our double
    // Of the result, where it is not that of the network that is judged.
    Shape shape = {};  // NOLINT(readability-redundant-member-init): it may be left out
    std::shared_ptr<const SmallestInput> smallest = nullptr;  // that still shows it; null where none was looked for
};

// What a step made of something against the answer, with a limit an element; T is float or double. `hint` is left
// empty.
template <class T>
Trial judge(std::span<const T> ours, const std::vector<double>& answer, const std::vector<double>& limits);

// Whether a trial shows that a step is wrong.
bool fails(const Trial& trial);

}  // namespace byhand
