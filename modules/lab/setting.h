// The arguments of every experiment besides its own options.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "names/names_file.h"
#include "recipe/recipe.h"
#include "torch_ref/torch_ref.h"

namespace byhand::lab {

struct Setting {
    const torch_ref::Factory* torch = nullptr;  // null if LibTorch is missing; its columns are left out
    // Called by long experiments, from one thread at a time, when `done` of `parts` are done; with 0 before the first.
    std::function<void(std::size_t done, std::size_t parts)> progress = [](std::size_t, std::size_t) {};
};

// The names that an experiment trains on.
struct Material {
    NamesFile names;
    std::string where;  // their name in messages
};

// What an experiment on a network works with.
struct Setup {
    std::vector<Recipe> recipes = {};
    Material material = {};
    std::vector<std::uint64_t> seeds = {};
    std::size_t steps = 0;  // of each training
    Setting setting = {};
};

}  // namespace byhand::lab
