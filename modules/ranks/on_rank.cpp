#include "ranks/on_rank.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/parts.h"
#include "base/value.h"
#include "fast/fused.h"
#include "manual/stepwise.h"
#include "ranks/parts.h"

namespace byhand {
namespace {

// ---- step by step ----

class GraphOnRank final : public OnRank {
public:
    GraphOnRank(std::shared_ptr<const RankPlan> plan, Group& group)
        : plan_(std::move(plan)),
          runner_(plan_->make, plan_->whole.rows, plan_->places.size(), group, PartsRunner::Keep::all,
                  plan_->add_shares) {}

    void load(const Tensors<float>& state) override {
        Tensors<float> its = state;
        if (plan_->load != nullptr) {
            plan_->load(its);
        }
        copy_into(runner_.shared(), its);
    }

    void run(const Batch& whole, float rate) override {
        const Batch its = plan_->batch != nullptr ? plan_->batch(step_, whole) : whole;
        runner_.run(its, plan_->rate != nullptr ? plan_->rate(rate) : rate);
        ++step_;
    }

    RankValues values() const override { return runner_.values(); }
    std::size_t messages() const override { return runner_.messages(); }

private:
    std::shared_ptr<const RankPlan> plan_;
    PartsRunner runner_;
    std::size_t step_ = 0;
};

// ---- in one tensor for each value ----

// The values without rows, and of the others a part of so many of the batch's rows, if any.
RankValues table_of(const std::vector<TensorSpec>& whole, const Glossary& glossary, std::size_t own, std::size_t rows) {
    std::vector<TensorSpec> with_rows, shared;
    for (TensorSpec spec : whole) {
        if (has_rows(glossary, spec.name)) {
            spec.shape.front() = spec.shape.front() / rows * own;
            with_rows.push_back(std::move(spec));
        } else {
            shared.push_back(std::move(spec));
        }
    }
    RankValues values{{}, Tensors<float>(std::move(shared))};
    if (own > 0) {
        values.parts.push_back({{}, {}, Tensors<float>(std::move(with_rows)), {}});
    }
    return values;
}

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
        tables.push_back(table_of(whole, glossary, its, rows));
    }
    return tables;
}

// Values with rows of a rank that has none are left out.
void copy_values(RankValues& to, const std::vector<View>& from) {
    for (const View& view : from) {
        const bool is_shared = to.shared.contains(view.name);
        if (is_shared || !to.parts.empty()) {
            const std::span<float> numbers = (is_shared ? to.shared : to.parts.front().rows)[view.name];
            std::copy_n(static_cast<const float*>(view.data), numbers.size(), numbers.begin());
        }
    }
}

class FusedOnRank final : public OnRank {
public:
    FusedOnRank(const NetworkConfig& network, std::size_t rows, std::size_t parts, Group& group, RankValues table)
        : fused_(network, rows, Fused::Keep::all, 1, parts, &group), values_(std::move(table)) {}

    void load(const Tensors<float>& state) override {
        fused_.commit();  // alternates between the two states, as training does
        fused_.load(state);
    }

    void run(const Batch& whole, float rate) override {
        fused_.run(whole, rate);
        const Tensors<float> kept = fused_.kept();
        copy_values(values_, kept.views());
    }

    RankValues values() const override { return values_; }
    std::size_t messages() const override { return fused_.messages(); }

private:
    Fused fused_;
    RankValues values_;
};

class ModuleOnRank final : public OnRank {
public:
    ModuleOnRank(std::unique_ptr<Implementation> module, RankValues table)
        : module_(std::move(module)), values_(std::move(table)) {}

    void load(const Tensors<float>& state) override { module_->load(state); }

    void run(const Batch& whole, float rate) override {
        module_->run(whole, rate);
        copy_values(values_, module_->views());
    }

    RankValues values() const override { return values_; }
    std::size_t messages() const override { return 0; }  // not known

private:
    std::unique_ptr<Implementation> module_;
    RankValues values_;
};

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

InRanks graph_in_ranks(RankPlan plan, const NetworkConfig& network, Group& group) {
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
    const auto by_one = [&network, form = plan.form, rows = plan.whole.rows, parts = plan.places.size()](Group& alone) {
        auto one = std::make_shared<const RankPlan>(rank_plan(form, network, rows, parts, 0, 1));
        return std::make_unique<GraphOnRank>(std::move(one), alone);
    };
    InRanks made{.model = is_stepwise ? "stepwise" : "collapsed",
                 .parts = plan.places.size(),
                 .whole = plan.whole,
                 .tables = std::move(tables),
                 .own = nullptr,
                 .by_one = by_one,
                 .right = is_stepwise ? std::optional(std::move(right)) : std::nullopt};
    made.own = std::make_unique<GraphOnRank>(std::make_shared<const RankPlan>(std::move(plan)), group);
    return made;
}

InRanks fused_in_ranks(const NetworkConfig& network, std::size_t rows, std::size_t parts, Group& group) {
    if (!has_fused_step(network)) {
        throw InputError("the fused step does not support all operations of this network: leave it out of --model");
    }
    Graph whole = stepwise_graph(network, rows);
    const std::vector<TensorSpec> kept = Fused(network, rows, Fused::Keep::all).kept().table();
    const auto on_rank = [&network, rows, parts](Group& of, RankValues table) {
        return std::make_unique<FusedOnRank>(network, rows, parts, of, std::move(table));
    };
    std::vector<RankValues> tables = tables_of(kept, whole.glossary, rows, parts, group.size());
    const RankValues single = tables_of(kept, whole.glossary, rows, parts, 1).front();
    std::unique_ptr<OnRank> own = on_rank(group, tables[group.rank()]);
    return {.model = "fused",
            .parts = parts,
            .whole = std::move(whole),
            .tables = std::move(tables),
            .own = std::move(own),
            .by_one = [on_rank, single](Group& alone) { return on_rank(alone, single); },
            .right = std::nullopt};
}

InRanks module_in_ranks(std::unique_ptr<Implementation> module, const NetworkConfig& network, std::size_t rows,
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
    auto own = std::make_unique<ModuleOnRank>(std::move(module), tables[group.rank()]);
    return {.model = "torch",
            .parts = parts,
            .whole = std::move(whole),
            .tables = std::move(tables),
            .own = std::move(own),
            .by_one = {},
            .right = std::nullopt};
}

}  // namespace byhand
