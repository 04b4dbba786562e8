#include "ranks/in_ranks.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/parts.h"
#include "base/value.h"
#include "fast/fused.h"
#include "fast/models.h"
#include "manual/stepwise.h"
#include "ranks/parts.h"

namespace byhand {
namespace {

// ---- in one tensor for each value ----

// Of each rank the values without rows, and of the others one part with all of its rows, if it has any.
std::vector<RankValues> tables_of(const std::vector<TensorSpec>& whole, const Glossary& glossary, std::size_t rows,
                                  std::size_t parts, std::size_t ranks) {
    const std::vector<BatchPart> places = parts_of(rows, parts);
    std::vector<RankValues> tables;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        const PartsOfRank own = parts_of_rank(parts, rank, ranks);
        std::size_t its = 0;
        for (std::size_t k = own.first; k < own.last; ++k) {
            its += places[k].rows;
        }
        std::vector<TensorSpec> with_rows, shared;
        for (TensorSpec spec : whole) {
            const bool has_own = has_rows(glossary, spec.name);
            if (has_own) {
                spec.shape.front() = spec.shape.front() / rows * its;
            }
            (has_own ? with_rows : shared).push_back(std::move(spec));
        }
        RankValues& values = tables.emplace_back(RankValues{{}, Tensors<float>(std::move(shared))});
        if (its > 0) {
            values.parts.push_back({{}, {}, Tensors<float>(std::move(with_rows)), {}});
        }
    }
    return tables;
}

// The values that the model shows, in `table`; those with rows of a rank that has none are left out.
RankValues shown_values(const Model& model, RankValues table) {
    for (const View& view : model.views()) {
        const bool is_shared = table.shared.contains(view.name);
        if (is_shared || !table.parts.empty()) {
            const std::span<float> to = (is_shared ? table.shared : table.parts.front().rows)[view.name];
            std::copy_n(static_cast<const float*>(view.data), to.size(), to.begin());
        }
    }
    return table;
}

}  // namespace

RankPlan rank_plan(HandForm form, const NetworkConfig& network, std::size_t rows, std::size_t parts, std::size_t rank,
                   std::size_t ranks) {
    return {.form = form,
            .rank = rank,
            .ranks = ranks,
            .places = parts_of(rows, parts),
            .whole = stepwise_graph(network, rows),
            .make = [&network, form](const BatchPart& place) { return hand_graph(form, network, place); }};
}

InRanks graph_in_ranks(const RankPlan& plan, const NetworkConfig& network, Group& group) {
    const bool is_stepwise = plan.form == HandForm::stepwise;
    RightParts right{plan.places, {}};
    for (const BatchPart& place : plan.places) {
        right.graphs.push_back(hand_graph(plan.form, network, place));
    }
    std::vector<RankValues> tables;
    for (std::size_t rank = 0; rank < group.size(); ++rank) {
        const PartsOfRank own = parts_of_rank(right.places.size(), rank, group.size());
        tables.push_back(rank_values(right.graphs.front(), std::span(right.graphs).subspan(own.first, own.count())));
    }
    auto model = std::make_unique<ModelInParts>(plan, network, group, Keep::all);
    const PartsRunner& runner = model->runner();
    return {.name = is_stepwise ? "stepwise" : "collapsed",
            .parts = plan.places.size(),
            .whole = plan.whole,
            .tables = std::move(tables),
            .model = std::move(model),
            .values = [&runner] { return runner.values(); },
            .messages = runner.messages(),
            .by_one =
                [&network, form = plan.form, rows = plan.whole.rows, parts = plan.places.size()](Group& alone) {
                    return graph_in_ranks(rank_plan(form, network, rows, parts, 0, 1), network, alone);
                },
            .right = is_stepwise ? std::optional(std::move(right)) : std::nullopt};
}

InRanks fused_in_ranks(const NetworkConfig& network, std::size_t rows, std::size_t parts, Group& group) {
    if (!has_fused_step(network)) {
        throw InputError("the fused step does not support all operations of this network: leave it out of --model");
    }
    Graph whole = stepwise_graph(network, rows);
    const std::vector<TensorSpec> kept = Fused(network, rows, Keep::all).kept().table();
    std::vector<RankValues> tables = tables_of(kept, whole.glossary, rows, parts, group.size());
    std::unique_ptr<Model> model =
        make_hand_model(HandForm::fused, network, rows, {.keep = Keep::all, .division = {parts, &group}});
    const Model& shown = *model;
    return {.name = "fused",
            .parts = parts,
            .whole = std::move(whole),
            .tables = tables,
            .model = std::move(model),
            .values = [&shown, table = tables[group.rank()]] { return shown_values(shown, table); },
            .messages = Fused(network, rows, Keep::needed, 1, parts, &group).messages(),
            .by_one = [&network, rows, parts](Group& alone) { return fused_in_ranks(network, rows, parts, alone); }};
}

InRanks module_in_ranks(std::unique_ptr<Model> module, const NetworkConfig& network, std::size_t rows,
                        std::size_t parts, Group& group) {
    const std::vector<TensorSpec> state = byhand::state(network);
    std::vector<TensorSpec> all = state;
    all.push_back({"logits", {rows, network.vocabulary}});
    all.push_back({"loss", {}});
    for (const TensorSpec& spec : parameters(network)) {
        all.push_back({gradient_of(spec.name), spec.shape});
    }
    for (const TensorSpec& spec : state) {
        all.push_back({update_of(spec.name), spec.shape});
    }
    Graph whole = stepwise_graph(network, rows);
    std::vector<RankValues> tables = tables_of(all, whole.glossary, rows, parts, group.size());
    const Model& shown = *module;
    return {.name = "torch",
            .parts = parts,
            .whole = std::move(whole),
            .tables = tables,
            .model = std::move(module),
            .values = [&shown, table = tables[group.rank()]] { return shown_values(shown, table); }};
}

}  // namespace byhand
