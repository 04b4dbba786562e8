// The batch norms that `placement` sets side by side.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct Variant {
    std::string key;    // in the JSON: "before", "before_outside_plain"
    std::string words;  // "before, ε outside, no γ β"
    Recipe recipe;
};

// Before, after and none, with ε inside and γ and β, come first.
inline constexpr std::size_t kPlaces = 3;
std::vector<Variant> variants_of(const Recipe& recipe);

// One training step of each held against LibTorch's, gradient by gradient; each is a part of the work.
// Precondition: LibTorch's side is there.
void tell_agreement(Document& document, const std::vector<Variant>& variants, const Material& material,
                    const Setting& setting);

}  // namespace byhand::lab
