// A recipe combined with its data: the start of every run.
#pragma once

#include <memory>
#include <string>

#include "base/tensors.h"
#include "names/dataset.h"
#include "names/names_file.h"
#include "names/random.h"
#include "names/vocabulary.h"
#include "recipe/recipe.h"

namespace byhand {

struct Run {
    Recipe recipe;  // its network's vocabulary is that of the data
    Vocabulary vocabulary;
    std::shared_ptr<const std::vector<char32_t>> text;  // of the names
    Split names;
    Examples train, val, test;
    Tensors<float> initial;    // the state at the first step, a table equal to state(recipe.network)
    TorchGenerator generator;  // draws the batches: the generator of the initial values, or a separate one
};

// Throws InputError if the network is invalid (check_network), a parameter has no rule, or the names are too few to
// split, too many to draw from, or need more than the memory that this process may use. `where` names the data in
// messages.
Run prepare(Recipe recipe, NamesFile data, const std::string& where);

}  // namespace byhand
