// A recipe as a JSON value.
#pragma once

#include "base/json.h"
#include "recipe/recipe.h"

namespace byhand {

// The value whose text to_json returns.
Json json_of(Recipe recipe);

}  // namespace byhand
