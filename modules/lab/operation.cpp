#include "lab/operation.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

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

Formulas formulas_of(const StepList& steps) {
    Formulas formulas;
    for (const Step& step : steps) {
        formulas.formulas.emplace_back(step.in_float.name);
    }
    return formulas;
}

Tensors<double> batchnorm_inputs(const std::vector<double>& x, const std::vector<double>& dy,
                                 const std::vector<double>& gain, const std::vector<double>& bias) {
    const std::size_t H = gain.size(), n = x.size() / H;
    Tensors<double> inputs;
    inputs.put({"hprebn", {n, H}}, x);
    inputs.put({"dhpreact", {n, H}}, dy);
    inputs.put({"bngain", {H}}, gain);
    inputs.put({"bnbias", {H}}, bias);
    return inputs;
}

InFloat in_float(const Graph& graph, const Tensors<double>& given) {
    return {forward_and_backward(graph, Tensors<float>(given)), forward_and_backward(graph, Tensors<Rounded>(given))};
}

std::vector<double> evaluate(const ReferenceOperations& torch, const std::string& name, const Tensors<double>& values) {
    std::vector<View> views;
    for (const auto& [read, shape] : torch.reads(name)) {
        if (values.holds_indices(read)) {
            views.push_back({read, shape, DType::int64, values.indices(read).data()});
        } else {
            views.push_back({read, shape, DType::float64, values[read].data()});
        }
    }
    return torch.evaluate(name, views);
}

Agreement agreement_within(std::string what, const std::vector<double>& ours, const std::vector<double>& reference,
                           const std::vector<double>& limits) {
    if (ours.size() != reference.size() || ours.size() != limits.size()) {
        throw std::logic_error(what + ": different numbers of elements");
    }
    const View theirs = view_of(reference);
    return {std::move(what), largest_difference(ours, reference),
            judge(view_of(ours), nullptr, &theirs, limits, {.needs_no_limit = NeedsNoLimit::equal})};
}

Agreement agreement(std::string what, const std::vector<float>& by_hand, const std::vector<Rounded>& bounds,
                    const std::vector<double>& reference) {
    std::vector<double> limits;
    std::ranges::transform(bounds, std::back_inserter(limits), &Rounded::any_order);
    return agreement_within(std::move(what), {by_hand.begin(), by_hand.end()}, reference, limits);
}

void compare(std::vector<Agreement>& agreements, const std::string& what, const Graph& graph,
             const Tensors<double>& given, const ReferenceOperations& torch, const std::vector<std::string>& names) {
    const InFloat ours = in_float(graph, given);
    for (const std::string& name : names) {
        agreements.push_back(
            agreement(what + name, ours.made.copy_of(name), ours.bounds.copy_of(name), evaluate(torch, name, given)));
    }
}

void add_agreements(Document& document, const std::string& title, const std::vector<Agreement>& agreements) {
    Table table{title, {"", "largest difference", "of limit", "verdict"}, {}};
    for (const Agreement& one : agreements) {
        const Verdict verdict = one.finding.verdict;
        const char* said = agrees(verdict) ? "agrees" : shows_nothing(verdict) ? "out of range" : "DISAGREES";
        // What is not finite has no figures, or as many as its difference.
        const double used = one.finding.used.value_or(one.difference);
        table.rows.push_back({one.what, significant(one.difference, 2), percent(used), said});
        document.agrees = document.agrees && agrees(verdict);
    }
    document.blocks.emplace_back(std::move(table));
}

}  // namespace byhand::lab
