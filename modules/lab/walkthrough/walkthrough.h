// One training step, value by value, and the names that the network writes after many.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "byhand/shape.h"
#include "harness/words.h"
#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct WalkthroughOptions {
    std::size_t row = 0;  // of the batch: the one that is followed
    std::size_t names = 10;
};

// Throws InputError as prepare (train/run.h) does, and if the batch has no such row.
Document walkthrough(const WalkthroughOptions& options, const Setup& setup);

// One row of a batch, followed through the network: which of a tensor's many numbers are shown.

struct Followed {
    std::size_t row = 0;
    Wording wording;  // with the batch

    std::size_t target() const;                                // the number of its target
    std::size_t character() const;                             // the number of the last character of its context
    std::string character_in_words(std::size_t number) const;  // "'e'"
};

struct Place {
    std::size_t position = 0;  // in the tensor
    std::string label;         // "unit 0", "'m'", "dim. 0"; empty of a scalar
};

// Of a tensor's numbers the first few that belong to the followed row: units and dimensions from 0 on, those of the
// context's last position; of the characters that may come next the right one and then the first others.
std::vector<Place> places_of(const std::string& tensor, const Shape& shape, const Followed& followed);

}  // namespace byhand::lab
