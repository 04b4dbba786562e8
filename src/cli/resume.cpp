#include "cli/resume.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand::cli {
namespace {

constexpr std::size_t kLongest = 200;  // of what a file says, in a message

}  // namespace

std::vector<std::string> changes(const SavedModel& saved, const Recipe& recipe, const Vocabulary& vocabulary,
                                 const std::string& model, std::uint64_t data_hash) {
    std::vector<std::string> all;
    if (saved.data_hash != data_hash) {
        all.push_back(fmt::format("the data (it was trained on {}, whose bytes were others)",
                                  excerpt(saved.data_path, kLongest)));
    }
    if (saved.vocabulary.characters != vocabulary.characters) {
        all.push_back(
            fmt::format("the vocabulary ({} characters there, {} here)", saved.vocabulary.size(), vocabulary.size()));
    }
    if (saved.trained_by != model) {
        all.push_back(fmt::format("the model ({} there, {} here)", excerpt(saved.trained_by, kLongest), model));
    }
    for (const std::string& difference : differences(saved.recipe, recipe)) {
        all.push_back("the recipe's " + difference);
    }
    return all;
}

void go_on(Run& run, const SavedModel& saved, const std::string& path) {
    const auto refuse = [&](const std::string& why) { throw InputError(printable(path) + ": " + why); };
    if (!saved.batches) {
        refuse("can't be gone on with: it has no state of the generator that draws the batches");
    }
    if (saved.state.table() != run.initial.table()) {
        refuse("can't be gone on with: its tensors are not those of the network that is asked for");
    }
    if (saved.steps >= run.recipe.steps) {
        refuse(fmt::format("has {} of {} steps already; --steps says how many in all", saved.steps, run.recipe.steps));
    }
    run.generator = *saved.batches;
    run.initial = saved.state;
}

}  // namespace byhand::cli
