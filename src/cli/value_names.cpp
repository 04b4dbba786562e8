#include "cli/value_names.h"

#include "checks/faults/mistakes.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "manual/stepwise.h"

namespace byhand::cli {

std::vector<std::string> value_names() {
    std::vector<std::string> names;
    const Recipe recipe = read_recipe("notes");
    for (const std::string& name : made_by(stepwise_graph(recipe.network, recipe.batch))) {
        names.push_back(name);
    }
    return names;
}

std::vector<std::string> mistake_names() {
    std::vector<std::string> names;
    for (const Mistake& mistake : mistakes()) {
        names.push_back(mistake.name);
    }
    return names;
}

}  // namespace byhand::cli
