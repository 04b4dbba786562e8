#include "cli/models.h"

#include "fast/models.h"
#include "manual/models.h"
#include "ranks/parts.h"
#include "torch_ref/load.h"

namespace byhand::cli {

std::vector<std::string> model_names() {
    return {"fused", "stepwise", "collapsed", "torch"};
}

std::unique_ptr<Model> make_model(const std::string& name, const NetworkConfig& config, std::size_t rows,
                                  std::size_t threads) {
    check_network(config, rows);
    return name == "torch" ? torch_ref::load().module_model(config, rows)
                           : make_hand_model(hand_form(name), config, rows, threads);
}

std::unique_ptr<Model> make_model_in_parts(const std::string& name, const NetworkConfig& config, std::size_t rows,
                                           std::size_t parts, Group& group, std::size_t threads) {
    return name == "torch" ? torch_ref::load().module_model_in_parts(config, rows, parts, group)
                           : byhand::make_model_in_parts(hand_form(name), config, rows, parts, group, threads);
}

std::unique_ptr<Model> model_to_evaluate(const SavedModel& saved) {
    constexpr std::size_t kRows = 2;  // the fewest that every norm accepts
    std::unique_ptr<Model> model = make_model("fused", saved.recipe.network, kRows);
    model->load(saved.for_evaluation());
    return model;
}

}  // namespace byhand::cli
