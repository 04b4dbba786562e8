// One run of one step on one set of values, and what it shows.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "judge/finding.h"

namespace byhand {

struct SmallestInput;  // see shrink.h

// What is right is the reference's answer in double. Without any error there is no worst element and no limit. `shape`
// is that of the result where it is not of the network that is judged, and else empty.
struct Trial : Finding {
    bool nothing_written = false;  // of what is unwritten: not an element is written
    std::string hint;              // of a mismatch: what its structure tells (see hints.h)
    std::string mistake;           // of a mismatch: the planted mistake that makes the same (see mistakes.h)
    std::string overwrites;        // what it reads and yet has changed
    std::string on;                // of the battery: its values, "29 rows: values around 1e12"
    std::string by;                // of the battery: the function that ran, if it is another than the step's
    bool in_double = false;        // by our double
    std::shared_ptr<const SmallestInput> smallest = nullptr;  // that still shows it; null where none was looked for
};

// What a step made of something against the answer, with a limit an element; T is float or double. `hint` is left
// empty.
template <class T>
Trial trial_against(std::span<const T> ours, const std::vector<double>& exact, const std::vector<double>& limits);

}  // namespace byhand
