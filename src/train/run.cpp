#include "train/run.h"

#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "names/batches.h"

namespace byhand {

Run prepare(Recipe recipe, NamesFile data, const std::string& where) {
    Run run;
    run.vocabulary = vocabulary_of(data.names);
    recipe.network.vocabulary = run.vocabulary.size();
    check_network(recipe.network, recipe.batch);
    run.names = split_names(std::move(data.names), recipe.split_seed, recipe.first_cut, recipe.second_cut, where);
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
