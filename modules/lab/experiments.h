// The experiments of the lab as data: name, what an experiment works with, its own options, and the function that makes
// its document.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/source_line.h"
#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

// The content of a file that an option names; empty if it is not setup.
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
    plain,        // batch norm and tanh in a chain of layers, with plain gradient descent
    adjustable,   // the same, with a hidden layer in which the experiment can place norms
    every_place,  // the same, without --norm: the experiment compares all places
};

struct Experiment {
    const char* name = nullptr;
    const char* note = nullptr;   // its source: "note 3"
    const char* about = nullptr;  // one line
    Networks networks = Networks::none;
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
void check_recipe(const Recipe& recipe, Networks networks);

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

// {"experiment","note","title","agrees", the experiment's own fields, "text":[…],"formulas":[{"formula","function",
// "file_line"}],"tables":[{"title","columns","rows"}],"plots":[{"title","x_label","y_label","log_x","log_y","series":[{
// "name","x","y","low","high"}]}]}. Figures have all their digits; those that are not finite are "nan", "inf", "-inf".
std::string to_json(const Document& document);

}  // namespace byhand::lab
