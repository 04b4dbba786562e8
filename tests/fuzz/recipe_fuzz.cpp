// A recipe: what is taken can be written, and reads the same again.
#include <cstdint>
#include <string>

#include "fuzz/refusal.h"
#include "recipe/recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace byhand;
    fuzz::refused_or_taken([&] {
        const Recipe recipe = recipe_from_json({reinterpret_cast<const char*>(data), size}, "recipe");
        const std::string text = to_json(recipe);
        fuzz::require(recipe_from_json(text, "again") == recipe, "what was written is the recipe");
        fuzz::require(to_json(recipe_from_json(text, "again")) == text, "and the same text");
        rate_at(recipe, recipe.steps);
    });
    return 0;
}
