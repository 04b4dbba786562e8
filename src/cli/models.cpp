#include "cli/models.h"

#include "base/error.h"
#include "cli/modules.h"
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

std::unique_ptr<Model> make_model(const std::string& name, const NetworkConfig& config, std::size_t rows,
                                  std::size_t threads) {
    check_network(config, rows);
    if (name == "torch") {
        return torch_ref::load().module_model(config, rows);
    }
    if constexpr (kHasFast) {
        return make_hand_model(hand_form(name), config, rows, threads);
    } else {
        return make_step_model(hand_graph(hand_form(name), config, rows));
    }
}

std::unique_ptr<Model> make_model_in_parts(const std::string& name, const NetworkConfig& config, std::size_t rows,
                                           std::size_t parts, Group& group, std::size_t threads) {
    if (name == "torch") {
        return torch_ref::load().module_model_in_parts(config, rows, parts, group);
    }
    if constexpr (kHasRanks) {
        return byhand::make_model_in_parts(hand_form(name), config, rows, parts, group, threads);
    } else {
        throw InputError("training in parts belongs to the module ranks, which this program is built without");
    }
}

std::unique_ptr<Model> model_to_evaluate(const SavedModel& saved) {
    constexpr std::size_t kRows = 2;  // the fewest that every norm accepts
    std::unique_ptr<Model> model = make_model(model_names().front(), saved.recipe.network, kRows);
    model->load(saved.for_evaluation());
    return model;
}

}  // namespace byhand::cli
