#include "harness/limits/limits.h"

#include <algorithm>

namespace byhand {

Limits wider(Limits limits, const Limits& others) {
    for (const auto& [name, other] : others) {
        const auto [place, is_new] = limits.try_emplace(name, other);
        for (std::size_t i = 0; !is_new && i < other.size(); ++i) {
            place->second[i] = std::max(place->second[i], other[i]);
        }
    }
    return limits;
}

Limits in_double(Limits limits, const Graph& network) {
    for (const StepList* list : {&network.forward, &network.backward}) {
        for (const Step& step : *list) {
            if (const auto known = limits.find(step.makes); known != limits.end()) {
                std::ranges::for_each(known->second, [](double& limit) { limit *= 2 * kDoubles; });
            }
        }
    }
    return limits;
}

}  // namespace byhand
