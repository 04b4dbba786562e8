#include "manual/stepwise.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <span>
#include <vector>

#include "byhand/rounded.h"
#include "manual/optimizer/steps.h"

namespace byhand {
namespace {

// An operation at its place in a network, with its handwritten implementation.
struct PlacedOperation {
    Site site;
    const HandOperation& by_hand;
};

std::vector<PlacedOperation> placed(const std::vector<Operation>& operations, const NetworkConfig& config,
                                    const BatchPart& part, HandForm form, const HandOperations& hand) {
    std::vector<PlacedOperation> all;
    all.reserve(operations.size());
    for (const Operation& operation : operations) {
        const std::size_t positions = operation.positions;
        all.push_back({{config, operation, part.rows * positions, part.batch * positions, part.first * positions, form},
                       find_operation(hand, operation.op)});
    }
    return all;
}

BatchPart whole(std::size_t rows) {
    return {.first = 0, .rows = rows, .batch = rows};
}

// Appends the steps of one operation and sets their operation.
void append(StepList& steps, AppendSteps some, const Site& site) {
    const std::size_t before = steps.size();
    some(steps, site);
    for (Step& step : std::span(steps).subspan(before)) {
        step.operation = site.operation.place;
    }
}

Graph without_steps(const NetworkConfig& config, const BatchPart& part, const HandOperations& hand) {
    check_network(config, part.batch);
    return {config, part.rows, {}, {}, {}, {}, {}, {}, glossary_of(config, hand)};
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

Graph training(const NetworkConfig& config, const BatchPart& part, HandForm form, const HandOperations& hand) {
    Graph graph = without_steps(config, part, hand);
    const std::vector<PlacedOperation> all = placed(operations(config), graph.config, part, form, hand);
    optimizer_steps(graph.update, config);
    for (const auto& [site, by_hand] : all) {
        append(graph.update, parameter_steps, site);
    }
    for (const auto& [site, by_hand] : all) {
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
    for (const auto& [site, by_hand] : all | std::views::reverse) {
        append(graph.backward, by_hand.backward, site);
    }
    join_gradients(graph.backward);
    graph.ranges["rate"] = kNotNegative;
    optimizer_ranges(graph.ranges, config);
    return graph;
}

}  // namespace

Graph hand_graph(HandForm form, const NetworkConfig& config, std::size_t rows, const HandOperations& hand) {
    return hand_graph(form, config, whole(rows), hand);
}

Graph hand_graph(HandForm form, const NetworkConfig& config, const BatchPart& part, const HandOperations& hand) {
    Graph graph = training(config, part, form, hand);
    if (form == HandForm::stepwise) {
        for (const auto& [site, by_hand] : placed(evaluated_operations(config), graph.config, part, form, hand)) {
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
    Graph graph = without_steps(config, whole(rows), hand);
    for (const auto& [site, by_hand] :
         placed(operations(config), graph.config, whole(rows), HandForm::stepwise, hand)) {
        if (site.operation.op != op::kCrossEntropy) {
            append(graph.forward, by_hand.evaluation, site);
        }
    }
    return graph;
}

}  // namespace byhand
