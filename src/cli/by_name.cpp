#include "cli/by_name.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.h"
#include "base/nearest.h"
#include "checks/faults/mistakes.h"
#include "cli/modules.h"
#include "cli/network_options.h"
#include "fast/models.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "ranks/parts.h"
#include "torch_ref/load.h"

namespace byhand::cli {

std::vector<std::string> model_names() {
    std::vector<std::string> names = {"stepwise", "collapsed", "torch"};
    if (kHasFast) {
        names.insert(names.begin(), "fused");
    }
    return names;
}

std::unique_ptr<Trainable> make_model(const std::string& name, const NetworkConfig& config, std::size_t rows,
                                      const Division& division, std::size_t threads) {
    check_network(config, rows);
    if (name == "torch") {
        return torch_ref::load().module_model(config, rows, Keep::needed, division);
    }
    if (division.group != nullptr) {
        if constexpr (kHasRanks) {
            return make_model_in_parts(hand_form(name), config, rows, division, threads);
        }
        throw InputError("training in parts belongs to the module ranks, which this program is built without");
    }
    if constexpr (kHasFast) {
        return make_hand_model(hand_form(name), config, rows, {.threads = threads});
    } else {
        return make_step_model(hand_graph(hand_form(name), config, rows));
    }
}

std::unique_ptr<Trainable> model_to_evaluate(const SavedModel& saved) {
    constexpr std::size_t kRows = 2;  // the fewest that every norm accepts
    std::unique_ptr<Trainable> model = make_model(model_names().front(), saved.recipe.network, kRows);
    model->load(saved.for_evaluation());
    return model;
}

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
