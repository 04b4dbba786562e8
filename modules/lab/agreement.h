// Whether numbers by hand and a reference's are the same but for rounding.
#pragma once

#include <string>
#include <vector>

#include "byhand/rounded.h"
#include "judge/finding.h"
#include "report/document.h"

namespace byhand::lab {

struct Agreement {
    std::string what;
    double difference = 0;  // the largest; a NaN where one side is
    Finding finding;        // agrees, fails, or is out of range: float may under- or overflow where there is no limit
};

// Each element's difference must not exceed its limit. All of one size.
Agreement agreement_within(std::string what, const std::vector<double>& ours, const std::vector<double>& reference,
                           const std::vector<double>& limits);

// `by_hand` in float, `reference` in double; the limits are what rounding in float can be, in whatever order sums
// are taken: `bounds` is the same computation by hand on Rounded numbers. All of one size.
Agreement agreement(std::string what, const std::vector<float>& by_hand, const std::vector<Rounded>& bounds,
                    const std::vector<double>& reference);

// A row each: what, largest difference, share of its limit, verdict.
Table table_of(const std::string& title, const std::vector<Agreement>& agreements);
// All agree.
bool all_hold(const std::vector<Agreement>& agreements);
// Adds the table, and has the document agree only if all do.
void add_agreements(Document& document, const std::string& title, const std::vector<Agreement>& agreements);

}  // namespace byhand::lab
