#include "lab/agreement.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>

namespace byhand::lab {
namespace {

// The larger of the two; a NaN before and after.
double larger(double a, double b) {
    return std::isnan(a) || a >= b ? a : b;
}

}  // namespace

void add(Agreement& found, double difference, double limit) {
    if (difference == 0) {
        return;
    }
    found.difference = larger(found.difference, difference);
    if (!std::isnan(difference) && !std::isfinite(limit)) {
        found.in_range = false;
        return;
    }
    found.holds = found.holds && difference <= limit;
    found.used = larger(found.used, difference / limit);
}

Agreement agreement(std::string what, const std::vector<float>& by_hand, const std::vector<Rounded>& bounds,
                    const std::vector<double>& reference) {
    if (by_hand.size() != reference.size() || by_hand.size() != bounds.size()) {
        throw std::logic_error(what + ": not as many numbers on both sides");
    }
    Agreement found{std::move(what)};
    for (std::size_t i = 0; i < by_hand.size(); ++i) {
        const double difference = std::abs(static_cast<double>(by_hand[i]) - reference[i]);
        add(found, difference, bounds[i].any_order());
    }
    return found;
}

Table table_of(const std::string& title, const std::vector<Agreement>& agreements) {
    Table table{title, {"", "largest difference", "of limit", "verdict"}, {}};
    for (const Agreement& one : agreements) {
        const char* verdict = !one.holds ? "DISAGREES" : one.in_range ? "agrees" : "out of range";
        table.rows.push_back({one.what, significant(one.difference, 2), percent(one.used), verdict});
    }
    return table;
}

bool all_hold(const std::vector<Agreement>& agreements) {
    return std::ranges::all_of(agreements, [](const Agreement& one) { return one.holds && one.in_range; });
}

}  // namespace byhand::lab
