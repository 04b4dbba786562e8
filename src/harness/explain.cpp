#include "harness/explain.h"

#include <algorithm>

#include "base/tensors.h"

namespace byhand {
namespace {

Explanation* find(std::vector<Explanation>& all, const std::string& name) {
    const auto found = std::ranges::find(all, name, &Explanation::name);
    return found != all.end() ? &*found : nullptr;
}

// Each mistake with those whose step it spoils.
void add_mistakes(std::vector<Explanation>& all, const Graph& network) {
    Catches catches;
    for (const Explanation& explanation : all) {
        catches[explanation.name] = 1e-6;
    }
    for (const Mistake& mistake : mistakes()) {
        Graph spoiled = network;
        for (const std::string& culprit : mistake.plant(spoiled, catches)) {
            if (Explanation* of = find(all, culprit)) {
                of->mistakes.push_back(&mistake);
            }
        }
    }
}

}  // namespace

std::vector<Explanation> explain(const Graph& network) {
    const NetworkConfig& config = network.config;
    std::vector<TensorSpec> given = {{"X", {network.rows, config.context}}, {"Y", {network.rows}}};
    std::ranges::copy(state(config), std::back_inserter(given));
    given.push_back({"rate", {}});
    std::vector<Explanation> all;
    all.reserve(given.size());
    for (const TensorSpec& spec : given) {
        all.push_back({spec.name, meaning(network.glossary, spec.name), spec.shape, {}, {}, {}, {}});
    }
    for (const Step* step : all_steps(network)) {
        all.push_back({step->makes,
                       meaning(network.glossary, step->makes),
                       step->shape,
                       step->in_float.name,
                       step->reads,
                       {},
                       {}});
    }
    for (const Step* step : all_steps(network)) {
        for (const std::string& name : step->reads) {
            if (Explanation* of = find(all, name)) {
                of->read_by.push_back(step->makes);
            }
        }
    }
    add_mistakes(all, network);
    return all;
}

}  // namespace byhand
