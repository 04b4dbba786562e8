#include "lab/operation.h"

#include <algorithm>

#include "base/value.h"
#include "manual/operation.h"

namespace byhand::lab {

Graph operation_graph(const std::string& op, const NormConfig& norm, std::size_t rows, std::size_t columns,
                      HandForm form) {
    NetworkConfig network{.vocabulary = columns, .norm = norm};
    if (op != op::kCrossEntropy) {
        network = with_layers(network, {{op::kLinear, columns}, {op}, {op::kTanh}, {op::kLinear}});
    }
    const std::vector<Operation> all = operations(network);
    const HandOperation& by_hand = find_operation(hand_operations(), op);
    Site site{network, *std::ranges::find(all, op, &Operation::op), rows, rows, 0, form};
    site.operation.norm = norm;
    Graph graph{.config = network, .rows = rows, .forward = {}, .backward = {}, .update = {}, .evaluation = {}};
    by_hand.forward(graph.forward, site);
    by_hand.backward(graph.backward, site);
    if (by_hand.update != nullptr) {
        by_hand.update(graph.update, site);
        site.operation.output = evaluation_of(site.operation.output);
        by_hand.evaluation(graph.evaluation, site);
    }
    return graph;
}

InFloat in_float(const Graph& graph, const Numbers<double>& given) {
    return {forward_and_backward(graph, as<float>(given)), forward_and_backward(graph, as<Rounded>(given))};
}

std::vector<double> evaluate(const ReferenceOperations& torch, const std::string& name, const Numbers<double>& given) {
    std::vector<View> views;
    for (const auto& [read, shape] : torch.reads(name)) {
        if (read == "Y") {
            views.push_back({read, shape, DType::int64, given.Y.data()});
        } else {
            views.push_back({read, shape, DType::float64, given[read].data()});
        }
    }
    return torch.evaluate(name, views);
}

}  // namespace byhand::lab
