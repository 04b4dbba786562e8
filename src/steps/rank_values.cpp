#include "steps/rank_values.h"

#include <algorithm>

#include "steps/parts.h"

namespace byhand {
namespace {

// Calls act(numbers) for each array, in one order.
void for_each_array(auto& values, const auto& act) {
    for (auto& part : values.parts) {
        act(part.X);
        act(part.Y);
        for (auto* tensors : {&part.rows, &part.shares}) {
            for (const TensorSpec& spec : tensors->table()) {
                act((*tensors)[spec.name]);
            }
        }
    }
    for (const TensorSpec& spec : values.shared.table()) {
        act(values.shared[spec.name]);
    }
}

std::vector<TensorSpec> specs(const Graph& graph, std::initializer_list<InParts> kinds) {
    std::vector<TensorSpec> all;
    for (const StepList* list : {&graph.forward, &graph.backward, &graph.update}) {
        for (const Step& step : *list) {
            if (std::ranges::find(kinds, in_parts(graph.glossary, step)) != kinds.end()) {
                all.push_back({step.makes, step.shape});
            }
        }
    }
    return all;
}

}  // namespace

RankValues rank_values(const Graph& any, std::span<const Graph> parts) {
    RankValues values;
    for (const Graph& graph : parts) {
        values.parts.push_back({std::vector<std::int64_t>(graph.rows * graph.config.context),
                                std::vector<std::int64_t>(graph.rows), Tensors<float>(specs(graph, {InParts::rows})),
                                Tensors<float>(specs(graph, {InParts::sum}))});
    }
    std::vector<TensorSpec> shared = state(any.config);
    shared.push_back({"rate", {}});
    std::ranges::copy(specs(any, {InParts::sum, InParts::shared}), std::back_inserter(shared));
    values.shared = Tensors<float>(std::move(shared));
    return values;
}

std::vector<float> in_a_row(const RankValues& values) {
    std::vector<float> row;
    for_each_array(values, [&](const auto& numbers) {
        std::ranges::transform(numbers, std::back_inserter(row),
                               [](auto number) { return static_cast<float>(number); });
    });
    return row;
}

std::size_t read_row(RankValues& values, std::span<const float> row) {
    std::size_t read = 0;
    for_each_array(values, [&](auto&& numbers) {
        for (auto& number : numbers) {
            number = static_cast<std::remove_reference_t<decltype(number)>>(row[read++]);
        }
    });
    return read;
}

}  // namespace byhand
