#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"
#include "recipe/json_fields.h"
#include "recipe/recipe.h"
#include "recipe/strict_json.h"

// Reading and writing stand side by side here, one pair for each object of the file.

namespace byhand {
namespace {

constexpr std::uint64_t kWidest = std::uint64_t{1} << 31;
constexpr std::uint64_t kMostRules = 1024;
constexpr std::uint64_t kAnySeed = std::numeric_limits<std::uint64_t>::max();
constexpr double kLargest = 1e30;    // a float holds it, and its product with any normal draw
constexpr double kSmallest = 1e-30;  // a float holds it in full precision

constexpr std::pair<const char*, NormPlace> kPlaces[] = {
    {"before", NormPlace::before}, {"after", NormPlace::after}, {"none", NormPlace::none}};
constexpr std::pair<const char*, Divisor> kDivisors[] = {{"n", Divisor::n}, {"n-1", Divisor::n_minus_1}};
constexpr std::pair<const char*, RunningSpread> kSpreads[] = {{"variance", RunningSpread::variance},
                                                              {"deviation", RunningSpread::deviation}};
constexpr std::pair<const char*, EvaluationFigures> kFigures[] = {{"running", EvaluationFigures::running},
                                                                  {"training-set", EvaluationFigures::training_set}};
enum class EpsilonWord { inside, outside, none };
constexpr std::pair<const char*, EpsilonWord> kEpsilonWords[] = {
    {"inside", EpsilonWord::inside}, {"outside", EpsilonWord::outside}, {"none", EpsilonWord::none}};
enum class MomentumOf { new_figure, old_figure };
constexpr std::pair<const char*, MomentumOf> kMomentumOf[] = {{"new", MomentumOf::new_figure},
                                                              {"old", MomentumOf::old_figure}};
constexpr std::pair<const char*, LayerSet> kLayerSets[] = {
    {"all", LayerSet::all}, {"hidden", LayerSet::hidden}, {"output", LayerSet::output}};
constexpr std::pair<const char*, bool> kOver[] = {{"sqrt_fan_in", true}};
constexpr std::pair<const char*, const char*> kParameters[] = {{"C", "C"},
                                                               {"W", "W"},
                                                               {"b", "b"},
                                                               {"bngain", "bngain"},
                                                               {"bnbias", "bnbias"},
                                                               {"bnmean_running", "bnmean_running"},
                                                               {"bnvar_running", "bnvar_running"}};

std::size_t width(const Field& field) {
    return whole(field, 1, kWidest);
}

std::size_t characters(const Field& field) {
    return whole(field, 1, kMostContext);
}
std::uint64_t seed(const Field& field) {
    return whole(field, 0, kAnySeed);
}
double factor(const Field& field) {
    return number(field, -kLargest, kLargest);
}

NormConfig read_norm(const Field& field) {
    NormConfig norm;
    Object object(field);
    object.take("place", norm.place, [](const Field& f) { return choice(f, kPlaces); });
    object.take("output", norm.output, truth);
    object.take("affine", norm.affine, truth);
    object.take("batch_divisor", norm.batch_divisor, [](const Field& f) { return choice(f, kDivisors); });
    object.take("running_divisor", norm.running_divisor, [](const Field& f) { return choice(f, kDivisors); });
    object.take("running", norm.running_spread, [](const Field& f) { return choice(f, kSpreads); });
    object.take("evaluation", norm.evaluation, [](const Field& f) { return choice(f, kFigures); });

    const auto momentum = object.find("momentum");
    auto momentum_of = MomentumOf::new_figure;
    object.take("momentum_of", momentum_of, [](const Field& f) { return choice(f, kMomentumOf); });
    if (momentum) {
        const double weight = number(*momentum, 0, 1);
        norm.momentum = momentum_of == MomentumOf::new_figure ? weight : 1 - weight;
    }

    const auto epsilon = object.find("epsilon");
    auto place = EpsilonWord::inside;
    object.take("epsilon_place", place, [](const Field& f) { return choice(f, kEpsilonWords); });
    if (epsilon) {
        norm.epsilon = number(*epsilon, 0, std::numeric_limits<double>::max());
        if (place == EpsilonWord::none && norm.epsilon != 0) {
            epsilon->refuse_value(R"(but epsilon_place is "none": give "inside" or "outside", or leave epsilon out)");
        }
    } else if (place == EpsilonWord::none) {
        norm.epsilon = 0;
    }
    norm.epsilon_place = place == EpsilonWord::outside ? EpsilonPlace::outside : EpsilonPlace::inside;
    object.close();
    return norm;
}

Json write_norm(const NormConfig& norm) {
    const auto place = norm.epsilon_place == EpsilonPlace::outside ? EpsilonWord::outside
                       : norm.epsilon == 0                         ? EpsilonWord::none
                                                                   : EpsilonWord::inside;
    return {{"place", name_of(norm.place, kPlaces)},
            {"output", norm.output},
            {"affine", norm.affine},
            {"batch_divisor", name_of(norm.batch_divisor, kDivisors)},
            {"running_divisor", name_of(norm.running_divisor, kDivisors)},
            {"running", name_of(norm.running_spread, kSpreads)},
            {"momentum", norm.momentum},
            {"momentum_of", name_of(MomentumOf::new_figure, kMomentumOf)},
            {"epsilon", norm.epsilon},
            {"epsilon_place", name_of(place, kEpsilonWords)},
            {"evaluation", name_of(norm.evaluation, kFigures)}};
}

NetworkConfig read_network(const Field& field) {
    NetworkConfig network;
    Object object(field);
    object.take("context", network.context, characters);
    object.take("embedding", network.embedding, width);
    if (const auto hidden = object.find("hidden")) {
        network.hidden.clear();
        for (const Field& item : list(*hidden, 1, kMostHiddenLayers)) {
            network.hidden.push_back(width(item));
        }
    }
    if (const auto bias = object.find("bias")) {
        Object biases(*bias);
        biases.take("hidden", network.hidden_bias, truth);
        biases.take("output", network.output_bias, truth);
        biases.close();
    }
    object.take("norm", network.norm, read_norm);
    object.close();
    return network;
}

Json write_network(const NetworkConfig& network) {
    return {{"context", network.context},
            {"embedding", network.embedding},
            {"hidden", network.hidden},
            {"bias", {{"hidden", network.hidden_bias}, {"output", network.output_bias}}},
            {"norm", write_norm(network.norm)}};
}

InitialRule read_rule(const Field& field) {
    InitialRule rule;
    Object object(field);
    if (const auto parameter = object.need("parameter")) {
        rule.parameter = choice(*parameter, kParameters);
    }
    if (const auto layers = object.find("layers")) {
        rule.layers = choice(*layers, kLayerSets);
        if (rule.parameter == "C" && rule.layers != LayerSet::all) {
            layers->refuse_value("but C belongs to no layer: leave it out");
        }
    }
    const auto normal = object.find("normal");
    const auto over = object.find("over");
    const auto plus = object.find("plus");
    const auto constant = object.find("constant");
    object.close();
    if (normal.has_value() == constant.has_value()) {
        refuse(field.where, field.path, R"(takes either "normal" or "constant", not both and not neither)");
    }
    if (normal) {
        rule.normal = factor(*normal);
    } else {
        rule.plus = factor(*constant);
    }
    for (const auto& only_drawn : {over, plus}) {
        if (only_drawn && !normal) {
            only_drawn->refuse_value("but goes with \"normal\" only: leave it out");
        }
    }
    if (over) {
        rule.over_sqrt_fan_in = choice(*over, kOver);
        if (rule.parameter == "C") {
            over->refuse_value("but C has no fan-in: leave it out");
        }
    }
    if (plus) {
        rule.plus = factor(*plus);
    }
    return rule;
}

Json write_rule(const InitialRule& rule) {
    Json object = {{"parameter", rule.parameter}};
    if (rule.layers != LayerSet::all) {
        object["layers"] = name_of(rule.layers, kLayerSets);
    }
    if (!rule.normal) {
        object["constant"] = rule.plus;
        return object;
    }
    object["normal"] = *rule.normal;
    if (rule.over_sqrt_fan_in) {
        object["over"] = name_of(true, kOver);
    }
    if (rule.plus != 0) {
        object["plus"] = rule.plus;
    }
    return object;
}

void read_initial(const Field& field, Recipe& recipe) {
    Object object(field);
    object.take("seed", recipe.seed, seed);
    if (const auto rules = object.need("rules")) {
        for (const Field& rule : list(*rules, 1, kMostRules)) {
            recipe.initial.push_back(read_rule(rule));
        }
    }
    object.close();
}

Json write_initial(const Recipe& recipe) {
    Json rules = Json::array();
    for (const InitialRule& rule : recipe.initial) {
        rules.push_back(write_rule(rule));
    }
    return {{"seed", recipe.seed}, {"rules", std::move(rules)}};
}

void read_data(const Field& field, Recipe& recipe) {
    Object object(field);
    object.take("split_seed", recipe.split_seed, seed);
    if (const auto split = object.find("split")) {
        const auto cuts = list(*split, 2, 2);
        recipe.first_cut = number(cuts[0], 0, 1);
        recipe.second_cut = number(cuts[1], 0, 1);
        const bool rising = 0 < recipe.first_cut && recipe.first_cut < recipe.second_cut && recipe.second_cut < 1;
        if (!rising) {
            refuse(field.where, split->path, "takes two cuts that leave three parts: 0 < first < second < 1");
        }
    }
    object.close();
}

void read_batches(const Field& field, Recipe& recipe) {
    Object object(field);
    object.take("size", recipe.batch, width);
    object.take("seed", recipe.batch_seed,
                [](const Field& f) { return f.value.is_null() ? std::nullopt : std::optional(seed(f)); });
    object.close();
}

void read_schedule(const Field& field, Recipe& recipe) {
    Object object(field);
    if (const auto steps = object.need("steps")) {
        recipe.steps = whole(*steps, 0, kMostSteps);
    }
    if (const auto rates = object.need("rates")) {
        for (const Field& item : list(*rates, 1, kMostRules)) {
            Object entry(item);
            RateFrom rate;
            const auto from = entry.need("from");
            const auto value = entry.need("rate");
            entry.close();
            rate.step = whole(*from, 0, kMostSteps);
            rate.rate = number(*value, kSmallest, kLargest);
            if (recipe.rates.empty() && rate.step != 0) {
                from->refuse_value("but the first rate holds from 0");
            }
            if (!recipe.rates.empty() && rate.step <= recipe.rates.back().step) {
                from->refuse_value("but the rate before it holds from " + std::to_string(recipe.rates.back().step) +
                                   ": let the steps rise");
            }
            recipe.rates.push_back(rate);
        }
    }
    object.close();
}

Json write_schedule(const Recipe& recipe) {
    Json rates = Json::array();
    for (const RateFrom& rate : recipe.rates) {
        rates.push_back({{"from", rate.step}, {"rate", rate.rate}});
    }
    return {{"steps", recipe.steps}, {"rates", std::move(rates)}};
}

Json written(const Recipe& recipe) {
    Json object = {{"name", recipe.name}};
    if (!recipe.about.empty()) {
        object["about"] = recipe.about;
    }
    object["network"] = write_network(recipe.network);
    object["initial"] = write_initial(recipe);
    object["data"] = {{"split_seed", recipe.split_seed}, {"split", Json::array({recipe.first_cut, recipe.second_cut})}};
    object["batches"] = {{"size", recipe.batch}, {"seed", nullptr}};
    if (recipe.batch_seed) {
        object["batches"]["seed"] = *recipe.batch_seed;
    }
    object["schedule"] = write_schedule(recipe);
    object["sample"] = {{"seed", recipe.sample_seed}};
    return object;
}

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
std::map<std::string, std::string> deciding(const Recipe& recipe) {
    std::map<std::string, std::string> all;
    flatten(written(recipe), "", all);
    for (const char* key : {"name", "about", "schedule.steps", "sample.seed"}) {
        all.erase(key);
    }
    return all;
}

}  // namespace

Recipe recipe_from_json(const std::string& text, const std::string& where) {
    const std::string file = "recipe " + printable(where);
    const Json value = strict_json(text, file);
    Recipe recipe;
    Object object({value, file, ""});
    const auto name = object.need("name");
    const auto about = object.find("about");
    const auto network = object.find("network");
    const auto initial = object.need("initial");
    const auto data = object.find("data");
    const auto batches = object.find("batches");
    const auto schedule = object.need("schedule");
    const auto sample = object.find("sample");
    object.close();
    recipe.name = line(*name, 100);
    if (about) {
        recipe.about = line(*about, 1000);
    }
    if (network) {
        recipe.network = read_network(*network);
    }
    read_initial(*initial, recipe);
    if (data) {
        read_data(*data, recipe);
    }
    if (batches) {
        read_batches(*batches, recipe);
    }
    NetworkConfig smallest = recipe.network;
    smallest.vocabulary = 2;
    if (!fits_in_memory(smallest, recipe.batch)) {
        refuse(file, "network", "its tensors would take more than 1 TiB; lower its widths, or the batch");
    }
    read_schedule(*schedule, recipe);
    if (sample) {
        Object fields(*sample);
        fields.take("seed", recipe.sample_seed, seed);
        fields.close();
    }
    return recipe;
}

std::string to_json(const Recipe& recipe) {
    return readable_text(written(recipe)) + "\n";
}

std::vector<std::string> differences(const Recipe& there, const Recipe& here) {
    const std::map<std::string, std::string> before = deciding(there), now = deciding(here);
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
