#include "train/run.h"

#include <utility>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "names/dataset.h"

namespace byhand {
namespace {

// Of the names, in the text and in two lists, that of the file and that of their part, and, at most, all their examples
// as rows: a norm is calibrated on those of the training part.
double bytes_needed(const NamesFile& data, std::size_t context) {
    std::size_t bytes = 0;
    for (const std::u32string_view name : data.names) {
        bytes += name.size() * sizeof(char32_t) + 2 * sizeof(std::u32string_view);
        bytes += (name.size() + 1) * (context + 1) * sizeof(std::int64_t);
    }
    return static_cast<double>(bytes);
}

}  // namespace

Run prepare(Recipe recipe, NamesFile data, const std::string& where) {
    Run run;
    run.vocabulary = vocabulary_of(data.names, data.mark);
    recipe.network.vocabulary = run.vocabulary.size();
    check_network(recipe.network, recipe.batch);
    check_memory_needed(bytes_needed(data, recipe.network.context), printable(where) + ": the examples need",
                        "lower --context, or give fewer names");
    run.text = std::move(data.text);
    run.names = split_names(data.names, recipe.split_seed, recipe.first_cut, recipe.second_cut, where);
    const std::size_t context = recipe.network.context;
    run.train = examples_of(run.names.train, run.vocabulary, context);
    run.val = examples_of(run.names.val, run.vocabulary, context);
    run.test = examples_of(run.names.test, run.vocabulary, context);
    if (run.train.size() >= kMostExamples) {
        throw InputError(printable(where) + ": makes " + std::to_string(run.train.size()) +
                         " training examples, but must make fewer than 2^28; give fewer names");
    }
    run.generator = torch_seeded(recipe.seed);
    run.initial = initial_state(recipe, run.generator);
    if (recipe.batch_seed) {
        run.generator = torch_seeded(*recipe.batch_seed);
    }
    run.recipe = std::move(recipe);
    return run;
}

}  // namespace byhand
