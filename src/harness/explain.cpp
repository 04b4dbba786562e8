#include "harness/explain.h"

#include <algorithm>

#include "base/tensors.h"

namespace byhand {
namespace {

Explanation* find(std::vector<Explanation>& all, const std::string& name) {
    const auto found = std::ranges::find(all, name, &Explanation::name);
    return found != all.end() ? &*found : nullptr;
}

}  // namespace

MistakesByValue mistakes_by_value(const Graph& network, KnownMistakes mistakes) {
    MistakesByValue all;
    for (const Mistake& mistake : mistakes) {
        for (const std::string& culprit : culprits_in(network, mistake)) {
            all[culprit].push_back(&mistake);
        }
    }
    return all;
}

std::vector<Explanation> explain(const Graph& network, KnownMistakes mistakes) {
    const NetworkConfig& config = network.config;
    std::vector<TensorSpec> given = {{"X", {network.rows, config.context}}, {"Y", {network.rows}}};
    std::ranges::copy(state(config), std::back_inserter(given));
    given.push_back({"rate", {}});
    std::vector<Explanation> all;
    all.reserve(given.size());
    for (const TensorSpec& spec : given) {
        all.push_back({spec.name, meaning(network.glossary, spec.name), spec.shape});
    }
    for (const Step* step : all_steps(network)) {
        const std::string& name = step->makes;
        all.push_back({name, meaning(network.glossary, name), step->shape, step->in_float.name, step->reads});
    }
    for (const Step* step : all_steps(network)) {
        for (const std::string& name : step->reads) {
            if (Explanation* of = find(all, name)) {
                of->read_by.push_back(step->makes);
            }
        }
    }
    for (const auto& [name, made_in_its_step] : mistakes_by_value(network, mistakes)) {
        if (Explanation* of = find(all, name)) {
            of->mistakes = made_in_its_step;
        }
    }
    return all;
}

}  // namespace byhand
