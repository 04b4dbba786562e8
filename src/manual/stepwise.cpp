#include "manual/stepwise.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <span>
#include <vector>

#include "byhand/rounded.h"
#include "manual/glossary.h"
#include "manual/optimizer/steps.h"

namespace byhand {
namespace {

// An operation at its place in a network, with its handwritten implementation.
struct Part {
    Site site;
    const HandOperation& by_hand;
};

std::vector<Part> parts_of(const std::vector<Operation>& operations, const Graph& graph, HandForm form,
                           const HandOperations& hand) {
    std::vector<Part> parts;
    parts.reserve(operations.size());
    for (const Operation& operation : operations) {
        const std::size_t rows = graph.rows * operation.positions;
        parts.push_back({{graph.config, operation, rows, form}, find_operation(hand, operation.op)});
    }
    return parts;
}

// Appends the steps of one part and sets their operation.
void append(StepList& steps, AppendSteps some, const Site& site) {
    const std::size_t before = steps.size();
    some(steps, site);
    for (Step& step : std::span(steps).subspan(before)) {
        step.operation = site.operation.place;
    }
}

Graph without_steps(const NetworkConfig& config, std::size_t rows, const HandOperations& hand) {
    check_network(config, rows);
    return {config, rows, {}, {}, {}, {}, {}, {}, glossary_of(config, hand)};
}

// A value with several readers has a gradient from each: their steps are merged into one, at the position of the last.
void join_gradients(StepList& backward) {
    StepList joined;
    for (auto step = backward.begin(); step != backward.end(); ++step) {
        const auto makes_it = [&](const Step& other) { return other.makes == step->makes; };
        if (std::any_of(step + 1, backward.end(), makes_it)) {
            continue;
        }
        StepList terms;
        std::copy_if(backward.begin(), step + 1, std::back_inserter(terms), makes_it);
        joined.push_back(terms.size() == 1 ? std::move(*step) : sum_of(std::move(terms)));
    }
    backward = std::move(joined);
}

Graph training(const NetworkConfig& config, std::size_t rows, HandForm form, const HandOperations& hand) {
    Graph graph = without_steps(config, rows, hand);
    const std::vector<Part> parts = parts_of(operations(config), graph, form, hand);
    optimizer_steps(graph.update, config);
    for (const auto& [site, by_hand] : parts) {
        append(graph.update, parameter_steps, site);
    }
    for (const auto& [site, by_hand] : parts) {
        append(graph.forward, by_hand.forward, site);
        if (by_hand.update != nullptr) {
            append(graph.update, by_hand.update, site);
        }
        if (by_hand.ranges != nullptr) {
            by_hand.ranges(graph.ranges, site);
        }
        if (by_hand.kinks != nullptr) {
            by_hand.kinks(graph.kinks, site);
        }
    }
    for (const auto& [site, by_hand] : parts | std::views::reverse) {
        append(graph.backward, by_hand.backward, site);
    }
    join_gradients(graph.backward);
    graph.ranges["rate"] = kNotNegative;
    optimizer_ranges(graph.ranges, config);
    return graph;
}

}  // namespace

Graph hand_graph(HandForm form, const NetworkConfig& config, std::size_t rows, const HandOperations& hand) {
    Graph graph = training(config, rows, form, hand);
    if (form == HandForm::stepwise) {
        for (const auto& [site, by_hand] : parts_of(evaluated_operations(config), graph, form, hand)) {
            append(graph.evaluation, by_hand.evaluation, site);
            if (by_hand.ranges != nullptr) {
                by_hand.ranges(graph.ranges, site);
            }
        }
    }
    return graph;
}

Graph stepwise_graph(const NetworkConfig& config, std::size_t rows) {
    return hand_graph(HandForm::stepwise, config, rows);
}

Graph collapsed_graph(const NetworkConfig& config, std::size_t rows) {
    return hand_graph(HandForm::collapsed, config, rows);
}

Graph fused_graph(const NetworkConfig& config, std::size_t rows) {
    return hand_graph(HandForm::fused, config, rows);
}

Graph evaluation_graph(const NetworkConfig& config, std::size_t rows, const HandOperations& hand) {
    Graph graph = without_steps(config, rows, hand);
    for (const auto& [site, by_hand] : parts_of(operations(config), graph, HandForm::stepwise, hand)) {
        if (site.operation.op != op::kCrossEntropy) {
            append(graph.forward, by_hand.evaluation, site);
        }
    }
    return graph;
}

}  // namespace byhand
