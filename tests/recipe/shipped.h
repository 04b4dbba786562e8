// The recipes of the folder recipes/.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "recipe/recipe.h"

namespace byhand::test {

inline std::string shipped_text(const std::string& name) {
    std::ifstream file(std::string(BYHAND_RECIPES) + "/" + name + ".json", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline Recipe shipped(const std::string& name) {
    return recipe_from_json(shipped_text(name), name + ".json");
}

}  // namespace byhand::test
