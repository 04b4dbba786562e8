// Whether numbers by hand and a reference's are the same but for rounding.
#pragma once

#include <string>
#include <vector>

#include "report/document.h"
#include "steps/rounded.h"

namespace byhand::lab {

struct Agreement {
    std::string what;
    double difference = 0;  // the largest
    double used = 0;        // the largest share that an element's difference takes of its limit
    bool holds = true;      // every difference is ≤ its limit: false for a NaN
    bool in_range = true;   // what differs has a limit: float may under- or overflow where it has none
};

// One element more, off by `difference`.
void add(Agreement& found, double difference, double limit);

// `by_hand` in float, `reference` in double; the limits are what rounding in float may come to, in whatever order sums
// are taken: `bounds` is the same computation by hand on Rounded numbers. All of one size.
Agreement agreement(std::string what, const std::vector<float>& by_hand, const std::vector<Rounded>& bounds,
                    const std::vector<double>& reference);

// A row each: what, largest difference, share of its limit, verdict.
Table table_of(const std::string& title, const std::vector<Agreement>& agreements);
// All hold, and all are in range.
bool all_hold(const std::vector<Agreement>& agreements);

}  // namespace byhand::lab
