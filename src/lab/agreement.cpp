#include "lab/agreement.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>

namespace byhand::lab {

Agreement agreement(std::string what, const std::vector<float>& by_hand, const std::vector<Rounded>& bounds,
                    const std::vector<double>& witness) {
    if (by_hand.size() != witness.size() || by_hand.size() != bounds.size()) {
        throw std::logic_error(what + ": not as many numbers on both sides");
    }
    Agreement found{std::move(what)};
    for (std::size_t i = 0; i < by_hand.size(); ++i) {
        const double difference = std::abs(static_cast<double>(by_hand[i]) - witness[i]);
        const double limit = bounds[i].any_order();
        found.holds = found.holds && difference <= limit;
        found.difference = difference <= found.difference ? found.difference : difference;
        const double used = difference == 0 ? 0 : difference / limit;
        found.used = used <= found.used ? found.used : used;
    }
    return found;
}

Table table_of(const std::string& title, const std::vector<Agreement>& agreements) {
    Table table{title, {"", "largest difference", "of limit", "verdict"}, {}};
    for (const Agreement& one : agreements) {
        table.rows.push_back(
            {one.what, significant(one.difference, 2), percent(one.used), one.holds ? "agrees" : "DISAGREES"});
    }
    return table;
}

bool all_hold(const std::vector<Agreement>& agreements) {
    return std::ranges::all_of(agreements, &Agreement::holds);
}

}  // namespace byhand::lab
