#include "cli/training.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand::cli {
namespace {

constexpr std::size_t kLongest = 200;  // of a text from a file, in a message

}  // namespace

std::vector<std::string> changes(const SavedModel& saved, const Recipe& recipe, const Vocabulary& vocabulary,
                                 const std::string& model, std::uint64_t data_hash) {
    std::vector<std::string> all;
    if (saved.data_hash != data_hash) {
        all.push_back(fmt::format("the data (trained on {}, with other contents)", excerpt(saved.data_path, kLongest)));
    }
    if (saved.vocabulary.characters != vocabulary.characters) {
        all.push_back(
            fmt::format("the vocabulary ({} characters saved, {} now)", saved.vocabulary.size(), vocabulary.size()));
    }
    if (saved.trained_by != model) {
        all.push_back(fmt::format("the model ({} saved, {} now)", excerpt(saved.trained_by, kLongest), model));
    }
    for (const std::string& difference : differences(saved.recipe, recipe)) {
        all.push_back("the recipe's " + difference);
    }
    return all;
}

void go_on(Run& run, const SavedModel& saved, const std::string& path) {
    const auto refuse = [&](const std::string& why) { throw InputError(printable(path) + ": " + why); };
    if (!saved.batches) {
        refuse("can't be resumed: the state of the generator that draws the batches is missing");
    }
    if (saved.state.table() != run.initial.table()) {
        refuse("can't be resumed: its tensors do not fit the requested network");
    }
    if (saved.steps >= run.recipe.steps) {
        refuse(fmt::format("has {} of {} steps already; --steps is the total", saved.steps, run.recipe.steps));
    }
    run.generator = *saved.batches;
    run.initial = saved.state;
}

}  // namespace byhand::cli
