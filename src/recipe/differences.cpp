#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/short_form.h"
#include "recipe/recipe.h"

namespace byhand {
namespace {

// Adds the text of each number, string, bool and null in `value`, with its path as the key: "network.hidden.0".
void flatten(const Json& value, const std::string& path, std::map<std::string, std::string>& texts) {
    const auto add = [&](const std::string& key, const Json& item) {
        flatten(item, path.empty() ? key : path + "." + key, texts);
    };
    if (const auto* members = std::get_if<Json::Object>(&value.value())) {
        for (const auto& [key, item] : *members) {
            add(key, item);
        }
    } else if (const auto* items = std::get_if<Json::Array>(&value.value())) {
        for (std::size_t i = 0; i < items->size(); ++i) {
            add(std::to_string(i), (*items)[i]);
        }
    } else {
        texts[path] = printed_json(value, 0);
    }
}

// The keys on which the result of a training step depends, with their values.
std::map<std::string, std::string> deciding(const Recipe& recipe, bool in_full) {
    std::map<std::string, std::string> all;
    flatten(json_of(recipe, in_full), "", all);
    for (const char* key : {"name", "about", "schedule.steps", "sample.seed"}) {
        all.erase(key);
    }
    return all;
}

}  // namespace

std::vector<std::string> differences(const Recipe& there, const Recipe& here) {
    const bool in_full = !short_form_of(there.network.layers) || !short_form_of(here.network.layers);
    const std::map<std::string, std::string> before = deciding(there, in_full), now = deciding(here, in_full);
    std::map<std::string, std::string> both = before;
    both.insert(now.begin(), now.end());
    const auto text = [](const std::map<std::string, std::string>& texts, const std::string& path) {
        const auto found = texts.find(path);
        return found == texts.end() ? "\"nothing\"" : found->second;
    };
    std::vector<std::string> all;
    for (const auto& [path, ignored] : both) {
        const std::string was = text(before, path), is = text(now, path);
        if (was != is) {
            all.push_back(std::string(path).append(" (").append(was).append(" there, ").append(is).append(" here)"));
        }
    }
    return all;
}

}  // namespace byhand
