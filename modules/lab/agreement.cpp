#include "lab/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "lab/figures.h"

namespace byhand::lab {

Agreement agreement_within(std::string what, const std::vector<double>& ours, const std::vector<double>& reference,
                           const std::vector<double>& limits) {
    if (ours.size() != reference.size() || ours.size() != limits.size()) {
        throw std::logic_error(what + ": different numbers of elements");
    }
    const View theirs = view_of(reference);
    return {std::move(what), largest_difference(ours, reference),
            judge(view_of(ours), nullptr, &theirs, limits, {.needs_no_limit = NeedsNoLimit::equal})};
}

Agreement agreement(std::string what, const std::vector<float>& by_hand, const std::vector<Rounded>& bounds,
                    const std::vector<double>& reference) {
    std::vector<double> limits;
    std::ranges::transform(bounds, std::back_inserter(limits), &Rounded::any_order);
    return agreement_within(std::move(what), {by_hand.begin(), by_hand.end()}, reference, limits);
}

Table table_of(const std::string& title, const std::vector<Agreement>& agreements) {
    Table table{title, {"", "largest difference", "of limit", "verdict"}, {}};
    for (const Agreement& one : agreements) {
        const Verdict verdict = one.finding.verdict;
        const char* said = agrees(verdict) ? "agrees" : shows_nothing(verdict) ? "out of range" : "DISAGREES";
        // What is not finite has no figures, or as many as its difference.
        const double used = one.finding.used.value_or(one.difference);
        table.rows.push_back({one.what, significant(one.difference, 2), percent(used), said});
    }
    return table;
}

bool all_hold(const std::vector<Agreement>& agreements) {
    return std::ranges::all_of(agreements, [](const Agreement& one) { return agrees(one.finding.verdict); });
}

void add_agreements(Document& document, const std::string& title, const std::vector<Agreement>& agreements) {
    document.blocks.emplace_back(table_of(title, agreements));
    document.agrees = document.agrees && all_hold(agreements);
}

}  // namespace byhand::lab
