// The recipes of the folder recipes/.
#pragma once

#include <string>

#include "base/source_file.h"
#include "recipe/recipe.h"

namespace byhand::test {

inline std::string shipped_text(const std::string& name) {
    return text::source_file("recipes/" + name + ".json");
}

inline Recipe shipped(const std::string& name) {
    return recipe_from_json(shipped_text(name), name + ".json");
}

}  // namespace byhand::test
