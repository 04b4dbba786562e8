#include "steps/step.h"

#include <algorithm>

namespace byhand {

std::vector<const Step*> all_steps(const Graph& graph) {
    std::vector<const Step*> all;
    for (const StepList* list : {&graph.forward, &graph.backward, &graph.update, &graph.evaluation}) {
        for (const Step& step : *list) {
            all.push_back(&step);
        }
    }
    return all;
}

const Step* find_step(const Graph& graph, const std::string& makes) {
    const std::vector<const Step*> steps = all_steps(graph);
    const auto found = std::ranges::find(steps, makes, &Step::makes);
    return found != steps.end() ? *found : nullptr;
}

Operation operation_of(const Graph& graph, const Step& step) {
    return operations(graph.config).at(step.operation);
}

std::set<std::string> made_by(const Graph& graph) {
    std::set<std::string> names;
    for (const Step* step : all_steps(graph)) {
        names.insert(step->makes);
    }
    return names;
}

std::map<std::string, Shape> shapes_of(const Graph& graph) {
    std::map<std::string, Shape> shapes = {
        {"X", {graph.rows, graph.config.context}}, {"Y", {graph.rows}}, {"rate", {}}};
    for (const TensorSpec& spec : state(graph.config)) {
        shapes[spec.name] = spec.shape;
    }
    for (const Step* step : all_steps(graph)) {
        shapes[step->makes] = step->shape;
    }
    return shapes;
}

}  // namespace byhand
