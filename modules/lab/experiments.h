// The experiments of the lab as data: name, what an experiment works with, its own options, and the function that makes
// its document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/source_line.h"
#include "names/names_file.h"
#include "recipe/recipe.h"
#include "report/document.h"
#include "torch_ref/torch_ref.h"

namespace byhand::lab {

// ---- What an experiment works with, besides its own options ----

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

// ---- Experiments ----

// The content of a file that an option names; empty if it is not set.
struct InputText {
    std::string path, text;
    std::size_t most_bytes = 0;
};

// An option of one experiment. A list is separated by commas.
struct OwnOption {
    const char* name = nullptr;
    const char* about;
    std::variant<std::size_t*, double*, std::vector<std::size_t>*, std::vector<double>*, std::vector<std::string>*,
                 InputText*>
        value;
    double least = -1e30, most = 1e30;  // of a number
    std::vector<std::string> words = {};
};

struct Prepared {
    std::vector<OwnOption> options;  // they write into the state that `run` reads
    std::function<Document(const Setup& setup)> run;
};

// The networks that an experiment accepts.
enum class Networks {
    none,         // it works without a network
    plain,        // batch norm and an activation in a chain of layers, with plain gradient descent
    adjustable,   // the same, with a hidden layer in which the experiment can place norms
    every_place,  // the same, without --norm: the experiment compares all places
};

struct Experiment {
    const char* name = nullptr;
    const char* note = nullptr;   // its source: "note 3"
    const char* about = nullptr;  // one line
    Networks networks = Networks::none;
    bool any_activation = false;          // or tanh alone
    std::size_t seeds = 0, steps = 0;     // defaults of --seeds and --steps; 0 without the option
    const char* second_recipe = nullptr;  // that it also works with by default
    Prepared (*prepare)() = nullptr;
};

// An experiment whose options are an `Options` that lists them in own().
template <class Options>
Prepared prepared(Document (*run)(const Options& options, const Setup& setup)) {
    const auto options = std::make_shared<Options>();
    return {options->own(), [options, run](const Setup& setup) { return run(*options, setup); }};
}

// In the order in which the lab lists them.
std::span<const Experiment> experiments();

// Throws InputError if the experiment does not accept the network of this recipe.
void check_recipe(const Recipe& recipe, const Experiment& experiment);

// ---- One for each experiment, in its file ----

Experiment loss_experiment();
Experiment invariance_experiment();
Experiment geometry_experiment();
Experiment columns_experiment();
Experiment padding_experiment();
Experiment placement_experiment();
Experiment claims_experiment();
Experiment undo_experiment();
Experiment batch_experiment();
Experiment backward_experiment();
Experiment conventions_experiment();

// ---- An experiment's document: its formulas, and how programs read it ----

// Gives each formula the text and the place of its function. Throws std::logic_error where there is no such function.
void fill_in_formulas(Document& document, const SourceOf& source);

// As docs/formats.md describes it.
std::string to_json(const Document& document);

}  // namespace byhand::lab
