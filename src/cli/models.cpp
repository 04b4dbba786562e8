#include "cli/models.h"

#include "manual/models.h"
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

}  // namespace byhand::cli
