#include "lab/shortened.h"

#include <algorithm>
#include <cmath>

namespace byhand::lab {

Recipe in_steps(Recipe recipe, std::size_t steps) {
    const double share = static_cast<double>(steps) / static_cast<double>(std::max<std::size_t>(1, recipe.steps));
    for (RateFrom& from : recipe.rates) {
        const double step = std::round(static_cast<double>(from.step) * share);
        from.step = static_cast<std::size_t>(std::min(step, static_cast<double>(kMostSteps)));
    }
    recipe.steps = steps;
    return recipe;
}

}  // namespace byhand::lab
