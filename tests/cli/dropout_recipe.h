// A recipe of two layers, as wide as the embedding, with dropouts, a residual and tied weights.
#pragma once

#include <string>

#include "cli/program.h"

namespace cli_test {

// As JSON for --recipe. Tanh and relu, a batch norm in the second layer only, sizes that are odd.
inline std::string dropout_recipe(const Folder& folder) {
    Json recipe = json_of(byhand(folder, {"recipes", "resnet-mlp", "--expanded"}));
    recipe["network"]["layers"] = parsed_json(
        R"([{"op": "linear", "outputs": 9}, {"op": "tanh"}, {"op": "dropout", "p": 0.3}, {"op": "linear", "outputs": 9},
            {"op": "batchnorm"}, {"op": "relu"}, {"op": "dropout", "p": 0.2}, {"op": "residual", "from": 2},
            {"op": "linear", "tied": true}])");
    recipe["network"]["embedding"] = 9;
    recipe["initial"]["rules"][3].erase("layers");
    return byhand::printed_json(recipe, 0);
}

}  // namespace cli_test
