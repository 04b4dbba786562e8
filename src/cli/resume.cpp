#include "cli/resume.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kLongest = 200;  // of what a file says, in a message

// The keys of a recipe that decide a step, each with its value.
json deciding(const Recipe& recipe) {
    json all = json::parse(to_json(recipe)).flatten();
    for (const char* key : {"/name", "/about", "/schedule/steps", "/sample/seed"}) {
        all.erase(key);
    }
    return all;
}

// "/network/hidden/0" as "network.hidden.0"
std::string in_words(std::string key) {
    key.erase(0, 1);
    std::ranges::replace(key, '/', '.');
    return key;
}

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
    const json there = deciding(saved.recipe), here = deciding(recipe);
    std::set<std::string> keys;
    for (const json* keyed : {&there, &here}) {
        for (const auto& item : keyed->items()) {
            keys.insert(item.key());
        }
    }
    for (const std::string& key : keys) {
        const json before = there.value(key, json("nothing")), now = here.value(key, json("nothing"));
        if (before != now) {
            all.push_back(fmt::format("the recipe's {} ({} there, {} here)", in_words(key), before.dump(), now.dump()));
        }
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
