#include "ranks/joined_graph.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>

#include "base/parts.h"
#include "base/value.h"
#include "byhand/rounded.h"

namespace byhand {
namespace {

// A step of the whole batch and the same step of each part.
struct JoinedStep {
    InParts how = InParts::rows;
    std::size_t numbers = 0;  // of the result; with rows: of one row
    // Of each operand: the numbers of a row, or nothing if it has no rows.
    std::vector<std::optional<std::size_t>> row_sizes;
    std::vector<BatchPart> parts;
    std::vector<Step> steps;
};

template <class T>
std::vector<Operand<T>> operands_of(const JoinedStep& joined, std::size_t first_row, Reads<T> reads) {
    std::vector<Operand<T>> own;
    for (std::size_t i = 0; i < reads.size(); ++i) {
        const std::size_t offset = joined.row_sizes[i].value_or(0) * first_row;
        own.push_back(std::visit([offset](const auto* numbers) { return Operand<T>(numbers + offset); }, reads[i]));
    }
    return own;
}

template <class T>
void run_in_parts(const JoinedStep& joined, T* out, Reads<T> reads) {
    std::vector<std::vector<T>> shares;
    for (std::size_t k = 0; k < joined.parts.size(); ++k) {
        const std::size_t first_row = joined.parts[k].first;
        T* const result = joined.how == InParts::rows
                              ? out + first_row * joined.numbers
                              : shares.emplace_back(out, out + joined.numbers).data();  // unwritten, as `out` is
        joined.steps[k].in<T>().run(result, operands_of<T>(joined, first_row, reads));
    }
    if (joined.how == InParts::sum) {
        const std::vector<std::span<T>> all(shares.begin(), shares.end());
        add_pairwise(std::span(all));
        std::ranges::copy(shares.front(), out);
    }
}

template <class T>
void join(Step& step, const std::shared_ptr<const JoinedStep>& joined) {
    if (step.in<T>().run != nullptr) {
        step.in<T>().name += " in " + std::to_string(joined->parts.size()) + " parts";
        step.in<T>().run = [joined](T* out, Reads<T> reads) { run_in_parts<T>(*joined, out, reads); };
    }
}

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

bool has_rows(const Glossary& glossary, const std::string& name) {
    if (is_index(name)) {
        return true;
    }
    const GlossaryRow* const row = find_row(glossary, name);
    if (row == nullptr) {
        throw std::logic_error(name + " is not in the glossary, which tells whether it has rows");
    }
    return std::ranges::find(row->axes, Axis::row) != row->axes.end();
}

InParts in_parts(const Glossary& glossary, const Step& step) {
    const auto rows = [&](const std::string& name) { return has_rows(glossary, name); };
    return rows(step.makes) ? InParts::rows : std::ranges::any_of(step.reads, rows) ? InParts::sum : InParts::shared;
}

Graph joined(Graph whole, const std::vector<BatchPart>& parts, const std::vector<Graph>& graphs) {
    constexpr std::array kLists = {&Graph::forward, &Graph::backward, &Graph::update, &Graph::evaluation};
    const std::map<std::string, Shape> shapes = shapes_of(whole);
    const std::size_t rows = whole.rows;
    for (const auto list : kLists) {
        for (std::size_t i = 0; i < (whole.*list).size(); ++i) {
            Step& step = (whole.*list)[i];
            JoinedStep joined{.how = in_parts(whole.glossary, step),
                              .numbers = count(step.shape),
                              .row_sizes = {},
                              .parts = parts,
                              .steps = {}};
            if (joined.how == InParts::shared) {
                continue;
            }
            joined.numbers /= joined.how == InParts::rows ? rows : 1;
            for (const std::string& name : step.reads) {
                joined.row_sizes.push_back(has_rows(whole.glossary, name) ? std::optional(count(shapes.at(name)) / rows)
                                                                          : std::nullopt);
            }
            for (const Graph& graph : graphs) {
                joined.steps.push_back((graph.*list).at(i));
            }
            const auto shared = std::make_shared<const JoinedStep>(std::move(joined));
            join<float>(step, shared);
            join<double>(step, shared);
            join<Rounded>(step, shared);
        }
    }
    return whole;
}

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
