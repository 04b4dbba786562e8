#include "cli/value_names.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.h"
#include "base/nearest.h"
#include "checks/faults/mistakes.h"
#include "cli/modules.h"
#include "cli/network_options.h"
#include "manual/stepwise.h"

namespace byhand::cli {

std::vector<std::string> value_names() {
    const Recipe recipe = read_recipe("notes");
    const std::set<std::string> names = made_by(stepwise_graph(recipe.network, recipe.batch));
    return {names.begin(), names.end()};
}

KnownMistakes known_mistakes() {
    if constexpr (kHasChecks) {
        return mistakes();
    } else {
        return {};
    }
}

std::vector<std::string> mistake_names() {
    std::vector<std::string> names;
    std::ranges::transform(known_mistakes(), std::back_inserter(names), &Mistake::name);
    return names;
}

const Mistake& mistake_named(const std::string& name) {
    const KnownMistakes all = known_mistakes();
    const auto mistake = std::ranges::find(all, name, &Mistake::name);
    if (mistake == all.end()) {
        throw InputError("there is no mistake " + name + the_nearest(name, mistake_names()) +
                         " (byhand mistakes lists them)");
    }
    return *mistake;
}

}  // namespace byhand::cli
